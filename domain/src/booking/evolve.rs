//! What events make of a booking.

use super::booking::{Booked, Booking, Cancelling, Chosen, Details, Stage, Taken, TicketOf};
use super::language::Event;
use crate::kernel::Seats;

/// What `event` makes of a booking.
pub(super) fn evolve(booking: Booking, event: &Event) -> Booking {
    match (booking, event) {
        (_, Event::Submitted(details)) => match &details.seats {
            Some(seats) => Booking::Pending { details: details.clone(), seats: seats.clone(), stage: Stage::Holding },
            None => Booking::Reserving(details.clone()),
        },
        (Booking::Pending { details, seats, stage }, event) => made(details, seats, stage, event),
        (Booking::Reserving(details), Event::Reserved { payment }) => {
            let booked = Booked { details, payment: payment.clone(), asks: 0 };
            Booking::Reserved { booked, refused: None }
        }
        (Booking::Reserving(details), Event::Failed { reason, billed, taken }) => {
            Booking::Failed { details, reason: *reason, billed: billed.clone(), taken: *taken }
        }
        (Booking::Reserved { booked, .. }, Event::Paid { seat_by }) => {
            Booking::Paid { booked, seat_by: *seat_by, refused: None }
        }
        (Booking::Asking { booked, ask, .. }, Event::Paid { seat_by }) => {
            Booking::Asking { booked, ask, seat_by: Some(*seat_by) }
        }
        (Booking::Reserved { booked, .. } | Booking::Asking { booked, seat_by: None, .. }, Event::SeatsAsked(ask)) => {
            Booking::Asking { booked: Booked { asks: ask.number, ..booked }, ask: ask.clone(), seat_by: None }
        }
        (
            Booking::Paid { booked, seat_by, .. }
            | Booking::Selecting { booked, seat_by, .. }
            | Booking::Asking { booked, seat_by: Some(seat_by), .. },
            Event::SeatsAsked(ask),
        ) => Booking::Selecting { booked: Booked { asks: ask.number, ..booked }, ask: ask.clone(), seat_by },
        (Booking::Asking { booked, ask, seat_by: Some(seat_by) }, Event::SelectionBegun) => {
            Booking::Selecting { booked, ask, seat_by }
        }
        (Booking::Asking { booked, seat_by: None, .. }, Event::SelectionRefused(refusal)) => {
            Booking::Reserved { booked, refused: Some(*refusal) }
        }
        (Booking::Selecting { booked, seat_by, .. }, Event::SelectionRefused(refusal)) => {
            Booking::Paid { booked, seat_by, refused: Some(*refusal) }
        }
        (Booking::Asking { booked, seat_by: None, .. }, Event::SelectionGivenUp) => {
            Booking::Reserved { booked, refused: None }
        }
        (
            Booking::Asking { booked, seat_by: Some(seat_by), .. } | Booking::Selecting { booked, seat_by, .. },
            Event::SelectionGivenUp,
        ) => Booking::Paid { booked, seat_by, refused: None },
        (Booking::Selecting { booked, .. }, Event::Confirmed { seats, movie }) => {
            let chosen = Chosen { seats: seats.clone(), movie: movie.clone(), ticket: None };
            Booking::Confirmed(TicketOf { booked, chosen })
        }
        (booking, event) => ended(booking, event),
    }
}

/// A booking with seats on its way to its ticket.
fn made(details: Details, seats: Seats, stage: Stage, event: &Event) -> Booking {
    let stage = match (stage, event) {
        (Stage::Holding, Event::SeatsHeld) => Stage::Requesting,
        (_, Event::PaymentRequested { payment }) => Stage::Renewing { payment: payment.clone() },
        (Stage::Renewing { payment }, Event::HoldRenewed) => Stage::Paying { payment },
        (Stage::Paying { payment }, Event::PaymentMade) => Stage::Assigning { payment },
        (Stage::Assigning { payment }, Event::Confirmed { seats, movie }) => {
            let chosen = Chosen { seats: seats.clone(), movie: movie.clone(), ticket: None };
            return Booking::Confirmed(TicketOf { booked: Booked { details, payment, asks: 0 }, chosen });
        }
        (_, Event::Failed { reason, billed, taken }) => {
            return Booking::Failed { details, reason: *reason, billed: billed.clone(), taken: *taken };
        }
        // No history holds such a pair.
        (stage, _) => stage,
    };
    Booking::Pending { details, seats, stage }
}

/// A booking with its ticket, or on its way out.
fn ended(booking: Booking, event: &Event) -> Booking {
    match (booking, event) {
        (Booking::Confirmed(TicketOf { booked, chosen }), Event::TicketNoted { ticket }) => {
            Booking::Confirmed(TicketOf { booked, chosen: chosen.with(ticket) })
        }
        (
            Booking::Cancelling(Cancelling { chosen: Some(chosen), booked, taken, reason, note }),
            Event::TicketNoted { ticket },
        ) => {
            let chosen = Some(chosen.with(ticket));
            Booking::Cancelling(Cancelling { booked, chosen, taken, reason, note })
        }
        (
            Booking::Completed { ticket: TicketOf { booked, chosen }, cancelled_in_vain },
            Event::TicketNoted { ticket },
        ) => {
            let ticket = TicketOf { booked, chosen: chosen.with(ticket) };
            Booking::Completed { ticket, cancelled_in_vain }
        }
        (Booking::Confirmed(TicketOf { booked, chosen }), Event::Completed { ticket }) => {
            let ticket = TicketOf { booked, chosen: chosen.with(ticket) };
            Booking::Completed { ticket, cancelled_in_vain: false }
        }
        (Booking::Cancelling(Cancelling { booked, chosen: Some(chosen), .. }), Event::CancellationRefused) => {
            Booking::Completed { ticket: TicketOf { booked, chosen }, cancelled_in_vain: true }
        }
        (booking, Event::CancellationRequested { reason, note }) => {
            let Some(booked) = booking.booked().cloned() else { return booking };
            let unpaid = matches!(booking, Booking::Reserved { .. } | Booking::Asking { seat_by: None, .. });
            let taken = if unpaid { Taken::No } else { Taken::Yes };
            let chosen = booking.chosen().cloned();
            Booking::Cancelling(Cancelling { booked, chosen, taken, reason: *reason, note: note.clone() })
        }
        (Booking::Cancelling(cancelling), Event::Cancelled) => Booking::Cancelled(cancelling),
        // No history holds such a pair.
        (booking, _) => booking,
    }
}

impl Chosen {
    fn with(self, ticket: &str) -> Self {
        Self { ticket: Some(ticket.into()), ..self }
    }
}
