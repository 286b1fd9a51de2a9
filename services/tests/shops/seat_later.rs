//! The cinema where seats are chosen after the payment.

use std::time::Duration;

use highstreet::ContextName;
use highstreet::config::ShopArgs;
use highstreet_wire::proto::booking::{Booking, BookingStatus, CancelReason};
use highstreet_wire::proto::payment::PaymentStatus;
use highstreet_wire::proto::seating::SeatStatus;
use highstreet_wire::proto::ticketing::TicketStatus;
use tonic::Code;
use tonic_types::StatusExt;

use crate::common::{eventually, reason, stories};
use crate::house::{Cinema, any_seats, precondition, refusal, seats};

stories![
    seatlater_a1_reserved_paid_and_seated,
    seatlater_a2_cancelled_in_causal_order,
    seatlater_a3_a_seat_that_cannot_be_had,
    seatlater_a4_the_ticket_comes_when_ticketing_is_back,
    seatlater_a5_a_cancellation_waits_for_ticketing,
    seatlater_a6_paid_and_never_seated,
    a_reservation_never_paid_expires,
    seatlater_f3_payment_is_asked_when_its_event_has_not_arrived,
    seatlater_n4_customers_are_held_off_while_payment_is_overloaded
];

async fn paid(cinema: &Cinema, quantity: i32) -> Booking {
    let booking = cinema.book(any_seats(quantity)).await.unwrap();
    assert_eq!(cinema.pay(&booking).await.unwrap().status(), PaymentStatus::Approved);
    cinema.becomes(&booking, BookingStatus::Paid).await
}

/// SEATLATER-A1, and on the way SEATLATER-F1 (reserving), SEATLATER-F2 (paying), SEATLATER-F3 (picking seats) and
/// SEATLATER-F4 (a ticket).
#[tokio::test]
async fn seatlater_a1_reserved_paid_and_seated() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(any_seats(2)).await.unwrap();
    assert_eq!((booking.status(), booking.quantity), (BookingStatus::Reserved, 2));
    assert!(booking.seats.is_empty() && booking.pay_by.is_some());
    assert_eq!(cinema.payment(&booking).await.unwrap().status(), PaymentStatus::Requested);

    assert_eq!(cinema.pay(&booking).await.unwrap().status(), PaymentStatus::Approved);
    let paid = cinema.becomes(&booking, BookingStatus::Paid).await;
    assert!(paid.seat_by.is_some());
    assert!(cinema.ticket(&booking).await.is_none());

    let confirmed = cinema.select(&booking, &["3C", "3D"]).await.unwrap();
    assert_eq!((confirmed.status(), confirmed.seats.len()), (BookingStatus::Confirmed, 2));
    assert_eq!(cinema.issued(&booking).await.seats, ["3C", "3D"]);
    let again = cinema.select(&booking, &["3D", "3C"]).await.unwrap();
    assert_eq!(again.status(), BookingStatus::Confirmed, "the same seats again");
    assert_eq!(refusal(cinema.select(&booking, &["4A", "4B"]).await), precondition("BOOKING_ALREADY_CONFIRMED"));
    assert_eq!(cinema.money_moved(), (1, 0));
}

