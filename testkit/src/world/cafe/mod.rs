//! People: customers who order, pay and change their minds; baristas, couriers, and staff who cancel payments.

mod invariants;

use std::ops::Deref;
use std::time::Duration;

use futures_util::future::{join, join_all, join4};
use highstreet_domain::kernel::ports::Ids;
use highstreet_domain::kernel::{
    Currency, Failure, Handler, Id, Item, Money, Note, PaymentMethod, Phone, ProductId, ProductName, Quantity, Request,
    ShopId,
};
use highstreet_domain::ordering::{self, CancelReason, Line, Order, Place};
use highstreet_domain::payment::{self, By, Cancellation, Payment};
use highstreet_domain::{delivery, kitchen};
use uuid::Uuid;

pub(super) use self::invariants::inspect;
use super::visitor::{Answer, Answered, Visitor};

const PAY_WITHIN: Duration = Duration::from_secs(45);

/// One order from the counter to its end, as far as people bring it.
struct Visit {
    visitor: Visitor,
    phone: Phone,
}

// === impl Visit ===

impl Visit {
    async fn happen(self) {
        self.wait(Duration::from_secs(40)).await;
        let Some(order) = self.place().await else { return self.pay_what_is_listed().await };
        let pays = self.dice.chance(80);
        let customer = async {
            if pays {
                self.pay(order).await;
            }
        };
        join4(customer, self.maybe_cancel(order), self.maybe_cancel_payment(order), self.serve(order)).await;
    }

    // === Place ===

    async fn place(&self) -> Option<Id<Order>> {
        let request_id = self.request_id();
        let place = self.wish();
        let mut placed: Option<Id<Order>> = None;
        for _ in 0..6 {
            let times = if request_id.is_some() && self.dice.chance(20) { 2 } else { 1 };
            let answers = join_all((0..times).map(|_| self.ask_to_place(request_id, &place))).await;
            for order in answers.into_iter().flatten() {
                if let Some(first) = placed.filter(|first| *first != order) {
                    self.witness.wrong(format!("{request_id:?} placed {first} and {order}"));
                }
                self.witness.remember(|testimony| testimony.placed.push(order));
                placed = Some(order);
            }
            if request_id.is_none() || (placed.is_some() && self.dice.chance(80)) {
                break;
            }
            self.wait(Duration::from_secs(4)).await;
        }
        if placed.is_some() && request_id.is_some() && self.dice.chance(10) {
            self.ask_for_something_else(request_id).await;
        }
        placed
    }

    async fn ask_to_place(&self, request_id: Option<Uuid>, place: &Place) -> Option<Id<Order>> {
        match self.ask_for(request_id, place).await? {
            Ok((id, standing)) if standing.state.placed().is_some() => Some(id),
            Ok((id, standing)) => {
                self.witness.wrong(format!("{id} was answered as placed in {:?}", standing.state));
                None
            }
            Err(Failure::RequestIdReused) => {
                self.witness.wrong(format!("{request_id:?} was not used for anything else"));
                None
            }
            Err(_) => None,
        }
    }

    async fn ask_for_something_else(&self, request_id: Option<Uuid>) {
        let other = Place { method: PaymentMethod::Cash, ..self.wish() };
        if let Some(Ok((id, _))) = self.ask_for(request_id, &other).await {
            self.witness.wrong(format!("{request_id:?} placed something else, {id}"));
        }
    }

    async fn ask_for(&self, request_id: Option<Uuid>, place: &Place) -> Option<Answer<Order>> {
        let id = Id::new(self.street.ids.next());
        if let Some(request_id) = request_id {
            self.witness.remember(|testimony| testimony.tried.entry(request_id).or_default().push(id));
        }
        let request = self.request(ordering::Command::Place(place.clone()), request_id, "PlaceOrder");
        let request = Request { claim: self.claim(request_id, "PlaceOrder", place), ..request };
        let work = move |handler: Handler<Order>| async move { handler.handle(id, request).await };
        let what = format!("{} places {id} under {request_id:?}", self.phone);
        let answer = self.street.network.call(&self.street.ordering, &what, work).await.ok()?;
        self.street.chronicle.note(|| format!("{what} => {answer:?}"));
        Some(answer)
    }

    fn wish(&self) -> Place {
        let quantity = Quantity::new(1 + i64::try_from(self.dice.below(3)).unwrap_or(0)).expect("1 to 3 is a quantity");
        let item = Item {
            product: ProductId::parse("latte").expect("a product id"),
            name: ProductName::parse("카페라떼").expect("a product name"),
            quantity,
            unit_price: None,
        };
        let price = Money::new(Currency::KRW, 4_500, 0).expect("an amount");
        Place {
            shop: ShopId::parse("skanu").expect("a shop id"),
            customer: self.phone.clone(),
            lines: vec![Line { item, unit_price: price }],
            method: PaymentMethod::Card,
            pay_within: PAY_WITHIN,
        }
    }

    // === Pay ===

