//! Bookings with a past.

use highstreet_domain::booking::{Ask, Billed, CancelReason, Event, FailReason, Taken};
use highstreet_domain::kernel::{Seats, Timestamp};

use super::cinema::{HALF_HOUR, booking_details, movie, seats};
use super::{note, now};

pub(crate) fn pair() -> Seats {
    seats(&["1A", "2B"])
}

pub(crate) fn others() -> Seats {
    seats(&["3C", "3D"])
}

pub(crate) fn payment() -> String {
    "p".into()
}

pub(crate) fn seat_by() -> Timestamp {
    now().after(HALF_HOUR)
}

pub(crate) fn billed() -> Billed {
    Billed::Yes { payment: payment() }
}

pub(crate) fn failed(reason: FailReason, billed: Billed, taken: Taken) -> Event {
    Event::Failed { reason, billed, taken }
}

pub(crate) fn requested(reason: CancelReason) -> Event {
    Event::CancellationRequested { reason, note: note("") }
}

pub(crate) fn ask(seats: Seats, number: u32) -> Event {
    Event::SeatsAsked(Ask { seats, number })
}

/// A booking with seats, after so many of the steps on its way.
pub(crate) fn making(steps: usize) -> Vec<Event> {
    let way = [
        Event::Submitted(booking_details(Some(pair()))),
        Event::SeatsHeld,
        Event::PaymentRequested { payment: payment() },
        Event::HoldRenewed,
        Event::PaymentMade,
        Event::Confirmed { seats: pair(), movie: movie() },
    ];
    way[..=steps].to_vec()
}

pub(crate) fn confirmed() -> Vec<Event> {
    making(5)
}

pub(crate) fn reserving() -> Vec<Event> {
    vec![Event::Submitted(booking_details(None))]
}

pub(crate) fn reserved() -> Vec<Event> {
    [reserving(), vec![Event::Reserved { payment: payment() }]].concat()
}

pub(crate) fn paid() -> Vec<Event> {
    [reserved(), vec![Event::Paid { seat_by: seat_by() }]].concat()
}

pub(crate) fn selecting() -> Vec<Event> {
    [paid(), vec![ask(pair(), 1)]].concat()
}

pub(crate) fn asking() -> Vec<Event> {
    [reserved(), vec![ask(pair(), 1)]].concat()
}

pub(crate) fn cancelling() -> Vec<Event> {
    [confirmed(), vec![requested(CancelReason::Customer)]].concat()
}
