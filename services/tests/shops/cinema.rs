//! The cinema where seats are named at once.

use std::time::Duration;

use highstreet::ContextName;
use highstreet::config::ShopArgs;
use highstreet_provider::SimulatedOutage;
use highstreet_wire::proto::booking::{BookingStatus, CancelReason, CreateBookingRequest};
use highstreet_wire::proto::payment::{CancelPaymentRequest, PaymentStatus, cancel_payment_request};
use highstreet_wire::proto::seating::{HoldSeatsRequest, SeatStatus};
use highstreet_wire::proto::ticketing::TicketStatus;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::common::{eventually, reason, stories, won};
use crate::house::{Cinema, MINA, SCREENING, SHOP, precondition, refusal, seats};

stories![
    cinema_a1_booked_paid_and_with_a_ticket,
    cinema_a2_a_collected_ticket_earns_points_once,
    cinema_a3_cancelled_before_collection,
    cinema_x2_what_was_collected_stays,
    cinema_a4_no_booking_while_payment_is_away,
    no_booking_while_seating_is_away,
    cinema_a5_the_ticket_comes_when_ticketing_is_back,
    cinema_a6_no_collection_while_loyalty_is_away,
    cinema_n4_customers_are_held_off_while_payment_is_overloaded,
    a_declined_payment_leaves_nothing_behind,
    cinema_x6_a_hold_keeps_others_out_until_it_runs_out,
    a_ticket_cancelled_by_staff_takes_its_booking_along,
    a_bookings_payment_is_not_cancelled_alone,
    a_wrong_request_is_refused_whole
];

/// CINEMA-A1, and on the way CINEMA-F1 (film and seats), CINEMA-F2 (paying), CINEMA-F3 (a ticket is made), CINEMA-F8
/// (the customer sees the booking), CINEMA-N1 (a booking is paid for or does not exist) and CAP-19 (the brand).
#[tokio::test]
async fn cinema_a1_booked_paid_and_with_a_ticket() {
    let cinema = Cinema::with(ShopArgs { brand: "CGV".into(), ..ShopArgs::standard() }).await;
    let booking = cinema.book(seats(&["1A", "2B"])).await.unwrap();
    assert_eq!((booking.status(), booking.brand.as_str()), (BookingStatus::Confirmed, "CGV"));
    assert_eq!((booking.seats.as_slice(), booking.quantity), (["1A".to_owned(), "2B".to_owned()].as_slice(), 2));
    let payment = cinema.payment(&booking).await.unwrap();
    assert_eq!((payment.status(), payment.amount), (PaymentStatus::Approved, Some(won(10_000))));
    assert_eq!((payment.payer.as_str(), payment.payment_id), (MINA, booking.payment_id.clone()));
    let ticket = cinema.issued(&booking).await;
    assert_eq!((ticket.seats, ticket.movie_name.as_str()), (booking.seats.clone(), SCREENING));
    let assigned = [("1A".to_owned(), SeatStatus::Assigned), ("2B".to_owned(), SeatStatus::Assigned)];
    assert_eq!(cinema.occupied().await, assigned);
    eventually("the booking knows its ticket", || async {
        let listed = cinema.all_bookings().await;
        (listed.len() == 1 && listed[0].ticket_id == ticket.ticket_id).then_some(())
    })
    .await;
    assert_eq!(cinema.money_moved(), (1, 0));
}

/// CINEMA-A2, CINEMA-F4 (the ticket is collected), CINEMA-F5 (100 points), CINEMA-X4 (points are granted once).
#[tokio::test]
async fn cinema_a2_a_collected_ticket_earns_points_once() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A"])).await.unwrap();
    let ticket = cinema.issued(&booking).await;
    let collected = cinema.collect(&ticket).await.unwrap();
    assert_eq!((collected.status(), collected.customer.as_str()), (TicketStatus::Collected, MINA));
    assert_eq!(cinema.points().await.unwrap(), 100);
    cinema.becomes(&booking, BookingStatus::Completed).await;
    assert_eq!(refusal(cinema.collect(&ticket).await), precondition("TICKET_ALREADY_COLLECTED"));
    assert_eq!(refusal(cinema.cancel_ticket(&ticket).await), precondition("TICKET_ALREADY_COLLECTED"));
    assert_eq!(cinema.points().await.unwrap(), 100);
}