    async fn pay(&self, order: Id<Order>) {
        for round in 0..3 {
            self.wait(Duration::from_secs(10)).await;
            let request_id = self.request_id();
            for _ in 0..5 {
                let times = if request_id.is_some() && self.dice.chance(20) { 2 } else { 1 };
                let answers = join_all((0..times).map(|_| self.ask_to_pay(order, request_id))).await;
                let mut again = true;
                for answer in answers.into_iter().flatten() {
                    again &= self.pay_again(order, round, request_id, &answer);
                }
                if !again {
                    break;
                }
                self.wait(Duration::from_secs(3)).await;
            }
        }
    }

    /// Nobody told the customer that the order is placed, but payment's list shows something to pay.
    async fn pay_what_is_listed(&self) {
        for (id, standing) in self.street.payment.streams.all() {
            let theirs = standing.state.bill().is_some_and(|bill| bill.payer.as_str() == self.phone.as_str());
            if theirs && matches!(standing.state, Payment::Requested(_)) && self.dice.chance(30) {
                let command = payment::Command::Pay { method: Some(PaymentMethod::Card) };
                self.witness.remember(|testimony| testimony.listed.push(id));
                // Whatever comes of it.
                let _ = self.ask(&self.street.payment, id, command, None, "Pay").await;
            }
        }
    }

    async fn ask_to_pay(&self, order: Id<Order>, request_id: Option<Uuid>) -> Answered<Payment> {
        let command = payment::Command::Pay { method: Some(PaymentMethod::Card) };
        self.ask(&self.street.payment, payment_of(order), command, request_id, "Pay").await
    }

    /// Whether to ask again after this answer.
    fn pay_again(&self, order: Id<Order>, round: u32, request_id: Option<Uuid>, answer: &Answer<Payment>) -> bool {
        match answer {
            Ok((_, standing)) => {
                if matches!(standing.state, Payment::Approved { .. }) {
                    self.witness.remember(|testimony| testimony.paid.push(order));
                }
                false
            }
            Err(Failure::Rejected(payment::Rejection::Processing | payment::Rejection::AlreadyPaid))
                if round == 0 && request_id.is_some() && !self.others_may_have_paid(order) =>
            {
                self.witness.wrong(format!("paying {order} again under {request_id:?} met itself"));
                false
            }
            Err(Failure::Rejected(_)) => false,
            Err(_) => true,
        }
    }

    /// Whether somebody else was paying, or an attempt came to nothing so that the next under its `request_id` starts
    /// afresh.
    fn others_may_have_paid(&self, order: Id<Order>) -> bool {
        self.witness.testimony().listed.contains(&payment_of(order))
            || self.street.payment.streams.events(payment_of(order)).contains(&payment::Event::NotCharged)
    }

    // === Change one's mind ===

    async fn maybe_cancel(&self, order: Id<Order>) {
        if !self.dice.chance(30) {
            return;
        }
        self.wait(Duration::from_secs(40)).await;
        let request_id = self.request_id();
        for _ in 0..5 {
            let command = ordering::Command::Cancel { reason: CancelReason::Customer, note: Note::default() };
            let answer = self.ask(&self.street.ordering, order, command, request_id, "CancelOrder").await;
            if let Ok(Ok(_)) = answer {
                self.witness.remember(|testimony| testimony.cancelled.push(order));
            }
            if matches!(answer, Ok(Ok(_) | Err(Failure::Rejected(_)))) {
                return;
            }
            self.wait(Duration::from_secs(3)).await;
        }
    }

    async fn maybe_cancel_payment(&self, order: Id<Order>) {
        if !self.dice.chance(12) {
            return;
        }
        self.wait(Duration::from_secs(40)).await;
        let command = payment::Command::Cancel(Cancellation { reason: Note::default(), by: By::Staff });
        let answer = self.ask(&self.street.payment, payment_of(order), command, None, "CancelPayment").await;
        if let Ok(Ok(_)) = answer {
            self.witness.remember(|testimony| testimony.payment_cancelled.push(order));
        }
    }

    // === Serve ===

    async fn serve(&self, order: Id<Order>) {
        let reference = Order::reference(order);
        let (preparation, delivery) = (Id::made_for(&reference), Id::made_for(&reference));
        if !self.keep_asking(&self.street.kitchen, preparation, kitchen::Command::Complete).await {
            return;
        }
        if self.dice.chance(90) && self.keep_asking(&self.street.delivery, delivery, delivery::Command::Ship).await {
            self.keep_asking(&self.street.delivery, delivery, delivery::Command::Complete).await;
        }
    }
}

impl Deref for Visit {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

fn payment_of(order: Id<Order>) -> Id<Payment> {
    Id::made_for(&Order::reference(order))
}

/// Everybody's visits: a few customers with an order or two each.
pub(super) async fn visits(visitor: Visitor) {
    let customers = 2 + visitor.dice.below(2);
    join_all((0..customers).map(|number| {
        let phone = Phone::parse(&format!("010-1234-567{number}")).expect("a phone number");
        let visit = || Visit { visitor: Visitor { name: phone.to_string(), ..visitor.clone() }, phone: phone.clone() };
        let (first, second) = (visit(), visitor.dice.chance(50).then(visit));
        join(first.happen(), async move {
            if let Some(second) = second {
                second.happen().await;
            }
        })
    }))
    .await;
}
