//! My page of a cinema's customer: a read model of everything that was told of a booking.

use highstreet::ContextName;
use highstreet_wire::proto::booking::Booking;
use highstreet_wire::proto::common::Reference;
use tonic::Code;

use crate::common::{eventually, reference, stories};
use crate::house::{Cinema, SHOP, any_seats, seats};

stories![
    cinema_n6_my_page_follows_every_change,
    cinema_n5_my_page_answers_with_every_source_away,
    seatlater_f9_my_page_is_current_after_each_step
];

fn page_of(booking: &Booking) -> Reference {
    reference("booking", &booking.booking_id)
}

/// The events that the customer was told of, oldest first.
async fn told(cinema: &Cinema, count: usize) -> Vec<String> {
    let mut messages = eventually("messages", || async {
        let messages = cinema.notifications(SHOP).await;
        (messages.len() >= count).then_some(messages)
    })
    .await;
    messages.reverse();
    messages.into_iter().map(|message| message.event).collect()
}

/// CINEMA-N6 (my page follows every change of status), and CINEMA-F8 (bookings, their status, and points), CINEMA-A2.
#[tokio::test]
async fn cinema_n6_my_page_follows_every_change() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A"])).await.unwrap();
    cinema.traced(&page_of(&booking), "CONFIRMED").await;
    let ticket = cinema.issued(&booking).await;
    cinema.collect(&ticket).await.unwrap();
    cinema.traced(&page_of(&booking), "COMPLETED").await;
    let events = [
        "SeatsHeld",
        "PaymentRequested",
        "PaymentApproved",
        "SeatsAssigned",
        "BookingConfirmed",
        "TicketIssued",
        "Earned",
        "TicketCollected",
        "BookingCompleted",
    ];
    let trace = eventually("everything on my page", || async {
        let trace = cinema.trace(&page_of(&booking)).await?;
        events.iter().all(|event| trace.steps.iter().any(|step| step.event == *event)).then_some(trace)
    })
    .await;
    assert!(trace.steps.iter().filter(|step| step.event == "Earned").count() == 1, "points once");
    assert_eq!(cinema.points().await.unwrap(), 100);
}

/// CINEMA-N5 and SEATLATER-N5: my page is a read model; it answers with every context away that it tells of.
#[tokio::test]
async fn cinema_n5_my_page_answers_with_every_source_away() {
    let mut cinema = Cinema::open().await;
    let booking = cinema.book(seats(&["1A", "1B"])).await.unwrap();
    let page = page_of(&booking);
    cinema.traced(&page, "CONFIRMED").await;
    eventually("the ticket on my page", || async {
        cinema.trace(&page).await.filter(|trace| trace.steps.iter().any(|step| step.event == "TicketIssued"))
    })
    .await;
    let away = [
        ContextName::Booking,
        ContextName::Payment,
        ContextName::Seating,
        ContextName::Ticketing,
        ContextName::Loyalty,
    ];
    for context in away {
        cinema.stop(context).await;
    }
    assert_eq!(cinema.get(&booking).await.unwrap_err().code(), Code::Unavailable);
    let trace = cinema.trace(&page).await.unwrap();
    assert_eq!((trace.status.as_str(), trace.shop_id), ("CONFIRMED", cinema.shop(SHOP)));
    for context in away {
        cinema.start(context).await;
    }
}

/// SEATLATER-F9 (progress on my page, current after each step of SEATLATER-A1), SEATLATER-N6 (one message for each).
#[tokio::test]
async fn seatlater_f9_my_page_is_current_after_each_step() {
    let cinema = Cinema::open().await;
    let booking = cinema.book(any_seats(1)).await.unwrap();
    let page = page_of(&booking);
    cinema.traced(&page, "RESERVED").await;
    cinema.pay(&booking).await.unwrap();
    cinema.traced(&page, "PAID").await;
    cinema.becomes(&booking, highstreet_wire::proto::booking::BookingStatus::Paid).await;
    cinema.select(&booking, &["2A"]).await.unwrap();
    cinema.traced(&page, "CONFIRMED").await;
    cinema.cancel(&booking).await.unwrap();
    cinema.traced(&page, "CANCELLED").await;
    let told = told(&cinema, 4).await;
    assert_eq!(told, ["BookingReserved", "BookingPaid", "BookingConfirmed", "BookingCancelled"]);
}