/// CINEMA-A3, CINEMA-F6 (cancelling before collection), CINEMA-F7 (the payment goes with the booking), CINEMA-X3 (a
/// cancellation makes no second payment), CINEMA-X5 (a cancelled ticket lets nobody in).
#[tokio::test]
async fn cinema_a3_cancelled_before_collection() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A", "2B"])).await.unwrap();
    let ticket = cinema.issued(&booking).await;
    let cancelled = cinema.cancel(&booking).await.unwrap();
    assert_eq!((cancelled.status(), cancelled.cancel_reason()), (BookingStatus::Cancelled, CancelReason::Customer));
    assert_eq!(cinema.ticket(&booking).await.unwrap().status(), TicketStatus::Cancelled);
    assert_eq!(cinema.refunded(&booking).await.status(), PaymentStatus::Cancelled);
    cinema.all_free().await;
    assert_eq!(refusal(cinema.collect(&ticket).await), precondition("TICKET_CANCELLED"));
    assert_eq!(cinema.points().await.unwrap(), 0);
    assert_eq!(cinema.cancel(&booking).await.unwrap().status(), BookingStatus::Cancelled, "twice is no error");
    assert_eq!((cinema.all_payments().await.len(), cinema.money_moved()), (1, (1, 1)));
    let again = cinema.book(seats(&["1A", "2B"])).await.unwrap();
    assert_eq!(again.status(), BookingStatus::Confirmed);
}

/// CINEMA-A3, CINEMA-X2: after collection a cancellation is refused aloud, and nothing goes away.
#[tokio::test]
async fn cinema_x2_what_was_collected_stays() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A"])).await.unwrap();
    let ticket = cinema.issued(&booking).await;
    cinema.collect(&ticket).await.unwrap();
    // Whether booking has heard of it or has to be told by ticketing.
    assert_eq!(refusal(cinema.cancel(&booking).await), precondition("BOOKING_ALREADY_COMPLETED"));
    cinema.becomes(&booking, BookingStatus::Completed).await;
    assert_eq!(refusal(cinema.cancel(&booking).await), precondition("BOOKING_ALREADY_COMPLETED"));
    assert_eq!(cinema.occupied().await, [("1A".to_owned(), SeatStatus::Assigned)]);
    assert_eq!((cinema.money_moved(), cinema.points().await.unwrap()), ((1, 0), 100));
}

/// CINEMA-A4, CINEMA-N1: no booking without its payment, and no seat kept.
#[tokio::test]
async fn cinema_a4_no_booking_while_payment_is_away() {
    let mut cinema = Cinema::open().await;
    cinema.stop(ContextName::Payment).await;
    let request = CreateBookingRequest { request_id: Uuid::now_v7().to_string(), ..seats(&["1A"]) };
    let refused = cinema.book(request.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "PAYMENT_UNAVAILABLE"));
    assert!(refused.get_details_retry_info().is_some());
    assert!(cinema.all_bookings().await.is_empty());
    cinema.all_free().await;

    cinema.start(ContextName::Payment).await;
    assert!(cinema.all_bookings().await.is_empty(), "what was refused does not come back");
    let booking = cinema.book(request).await.unwrap();
    assert_eq!(booking.status(), BookingStatus::Confirmed);
    assert_eq!((cinema.all_bookings().await.len(), cinema.money_moved()), (1, (1, 0)));
}

/// CINEMA-A4: with seating away there is no booking either, nor a payment.
#[tokio::test]
async fn no_booking_while_seating_is_away() {
    let mut cinema = Cinema::open().await;
    cinema.stop(ContextName::Seating).await;
    assert_eq!(refusal(cinema.book(seats(&["1A"])).await), (Code::Unavailable, "SEATING_UNAVAILABLE".into()));
    cinema.start(ContextName::Seating).await;
    assert!(cinema.all_bookings().await.is_empty() && cinema.all_payments().await.is_empty());
    assert_eq!(cinema.book(seats(&["1A"])).await.unwrap().status(), BookingStatus::Confirmed);
}