/// SEATLATER-A2, and with it SEATLATER-F5 (cancelling), SEATLATER-F6 (the payment), SEATLATER-F7 (the seats),
/// SEATLATER-F8 (the ticket), SEATLATER-N2 (the ticket first) and SEATLATER-X2 (no new payment).
#[tokio::test]
async fn seatlater_a2_cancelled_in_causal_order() {
    let cinema = Cinema::open().await;
    let booking = paid(&cinema, 1).await;
    cinema.select(&booking, &["1A"]).await.unwrap();
    cinema.issued(&booking).await;
    let cancelled = cinema.cancel(&booking).await.unwrap();
    assert_eq!(cancelled.status(), BookingStatus::Cancelled);
    cinema.all_free().await;
    let payment = cinema.payment(&booking).await.unwrap();
    let ticket = cinema.ticket(&booking).await.unwrap();
    assert_eq!((payment.status(), ticket.status()), (PaymentStatus::Cancelled, TicketStatus::Cancelled));
    let refunded = cinema.refunded(&booking).await;

    let micros = |time: Option<prost_types::Timestamp>| time.map(|time| (time.seconds, time.nanos)).unwrap();
    let released = cinema.screening().await.unwrap().update_time;
    let order = [ticket.update_time, cancelled.update_time, released].map(micros);
    assert!(order.is_sorted(), "ticket, booking, seat: {order:?}");
    let order = [cancelled.update_time, refunded.update_time].map(micros);
    assert!(order.is_sorted(), "booking, payment: {order:?}");
    assert_eq!((cinema.all_payments().await.len(), cinema.money_moved()), (1, (1, 1)));
    assert_eq!(cinema.cancel_ticket(&ticket).await.unwrap().status(), TicketStatus::Cancelled, "twice is no error");
}

/// SEATLATER-A3, SEATLATER-N1 (seating is asked), SEATLATER-X3 (and its answer counts).
#[tokio::test]
async fn seatlater_a3_a_seat_that_cannot_be_had() {
    let mut cinema = Cinema::open().await;
    cinema.book(seats(&["1A"])).await.unwrap();
    let booking = paid(&cinema, 1).await;
    assert_eq!(refusal(cinema.select(&booking, &["1A"]).await), precondition("SEAT_TAKEN"));
    assert_eq!(cinema.get(&booking).await.unwrap().status(), BookingStatus::Paid);
    assert_eq!(refusal(cinema.select(&booking, &["99Z"]).await), (Code::InvalidArgument, "NO_SUCH_SEAT".into()));
    let two = cinema.select(&booking, &["1B", "1C"]).await;
    assert_eq!(refusal(two), (Code::InvalidArgument, "WRONG_NUMBER_OF_SEATS".into()));

    cinema.stop(ContextName::Seating).await;
    let refused = cinema.select(&booking, &["1B"]).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "SEATING_UNAVAILABLE"));
    assert!(refused.message().starts_with("seating "), "{refused:?}");
    assert!(refused.get_details_retry_info().is_some());
    assert_eq!(cinema.get(&booking).await.unwrap().status(), BookingStatus::Paid);
    cinema.start(ContextName::Seating).await;
    assert_eq!(cinema.get(&booking).await.unwrap().status(), BookingStatus::Paid);
    assert!(cinema.ticket(&booking).await.is_none());
    assert_eq!(cinema.select(&booking, &["1B"]).await.unwrap().status(), BookingStatus::Confirmed);
    let assigned = ["1A", "1B"].map(|name| (name.to_owned(), SeatStatus::Assigned));
    assert_eq!(cinema.occupied().await, assigned);
}

/// SEATLATER-A4, SEATLATER-N3: with ticketing away, everything but the ticket happens; that comes once.
#[tokio::test]
async fn seatlater_a4_the_ticket_comes_when_ticketing_is_back() {
    let mut cinema = Cinema::open().await;
    cinema.stop(ContextName::Ticketing).await;
    let booking = paid(&cinema, 1).await;
    assert_eq!(cinema.select(&booking, &["1A"]).await.unwrap().status(), BookingStatus::Confirmed);
    cinema.start(ContextName::Ticketing).await;
    cinema.issued(&booking).await;
    assert_eq!(cinema.all_tickets().await.len(), 1);
}

