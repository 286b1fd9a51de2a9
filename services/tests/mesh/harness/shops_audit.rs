//! What must hold in the store, the library and the cinema once nothing changes any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use highstreet_wire::proto::booking::{Booking, BookingStatus};
use highstreet_wire::proto::delivery::{Delivery, DeliveryStatus};
use highstreet_wire::proto::lending::ReservationStatus;
use highstreet_wire::proto::payment::{Payment, PaymentStatus};
use highstreet_wire::proto::replenishment::OrderStatus;
use highstreet_wire::proto::sales::PurchaseStatus;
use highstreet_wire::proto::seating::SeatStatus;
use highstreet_wire::proto::ticketing::{Ticket, TicketStatus};

use super::notes::Said;
use super::shops::Shops;
use super::{LIBRARY, STORE};

const POINTS: i64 = 100;

/// Everything that does not hold.
pub(super) fn broken(shops: &Shops, said: &Said) -> Vec<String> {
    let mut broken = goods_that_do_not_add_up(shops);
    broken.extend(orders_without_their_delivery(shops));
    broken.extend(books_that_do_not_add_up(shops, said));
    broken.extend(shops.bookings.values().filter_map(|booking| disagreement(shops, booking)));
    broken.extend(seats_without_a_holder(shops));
    broken.extend(points_without_a_ticket(shops));
    broken.extend(made_for_no_booking(shops));
    broken.extend(answers_that_are_not_kept(shops, said));
    broken.extend(traces_that_stayed_behind(shops));
    broken
}

// === The store ===

/// Nothing is sold that was not received: what is there is what came, without what was bought.
fn goods_that_do_not_add_up(shops: &Shops) -> Vec<String> {
    let mut right = BTreeMap::<_, i64>::new();
    for order in shops.orders.values().filter(|order| order.status() == OrderStatus::Received) {
        *right.entry(order.sku.as_str()).or_default() += i64::from(order.quantity);
    }
    for purchase in shops.purchases.values().filter(|it| it.status() == PurchaseStatus::Purchased) {
        *right.entry(purchase.sku.as_str()).or_default() -= i64::from(purchase.quantity);
    }
    let on_hand = |sku: &str| shops.on_hand.get(&(STORE, sku.to_owned())).copied().unwrap_or_default();
    let differ = right.iter().filter(|(sku, right)| **right != on_hand(sku) || **right < 0);
    differ.map(|(sku, right)| format!("of {sku} there are {}, and should be {right}", on_hand(sku))).collect()
}

fn orders_without_their_delivery(shops: &Shops) -> Vec<String> {
    let agrees = |order_id: &str, status| {
        let deliveries = shops.deliveries.get(order_id).map(Vec::as_slice).unwrap_or_default();
        matches!(
            (status, deliveries.iter().map(Delivery::status).collect::<Vec<_>>().as_slice()),
            (OrderStatus::Placed, [DeliveryStatus::Preparing])
                | (OrderStatus::Received, [DeliveryStatus::Shipped])
                | (OrderStatus::Cancelled, [] | [DeliveryStatus::Cancelled])
        )
    };
    let wrong = shops.orders.iter().filter(|(id, order)| !agrees(id, order.status()));
    wrong.map(|(id, order)| format!("{order:?} has deliveries {:?}", shops.deliveries.get(id))).collect()
}

// === The library ===

/// One copy each for who has one, the others on the shelf, and nobody waits.
fn books_that_do_not_add_up(shops: &Shops, said: &Said) -> Vec<String> {
    let mut broken = Vec::new();
    let mut lent = BTreeMap::<&str, i64>::new();
    for reservation in shops.reservations.values() {
        match reservation.status() {
            ReservationStatus::Confirmed => *lent.entry(&reservation.book_id).or_default() += 1,
            ReservationStatus::Failed | ReservationStatus::Cancelled => {}
            status => broken.push(format!("{} is {status:?}", reservation.reservation_id)),
        }
    }
    let books: BTreeSet<&str> = lent.keys().copied().chain(said.copies.keys().map(String::as_str)).collect();
    for book in books {
        let (wanted, certain) = said.copies.get(book).copied().unwrap_or_default();
        let there = shops.on_hand.get(&(LIBRARY, book.to_owned())).copied().unwrap_or_default();
        let lent = lent.get(book).copied().unwrap_or_default();
        // What was to be received and was not answered may have been.
        if there < 0 || !(certain..=wanted).contains(&(there + lent)) {
            broken.push(format!("of {book} {certain} to {wanted} came, {there} are there and {lent} lent"));
        }
        if shops.shelves.get(book).is_some_and(|shown| *shown != there) {
            broken.push(format!("lending shows {:?} of {book}, and there are {there}", shops.shelves.get(book)));
        }
    }
    broken
}