/// CINEMA-A5, CINEMA-N3: bookings are taken while ticketing is away; the ticket comes when it is back.
#[tokio::test]
async fn cinema_a5_the_ticket_comes_when_ticketing_is_back() {
    let mut cinema = Cinema::open().await;
    cinema.stop(ContextName::Ticketing).await;
    let booking = cinema.book(seats(&["1A"])).await.unwrap();
    assert_eq!(booking.status(), BookingStatus::Confirmed);
    cinema.start(ContextName::Ticketing).await;
    let ticket = cinema.issued(&booking).await;
    assert_eq!(cinema.collect(&ticket).await.unwrap().status(), TicketStatus::Collected);
    assert_eq!(cinema.all_tickets().await.len(), 1);
}

/// CINEMA-A6, CINEMA-N2 (no collection without points), CINEMA-X4 (granted once all the same).
#[tokio::test]
async fn cinema_a6_no_collection_while_loyalty_is_away() {
    let mut cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A"])).await.unwrap();
    let ticket = cinema.issued(&booking).await;
    cinema.stop(ContextName::Loyalty).await;
    assert_eq!(refusal(cinema.collect(&ticket).await), (Code::Unavailable, "LOYALTY_UNAVAILABLE".into()));
    assert_eq!(cinema.ticket(&booking).await.unwrap().status(), TicketStatus::Issued);
    assert_eq!(cinema.get(&booking).await.unwrap().status(), BookingStatus::Confirmed);

    cinema.start(ContextName::Loyalty).await;
    assert_eq!(cinema.collect(&ticket).await.unwrap().status(), TicketStatus::Collected);
    assert_eq!(cinema.points().await.unwrap(), 100);
    cinema.becomes(&booking, BookingStatus::Completed).await;
}

/// CINEMA-N4: while payment does not answer customers are told at once to come back; when it does, bookings go through
/// again by themselves.
#[tokio::test]
async fn cinema_n4_customers_are_held_off_while_payment_is_overloaded() {
    let mut cinema = Cinema::open().await;
    cinema.stop(ContextName::Payment).await;
    for row in 1..=10 {
        // A seat of one's own: what was held for a booking that failed is free a moment later only.
        let refused = cinema.book(seats(&[&format!("{row}B")])).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.get_details_retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
    }
    cinema.start(ContextName::Payment).await;
    eventually("bookings go through again", || async { cinema.book(seats(&["1A"])).await.ok() }).await;
    assert_eq!((cinema.all_bookings().await.len(), cinema.money_moved()), (1, (1, 0)));
}

/// CINEMA-F2: a declined payment leaves no booking and no seat kept, and the next one gets them.
#[tokio::test]
async fn a_declined_payment_leaves_nothing_behind() {
    let cinema = Cinema::with(ShopArgs { provider_decline_rate: 1.0, ..ShopArgs::standard() }).await;
    assert_eq!(refusal(cinema.book(seats(&["1A"])).await), precondition("PAYMENT_DECLINED"));
    cinema.all_free().await;
    assert!(cinema.all_bookings().await.is_empty());
    let cancelled = || async { cinema.all_payments().await.pop().filter(|it| it.status() == PaymentStatus::Cancelled) };
    assert_eq!(eventually("its payment is cancelled", cancelled).await.cancel_reason, "PAYMENT_DECLINED");
    assert_eq!(cinema.money_moved(), (0, 0));
}

/// A provider that is away leaves nothing behind either, under the same request id.
#[tokio::test]
async fn a_provider_that_is_away_is_an_outage() {
    let cinema = Cinema::open().await;
    let provider = cinema.platform().provider();
    provider.set_outage(SimulatedOutage::Refuses);
    let request = CreateBookingRequest { request_id: Uuid::now_v7().to_string(), ..seats(&["1A"]) };
    assert_eq!(refusal(cinema.book(request.clone()).await).0, Code::Unavailable);
    cinema.all_free().await;
    provider.set_outage(SimulatedOutage::None);
    let booking = cinema.book(request.clone()).await.unwrap();
    assert_eq!(cinema.book(request).await.unwrap().booking_id, booking.booking_id, "a repeat is the same booking");
    assert_eq!(cinema.money_moved(), (1, 0));
}

