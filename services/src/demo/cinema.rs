//! An evening at the cinema: seats, payment and ticket in one go, a seat that is taken, a cancellation that comes too
//! late, and one that does not.

use highstreet_wire::proto::booking::{Booking, BookingStatus, CreateBookingRequest};
use highstreet_wire::proto::ticketing::TicketStatus;

use super::house::House;
use super::tell;
use super::visitor::{Played, expect, expect_refusal, fresh_phone};
use crate::client::Channel;

/// What booking named seats leads to.
const BOOKED: [&str; 6] =
    ["SeatsHeld", "PaymentRequested", "PaymentApproved", "SeatsAssigned", "BookingConfirmed", "TicketIssued"];

pub(super) async fn play(channel: Channel) -> Played {
    tell::story("Cinema: seats first");
    tell::chapter("Two seats, a ticket, and a hundred points");
    let mut house = House::open(channel).await?;
    house.draw("Before", &[]).await?;
    let booking = book(&house, &["1A", "2B"]).await?;
    let ticket = house.ticket(&booking).await?;
    house.draw("After", &["1A", "2B"]).await?;
    let juno = CreateBookingRequest { customer: fresh_phone(), ..house.wish(&["1A"], 0) };
    expect_refusal("another", "CreateBooking 1A", house.book(juno).await, "SEAT_TAKEN")?;

    let status = house.collect(&ticket).await?.status();
    tell::call("customer", "CollectTicket", tell::name(status.as_str_name()));
    expect("the ticket", &status, &TicketStatus::Collected)?;
    let collected = ["TicketCollected", "Earned", "BookingCompleted"];
    house.visitor.conclude(&booking.booking_id, "COMPLETED", &[&BOOKED[..], &collected].concat()).await?;
    house.count_points(100).await?;
    let answer = house.call_off(&booking).await;
    expect_refusal("customer", "CancelBooking, too late", answer, "BOOKING_ALREADY_COMPLETED")?;

    tell::chapter("Two more, called off before the ticket is collected");
    let booking = book(&house, &["3C", "3D"]).await?;
    let ticket = house.ticket(&booking).await?;
    house.draw("Before the cancellation", &["1A", "2B", "3C", "3D"]).await?;
    house.cancel(&booking).await?;
    let undone = [
        ["BookingCancellationRequested", "TicketCancelled", "BookingCancelled"],
        ["PaymentCancelled", "PaymentRefunded", "SeatsReleased"],
    ];
    let events = [&BOOKED[..], &undone.concat()].concat();
    house.visitor.conclude(&booking.booking_id, "CANCELLED", &events).await?;
    house.draw("After it", &["1A", "2B"]).await?;
    expect_refusal("customer", "CollectTicket, all the same", house.collect(&ticket).await, "TICKET_CANCELLED")?;
    house.count_points(100).await?;
    let told = ["BookingConfirmed", "BookingCompleted", "BookingConfirmed", "BookingCancelled"];
    house.visitor.read_messages("customer", &house.customer, &told).await
}

async fn book(house: &House, seats: &[&str]) -> Played<Booking> {
    let booking = house.book(house.wish(seats, 0)).await?;
    let answer = format!("{} at {}", tell::name(booking.status().as_str_name()), booking.brand);
    tell::call("customer", &format!("CreateBooking {}", seats.join(" ")), &answer);
    expect("the booking", &booking.status(), &BookingStatus::Confirmed)?;
    Ok(booking)
}