// === The cinema ===

/// What of one booking does not agree with it.
fn disagreement(shops: &Shops, booking: &Booking) -> Option<String> {
    let payments = shops.payments.get(&booking.booking_id).map(Vec::as_slice).unwrap_or_default();
    let tickets = shops.tickets.get(&booking.booking_id).map(Vec::as_slice).unwrap_or_default();
    let paid = matches!(payments, [payment] if pays(booking, payment));
    let admitted = match (booking.status(), tickets) {
        (BookingStatus::Confirmed, [ticket]) => admits(booking, ticket, TicketStatus::Issued),
        (BookingStatus::Completed, [ticket]) => admits(booking, ticket, TicketStatus::Collected),
        (BookingStatus::Cancelled, [ticket]) => ticket.status() == TicketStatus::Cancelled,
        (BookingStatus::Confirmed | BookingStatus::Completed, _) => false,
        (_, tickets) => tickets.is_empty(),
    };
    (!paid || !admitted).then(|| format!("{booking:?} has payments {payments:?} and tickets {tickets:?}"))
}

/// Whether the payment is as its booking says; none is being cancelled any more.
fn pays(booking: &Booking, payment: &Payment) -> bool {
    let stands = match booking.status() {
        BookingStatus::Reserved => payment.status() == PaymentStatus::Requested,
        BookingStatus::Paid | BookingStatus::Confirmed | BookingStatus::Completed => {
            payment.status() == PaymentStatus::Approved && !payment.refunded
        }
        BookingStatus::Cancelled | BookingStatus::Failed => payment.status() == PaymentStatus::Cancelled,
        BookingStatus::CancellationPending | BookingStatus::Pending | BookingStatus::Unspecified => false,
    };
    stands && payment.amount == booking.total_price && payment.payment_id == booking.payment_id
}

fn admits(booking: &Booking, ticket: &Ticket, status: TicketStatus) -> bool {
    ticket.status() == status && ticket.seats == booking.seats && ticket.ticket_id == booking.ticket_id
}

/// A seat has one holder, every booking that stands has its seats, and no seat is kept for nobody.
fn seats_without_a_holder(shops: &Shops) -> Vec<String> {
    let mut holders = BTreeMap::<_, Vec<&str>>::new();
    let stands = |booking: &&Booking| matches!(booking.status(), BookingStatus::Confirmed | BookingStatus::Completed);
    for booking in shops.bookings.values().filter(stands) {
        for seat in &booking.seats {
            let seat = (booking.screening_id.clone(), seat.clone());
            holders.entry(seat).or_default().push(&booking.booking_id);
        }
    }
    let held = holders
        .iter()
        .filter(|(seat, holders)| holders.len() > 1 || shops.seats.get(*seat).copied() != Some(SeatStatus::Assigned));
    let held = held.map(|(seat, holders)| format!("{seat:?} is {:?}, of {holders:?}", shops.seats.get(seat)));
    let kept = shops.seats.iter().filter(|(seat, _)| !holders.contains_key(*seat));
    held.chain(kept.map(|(seat, status)| format!("{seat:?} is {status:?}, of nobody"))).collect()
}

fn points_without_a_ticket(shops: &Shops) -> Vec<String> {
    let collected = |customer: &str| {
        let tickets = shops.tickets.values().flatten().filter(|it| it.status() == TicketStatus::Collected);
        i64::try_from(tickets.filter(|ticket| ticket.customer == customer).count()).unwrap()
    };
    let differ = shops.points.iter().filter(|(customer, points)| **points != POINTS * collected(customer));
    differ.map(|(it, points)| format!("{it} collected {} tickets and has {points} points", collected(it))).collect()
}

