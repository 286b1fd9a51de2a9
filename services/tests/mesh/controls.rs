//! Negative controls: a busy day in which nothing happened, or an audit that finds nothing, would show nothing.

use highstreet_wire::proto::booking::{Booking, BookingStatus};
use highstreet_wire::proto::lending::ReservationStatus;
use highstreet_wire::proto::ordering::OrderStatus;
use highstreet_wire::proto::replenishment::OrderStatus as GoodsStatus;
use highstreet_wire::proto::sales::{CancelReason, PurchaseStatus};
use highstreet_wire::proto::ticketing::TicketStatus;

use crate::harness::{Books, Notes, broken};

/// What people may do they did, in every shop.
pub(crate) fn everything_happened(books: &Books) {
    let shops = &books.shops;
    for wanted in [OrderStatus::Completed, OrderStatus::Cancelled] {
        assert!(books.orders.values().any(|order| order.status() == wanted), "no order is {wanted:?}");
    }
    for wanted in [GoodsStatus::Received, GoodsStatus::Cancelled] {
        assert!(shops.orders.values().any(|order| order.status() == wanted), "no order of goods is {wanted:?}");
    }
    assert!(shops.purchases.values().any(|it| it.status() == PurchaseStatus::Purchased), "nothing was bought");
    for wanted in [CancelReason::Customer, CancelReason::OutOfStock] {
        assert!(shops.purchases.values().any(|it| it.cancel_reason() == wanted), "no purchase ended by {wanted:?}");
    }
    for wanted in [ReservationStatus::Confirmed, ReservationStatus::Failed, ReservationStatus::Cancelled] {
        assert!(shops.reservations.values().any(|it| it.status() == wanted), "no reservation is {wanted:?}");
    }
    let booked = |wanted, seated| {
        let so = |it: &Booking| it.status() == wanted && it.seats.is_empty() != seated;
        assert!(shops.bookings.values().any(so), "no booking is {wanted:?}, with seats: {seated}");
    };
    booked(BookingStatus::Reserved, false);
    booked(BookingStatus::Paid, false);
    booked(BookingStatus::Completed, true);
    booked(BookingStatus::Cancelled, true);
    for wanted in [TicketStatus::Collected, TicketStatus::Cancelled] {
        assert!(shops.tickets.values().flatten().any(|it| it.status() == wanted), "no ticket is {wanted:?}");
    }
}

/// Makes books wrong.
type Wrong<'a> = &'a dyn Fn(&mut Books);

/// A negative control: whatever goes wrong with an order, its money, its stamps or its trace is found.
pub(crate) fn what_is_wrong_is_found(books: &Books, notes: &Notes) {
    what_is_wrong_in_the_shops_is_found(books, notes);
    let completed = books.orders.values().find(|order| order.status() == OrderStatus::Completed).unwrap();
    let id = &completed.order_id;
    let wrongs: [(&str, Wrong<'_>); 9] = [
        ("an order that is gone", &|books| drop(books.orders.remove(id))),
        ("an order that is there twice", &|books| {
            books.orders.insert("again".into(), completed.clone());
        }),
        ("a payment that is gone", &|books| drop(books.payments.remove(id))),
        ("a payment that is there twice", &|books| {
            let payments = books.payments.get_mut(id).unwrap();
            payments.push(payments[0].clone());
        }),
        ("a payment without an order", &|books| {
            let payments = books.payments[id].clone();
            books.payments.insert("nobody".into(), payments);
        }),
        ("drinks that were not made", &|books| drop(books.preparations.remove(id))),
        ("a trace that stayed behind", &|books| books.traces.get_mut(id).unwrap().status = "PAID".into()),
        ("a stamp too many", &|books| *books.stamps.get_mut(&completed.customer_phone).unwrap() += 1),
        ("a dead letter", &|books| books.dead_letters.push("anything".into())),
    ];
    for (what, wrong) in wrongs {
        let mut books = books.clone();
        wrong(&mut books);
        assert!(!broken(&books, &notes.said()).is_empty(), "nobody found {what}");
    }
    if let Some(money) = &books.money {
        let mut books = books.clone();
        let charged = money.iter().find(|(_, moved)| **moved == (1, 0)).unwrap().0;
        books.money.as_mut().unwrap().insert(charged.clone(), (2, 0));
        assert!(!broken(&books, &notes.said()).is_empty(), "nobody found money taken twice");
    }
}

/// Whatever goes wrong with goods, books, seats, tickets and points is found, too.
fn what_is_wrong_in_the_shops_is_found(books: &Books, notes: &Notes) {
    let shops = &books.shops;
    let bookings = || shops.bookings.values();
    let seated = bookings().find(|booking| booking.status() == BookingStatus::Completed).unwrap();
    let id = &seated.booking_id;
    let received = shops.orders.values().find(|order| order.status() == GoodsStatus::Received).unwrap();
    let bought = shops.purchases.values().find(|it| it.status() == PurchaseStatus::Purchased).unwrap();
    let lent = shops.reservations.values().find(|it| it.status() == ReservationStatus::Confirmed).unwrap();
    let wrongs: [(&str, Wrong<'_>); 12] = [
        ("goods that are gone", &|books| *books.shops.on_hand.values_mut().next().unwrap() -= 1),
        ("an order of goods that is gone", &|books| drop(books.shops.orders.remove(&received.order_id))),
        ("goods that nobody brought", &|books| drop(books.shops.deliveries.remove(&received.order_id))),
        ("a purchase that is gone", &|books| drop(books.shops.purchases.remove(&bought.purchase_id))),
        ("a reservation that is gone", &|books| drop(books.shops.reservations.remove(&lent.reservation_id))),
        ("a shelf that lending sees wrongly", &|books| *books.shops.shelves.values_mut().next().unwrap() += 1),
        ("a booking that is gone", &|books| drop(books.shops.bookings.remove(id))),
        ("a seat that two have", &|books| {
            let other = Booking { booking_id: "again".into(), ..seated.clone() };
            books.shops.bookings.insert("again".into(), other);
        }),
        ("a seat that is free", &|books| {
            let seat = (seated.screening_id.clone(), seated.seats[0].clone());
            books.shops.seats.remove(&seat);
        }),
        ("a ticket that is gone", &|books| drop(books.shops.tickets.remove(id))),
        ("points too many", &|books| *books.shops.points.get_mut(&seated.customer).unwrap() += 100),
        ("a trace that stayed behind", &|books| {
            books.shops.traces.insert(("booking".into(), id.clone()), "CONFIRMED".into());
        }),
    ];
    for (what, wrong) in wrongs {
        let mut books = books.clone();
        wrong(&mut books);
        assert!(!broken(&books, &notes.said()).is_empty(), "nobody found {what}");
    }
}