/// CINEMA-A4: while nobody knows whether the provider has taken the money there is no booking; what it took goes back.
#[tokio::test]
async fn a_provider_that_hangs_costs_nobody_anything() {
    let cinema = Cinema::open().await;
    let provider = cinema.platform().provider();
    provider.set_outage(SimulatedOutage::Hangs);
    assert_eq!(refusal(cinema.book(seats(&["1A"])).await).0, Code::Unavailable);
    assert!(cinema.all_bookings().await.is_empty());
    cinema.all_free().await;
    provider.set_outage(SimulatedOutage::None);
    let cancelled = || async { cinema.all_payments().await.pop().filter(|it| it.status() == PaymentStatus::Cancelled) };
    eventually("its payment is cancelled", cancelled).await;
    let settled = || async {
        let (charged, refunded) = cinema.money_moved();
        (charged == refunded).then_some(())
    };
    eventually("all of it has gone back", settled).await;
    assert_eq!(cinema.book(seats(&["1A"])).await.unwrap().status(), BookingStatus::Confirmed);
}

/// CINEMA-X6: seats that are kept for somebody cannot be had, and can once the hold has run out.
#[tokio::test]
async fn cinema_x6_a_hold_keeps_others_out_until_it_runs_out() {
    let cinema = Cinema::with(ShopArgs { hold_for: Duration::from_secs(1), ..ShopArgs::standard() }).await;
    let hold = HoldSeatsRequest {
        shop_id: cinema.shop(SHOP),
        screening_id: SCREENING.into(),
        booking_id: Uuid::now_v7().to_string(),
        seats: vec!["1A".into()],
        booking_revision: 1,
        ..Default::default()
    };
    cinema.seating().hold_seats(hold).await.unwrap();
    let refused = cinema.book(seats(&["1A", "1B"])).await;
    assert_eq!(refusal(refused), precondition("SEAT_TAKEN"));
    let held = cinema.occupied().await;
    assert!(held.iter().all(|(name, _)| name == "1A"), "{held:?}");
    let booking = eventually("the hold runs out", || async { cinema.book(seats(&["1A", "1B"])).await.ok() }).await;
    assert_eq!(booking.status(), BookingStatus::Confirmed);
    assert_eq!(cinema.all_payments().await.len(), 1, "who lost leaves no trace in payment");
}

/// A ticket that staff cancel takes its booking, the payment and the seats along.
#[tokio::test]
async fn a_ticket_cancelled_by_staff_takes_its_booking_along() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A"])).await.unwrap();
    let ticket = cinema.issued(&booking).await;
    assert_eq!(cinema.cancel_ticket(&ticket).await.unwrap().status(), TicketStatus::Cancelled);
    let cancelled = cinema.becomes(&booking, BookingStatus::Cancelled).await;
    assert_eq!(cancelled.cancel_reason(), CancelReason::TicketCancelled);
    cinema.refunded(&booking).await;
    cinema.all_free().await;
}

/// CINEMA-F7: a booking's payment is cancelled by cancelling the booking, not by itself.
#[tokio::test]
async fn a_bookings_payment_is_not_cancelled_alone() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A"])).await.unwrap();
    let target = Some(cancel_payment_request::Target::PaymentId(booking.payment_id.clone()));
    let refused = cinema.payments().cancel_payment(CancelPaymentRequest { target, ..Default::default() }).await;
    assert_eq!(refusal(refused), precondition("CANCEL_THE_ORDER"));
    assert_eq!(cinema.get(&booking).await.unwrap().status(), BookingStatus::Confirmed);
}

/// CINEMA-F1: everything that is wrong with a request is said at once; what the hall does not have is said by name.
#[tokio::test]
async fn a_wrong_request_is_refused_whole() {
    let cinema = Cinema::open().await;
    let wrong = CreateBookingRequest { customer: String::new(), total_price: None, ..seats(&["A1"]) };
    let refused = cinema.book(wrong).await.unwrap_err();
    let fields: Vec<_> = refused.get_details_bad_request().unwrap().field_violations;
    let mut fields: Vec<_> = fields.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    assert_eq!(fields, ["customer", "seats", "total_price"]);
    assert_eq!(refusal(cinema.book(seats(&["11A"])).await), (Code::InvalidArgument, "NO_SUCH_SEAT".into()));
    let miscounted = CreateBookingRequest { quantity: 2, ..seats(&["1A"]) };
    assert_eq!(refusal(cinema.book(miscounted).await), (Code::InvalidArgument, "WRONG_NUMBER_OF_SEATS".into()));
    assert_eq!(refusal(cinema.book(seats(&[])).await), (Code::InvalidArgument, "INVALID_REQUEST".into()));
    assert!(cinema.all_bookings().await.is_empty() && cinema.all_payments().await.is_empty());
}