/// SEATLATER-A5, SEATLATER-N2 (the payment waits for the ticket), SEATLATER-X1 (the fallback runs).
#[tokio::test]
async fn seatlater_a5_a_cancellation_waits_for_ticketing() {
    let mut cinema = Cinema::open().await;
    let booking = paid(&cinema, 1).await;
    cinema.select(&booking, &["1A"]).await.unwrap();
    cinema.issued(&booking).await;
    cinema.stop(ContextName::Ticketing).await;
    assert_eq!(cinema.cancel(&booking).await.unwrap().status(), BookingStatus::CancellationPending);
    assert_eq!(cinema.cancel(&booking).await.unwrap().status(), BookingStatus::CancellationPending);
    assert_eq!(cinema.payment(&booking).await.unwrap().status(), PaymentStatus::Approved);
    assert_eq!(cinema.occupied().await, [("1A".to_owned(), SeatStatus::Assigned)]);

    cinema.start(ContextName::Ticketing).await;
    cinema.becomes(&booking, BookingStatus::Cancelled).await;
    assert_eq!(cinema.ticket(&booking).await.unwrap().status(), TicketStatus::Cancelled);
    cinema.refunded(&booking).await;
    cinema.all_free().await;
    assert_eq!(cinema.money_moved(), (1, 1));
}

/// SEATLATER-A6: paid, and no seat chosen in time.
#[tokio::test]
async fn seatlater_a6_paid_and_never_seated() {
    let cinema = Cinema::with(ShopArgs { select_within: Duration::from_millis(300), ..ShopArgs::standard() }).await;
    let booking = cinema.book(any_seats(1)).await.unwrap();
    cinema.pay(&booking).await.unwrap();
    let expired = cinema.becomes(&booking, BookingStatus::Cancelled).await;
    assert_eq!(expired.cancel_reason(), CancelReason::Expired);
    assert_eq!(cinema.refunded(&booking).await.cancel_reason, "EXPIRED");
    assert_eq!(refusal(cinema.select(&booking, &["1A"]).await), precondition("ALREADY_CANCELLED"));
    assert_eq!((cinema.money_moved(), cinema.all_tickets().await.len()), ((1, 1), 0));
}

/// SEATLATER-F2: reserved, and not paid in time.
#[tokio::test]
async fn a_reservation_never_paid_expires() {
    let cinema = Cinema::with(ShopArgs { pay_within: Duration::from_millis(300), ..ShopArgs::standard() }).await;
    let booking = cinema.book(any_seats(1)).await.unwrap();
    let expired = cinema.becomes(&booking, BookingStatus::Cancelled).await;
    assert_eq!(expired.cancel_reason(), CancelReason::Expired);
    let cancelled = || async { cinema.payment(&booking).await.filter(|it| it.status() == PaymentStatus::Cancelled) };
    eventually("its payment is cancelled", cancelled).await;
    assert_eq!(refusal(cinema.pay(&booking).await), precondition("ALREADY_CANCELLED"));
    assert_eq!(cinema.money_moved(), (0, 0));
}

/// SEATLATER-F3: who has not paid gets no seat; who has just paid does, whether booking has heard of it or not.
#[tokio::test]
async fn seatlater_f3_payment_is_asked_when_its_event_has_not_arrived() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(any_seats(1)).await.unwrap();
    assert_eq!(refusal(cinema.select(&booking, &["1A"]).await), precondition("NOT_PAID"));
    assert_eq!(cinema.get(&booking).await.unwrap().status(), BookingStatus::Reserved);
    cinema.pay(&booking).await.unwrap();
    assert_eq!(cinema.select(&booking, &["1A"]).await.unwrap().status(), BookingStatus::Confirmed);
}

/// SEATLATER-N4: while payment does not answer customers are told at once to come back, and nothing is reserved.
#[tokio::test]
async fn seatlater_n4_customers_are_held_off_while_payment_is_overloaded() {
    let mut cinema = Cinema::open().await;
    cinema.stop(ContextName::Payment).await;
    for _ in 0..20 {
        let refused = cinema.book(any_seats(1)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.get_details_retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
    }
    cinema.start(ContextName::Payment).await;
    eventually("reservations go through again", || async { cinema.book(any_seats(1)).await.ok() }).await;
    assert_eq!(cinema.all_bookings().await.len(), 1);
}