fn made_for_no_booking(shops: &Shops) -> Vec<String> {
    let lost = |id: &&String| !shops.bookings.contains_key(*id);
    let paid = shops.payments.iter().filter(|(id, _)| lost(id)).flat_map(|(_, payments)| payments);
    let paid = paid.filter(|it| it.status() != PaymentStatus::Cancelled);
    let issued = shops.tickets.iter().filter(|(id, _)| lost(id)).flat_map(|(_, tickets)| tickets);
    let of_none = |what: &dyn Debug| format!("{what:?} has no booking");
    paid.map(|it| of_none(it)).chain(issued.map(|it| of_none(it))).collect()
}

// === All of them ===

/// What each of them is, and by what its request is told from all others by.
fn cases(shops: &Shops) -> BTreeMap<(&'static str, &str), (&'static str, String)> {
    let orders = shops.orders.values().map(|it| {
        let status = it.status().as_str_name().trim_start_matches("ORDER_STATUS_");
        (("replenishment", it.order_id.as_str()), (status, it.product_name.clone()))
    });
    let purchases = shops.purchases.values().map(|it| {
        let status = it.status().as_str_name().trim_start_matches("PURCHASE_STATUS_");
        (("sales", it.purchase_id.as_str()), (status, it.customer_name.clone()))
    });
    let reservations = shops.reservations.values().map(|it| {
        let status = it.status().as_str_name().trim_start_matches("RESERVATION_STATUS_");
        (("lending", it.reservation_id.as_str()), (status, it.user_id.clone()))
    });
    let bookings = shops.bookings.values().map(|it| {
        let status = it.status().as_str_name().trim_start_matches("BOOKING_STATUS_");
        let price = it.total_price.as_ref().map(|price| price.units).unwrap_or_default();
        (("booking", it.booking_id.as_str()), (status, price.to_string()))
    });
    orders.chain(purchases).chain(reservations).chain(bookings).collect()
}

/// Everything that was answered is there, and no request led to two that came about: whoever repeats one whose booking
/// failed once it was paid, and was paid back, books anew.
fn answers_that_are_not_kept(shops: &Shops, said: &Said) -> Vec<String> {
    let cases = cases(shops);
    let mut broken = Vec::new();
    let mut marks = BTreeMap::new();
    let paid_back = |context: &str, status: &str| (context, status) == ("booking", "FAILED");
    for ((context, id), (status, mark)) in
        cases.iter().filter(|((context, _), (status, _))| !paid_back(context, status))
    {
        if let Some(other) = marks.insert((*context, mark), *id) {
            broken.push(format!("{mark} led to {context} {other} and {id}, which is {status}"));
        }
    }
    for (mark, answered) in &said.cases {
        let found = cases.get(&(answered.context, answered.id.as_str()));
        if found.is_none_or(|(_, of)| of != mark) {
            broken.push(format!("{answered:?} was answered for {mark}, and is {found:?}"));
        }
    }
    for ((context, id), ended) in &said.ended {
        let status = cases.get(&(*context, id.as_str())).map(|(status, _)| *status);
        if status != Some(*ended) {
            broken.push(format!("{context} {id} was answered as {ended}, and is {status:?}"));
        }
    }
    for id in &said.paid {
        let payment = shops.payments.get(id).and_then(|payments| payments.first());
        if !payment.is_some_and(|it| it.status() == PaymentStatus::Approved || it.refunded) {
            broken.push(format!("booking {id} was answered as paid: {payment:?}"));
        }
    }
    broken
}

fn traces_that_stayed_behind(shops: &Shops) -> Vec<String> {
    let cases = cases(shops);
    let trace = |context: &str, id: &str| shops.traces.get(&(context.to_owned(), id.to_owned()));
    let behind =
        cases.iter().filter(|((context, id), (status, _))| trace(context, id).is_none_or(|traced| traced != status));
    let told = behind.map(|((context, id), (status, _))| {
        format!("{context} {id} is {status}, and its trace {:?}", trace(context, id))
    });
    told.collect()
}
