//! An evening at the other cinema: reserved first, paid later, seated last; a seat that somebody else has; and a
//! cancellation that takes everything back, the ticket first.

use highstreet_wire::proto::booking::{BookingStatus, CreateBookingRequest};

use super::house::House;
use super::visitor::{Played, expect, expect_refusal, fresh_phone};
use super::{errands, tell};
use crate::client::Channel;

/// What reserving, paying and choosing seats lead to.
const SEATED: [&str; 7] = [
    "PaymentRequested",
    "BookingReserved",
    "PaymentApproved",
    "BookingPaid",
    "SeatsAssigned",
    "BookingConfirmed",
    "TicketIssued",
];
/// What a cancellation leads to after that.
const UNDONE: [&str; 6] = [
    "BookingCancellationRequested",
    "TicketCancelled",
    "BookingCancelled",
    "PaymentCancelled",
    "PaymentRefunded",
    "SeatsReleased",
];

pub(super) async fn play(channel: Channel) -> Played {
    tell::story("Cinema: seats after the payment");
    tell::chapter("Reserved, paid, and a seat that somebody else has");
    let mut house = House::open(channel).await?;
    let juno = CreateBookingRequest { customer: fresh_phone(), ..house.wish(&["1A"], 0) };
    let status = house.book(juno).await?.status();
    tell::call("another", "CreateBooking 1A", tell::name(status.as_str_name()));
    house.draw("Before", &["1A"]).await?;

    let booking = house.book(house.wish(&[], 2)).await?;
    tell::call("customer", "CreateBooking, two seats", tell::name(booking.status().as_str_name()));
    expect("the booking", &booking.status(), &BookingStatus::Reserved)?;
    house.visitor.hear(&booking.booking_id, "BookingReserved").await?;
    let answer = house.select(&booking, &["1B", "1C"]).await;
    expect_refusal("customer", "SelectSeats 1B 1C, unpaid", answer, "NOT_PAID")?;
    errands::pay(&house.visitor, &booking.payment_id).await?;
    house.visitor.hear(&booking.booking_id, "BookingPaid").await?;
    let answer = house.select(&booking, &["1A", "1B"]).await;
    expect_refusal("customer", "SelectSeats 1A 1B", answer, "SEAT_TAKEN")?;

    tell::chapter("Other seats, and a ticket");
    let booking = house.select(&booking, &["1B", "1C"]).await?;
    tell::call("customer", "SelectSeats 1B 1C", tell::name(booking.status().as_str_name()));
    expect("the booking", &booking.status(), &BookingStatus::Confirmed)?;
    house.visitor.hear(&booking.booking_id, "TicketIssued").await?;
    house.draw("After", &["1A", "1B", "1C"]).await?;
    house.ticket(&booking).await?;

    tell::chapter("Called off: the ticket first, then the booking, then payment and seats");
    house.cancel(&booking).await?;
    let events = [&SEATED[..], &UNDONE].concat();
    house.visitor.conclude(&booking.booking_id, "CANCELLED", &events).await?;
    house.draw("After that", &["1A"]).await?;
    house.count_points(0).await?;
    let told = ["BookingReserved", "BookingPaid", "BookingConfirmed", "BookingCancelled"];
    house.visitor.read_messages("customer", &house.customer, &told).await
}
