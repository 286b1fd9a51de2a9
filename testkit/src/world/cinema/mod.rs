//! Both cinemas: guests who name their seats at once, guests who pay first, and too few seats for all of them.

mod invariants;

use std::time::Duration;

use futures_util::future::{join_all, join3};
use highstreet_domain::booking::{Book, Booking, Command};
use highstreet_domain::kernel::ports::Ids;
use highstreet_domain::kernel::{
    Currency, Failure, Handler, Id, Money, Note, Payer, PaymentMethod, Quantity, Request, ScreeningId, Seats, ShopId,
};
use highstreet_domain::payment;
use highstreet_domain::ticketing::{self, Ticket};

pub(super) use self::invariants::inspect;
use super::visitor::Visitor;

const PAY_WITHIN: Duration = Duration::from_secs(45);
const SELECT_WITHIN: Duration = Duration::from_secs(30);
/// Few, so that guests want the same ones.
const SEATS: [&str; 4] = ["1A", "1B", "1C", "2A"];

/// Everybody who comes to the cinema.
pub(super) async fn visits(visitor: Visitor) {
    let guests = 2 + visitor.dice.below(3);
    join_all((0..guests).map(|number| visit(visitor.named(format!("guest {number}"))))).await;
}

/// One booking, as far as its guest brings it.
async fn visit(guest: Visitor) {
    guest.wait(Duration::from_secs(40)).await;
    let at_once = guest.dice.chance(50);
    let seats = at_once.then(|| some_seats(&guest));
    let Some(id) = book(&guest, seats).await else { return };
    let choose = async {
        if !at_once && guest.dice.chance(85) && pay(&guest, id).await {
            choose_seats(&guest, id).await;
        }
    };
    join3(choose, maybe_cancel(&guest, id), maybe_collect(&guest, id)).await;
}

fn shop() -> ShopId {
    ShopId::parse("cgv").expect("a shop id")
}

fn some_seats(guest: &Visitor) -> Seats {
    let first = guest.dice.below(3);
    let count = 1 + guest.dice.below(2);
    let names: Vec<String> = SEATS[first..(first + count).min(SEATS.len())].iter().map(|&name| name.into()).collect();
    Seats::parse(&names).expect("seats")
}

async fn book(guest: &Visitor, seats: Option<Seats>) -> Option<Id<Booking>> {
    let count = seats.as_ref().map_or(1, |seats| i64::try_from(seats.count()).unwrap_or(1));
    let command = Command::Book(Book {
        shop: shop(),
        customer: Payer::parse(&guest.name).expect("a name"),
        screening: ScreeningId::parse("soul").expect("a screening"),
        quantity: Quantity::new(count).expect("one or two"),
        price: Money::new(Currency::KRW, 10_000 * count, 0).expect("an amount"),
        method: PaymentMethod::Card,
        pay_within: PAY_WITHIN,
        select_within: SELECT_WITHIN,
        seats,
    });
    let request_id = guest.request_id();
    for _ in 0..4 {
        // Each attempt under an id of its own: the request id is what makes it one.
        let id = Id::<Booking>::new(guest.street.ids.next());
        let claim = guest.claim(request_id, "CreateBooking", &command);
        let request = Request { claim, ..guest.request(command.clone(), request_id, "CreateBooking") };
        let what = format!("{} books {id} under {request_id:?}", guest.name);
        let work = move |handler: Handler<Booking>| async move { handler.handle(id, request).await };
        match guest.street.network.call(&guest.street.booking, &what, work).await {
            Ok(Ok((id, standing))) => {
                if matches!(standing.state, Booking::Confirmed(_)) {
                    guest.witness.remember(|testimony| testimony.confirmed.push(id));
                }
                return Some(id);
            }
            Ok(Err(Failure::Rejected(_))) => return None,
            // Whatever came of it: without a request id, asking again would book twice.
            _ if request_id.is_none() => return None,
            _ => guest.wait(Duration::from_secs(4)).await,
        }
    }
    None
}

async fn pay(guest: &Visitor, id: Id<Booking>) -> bool {
    let payment = Id::made_for(&Booking::reference(id));
    for _ in 0..3 {
        guest.wait(Duration::from_secs(8)).await;
        let command = payment::Command::Pay { method: None };
        let request_id = guest.request_id();
        let answer = guest.ask(&guest.street.payment, payment, command, request_id, "Pay").await;
        if let Ok(Ok((_, standing))) = answer
            && matches!(standing.state, payment::Payment::Approved { .. })
        {
            return true;
        }
    }
    // Perhaps it was paid all the same.
    guest.dice.chance(50)
}

async fn choose_seats(guest: &Visitor, id: Id<Booking>) {
    for _ in 0..4 {
        guest.wait(Duration::from_secs(6)).await;
        // One seat was booked; of two wished for, the first is taken.
        let seat = guest.dice.pick(&SEATS).copied().unwrap_or_default();
        let seats = Seats::parse(&[seat.to_owned()]).expect("a seat");
        let command = Command::SelectSeats(seats);
        let answer = guest.ask(&guest.street.booking, id, command, guest.request_id(), "SelectSeats").await;
        if let Ok(Ok((_, standing))) = answer
            && matches!(standing.state, Booking::Confirmed(_))
        {
            guest.witness.remember(|testimony| testimony.confirmed.push(id));
            return;
        }
    }
}

async fn maybe_cancel(guest: &Visitor, id: Id<Booking>) {
    if guest.dice.chance(35) {
        guest.wait(Duration::from_secs(30)).await;
        let cancel = Command::Cancel { note: Note::default() };
        guest.insist(&guest.street.booking, id, &cancel, "CancelBooking").await;
    }
}

/// At the door of the cinema.
async fn maybe_collect(guest: &Visitor, id: Id<Booking>) {
    if guest.dice.chance(60) {
        let ticket = Id::made_for(&Booking::reference(id));
        let collect = ticketing::Command::Collect;
        for _ in 0..10 {
            guest.wait(Duration::from_secs(6)).await;
            let answer = guest.ask(&guest.street.ticketing, ticket, collect.clone(), guest.request_id(), "Collect");
            // One that was cancelled while its points were being granted lets nobody in, and says so.
            if let Ok(Ok((_, standing))) = answer.await
                && !matches!(standing.state, Ticket::Cancelled(_))
            {
                guest.witness.remember(|testimony| testimony.collected.push(ticket));
                return;
            }
        }
    }
}
