//! What booking tells, and what it hears.

use highstreet_domain::booking::{Billed, Booking, CONTEXT, CancelReason, Event, Fact, FailReason, Taken};
use highstreet_domain::kernel::{Happened, Id, Message, Published, Undecodable};

use crate::Hears;
use crate::convert::{
    body, header, heard_reference, heard_uuid, money, published, quantity, seat_names, timestamp, unknown,
};
use crate::proto::{booking, common, payment, ticketing};

/// What booking listens to.
pub const HEARS: Hears =
    &[("payment", &["PaymentApproved"]), ("ticketing", &["TicketIssued", "TicketCollected", "TicketCancelled"])];

/// How booking's events are told. A booking with seats is not told of before it is confirmed, unless it fails.
pub fn publish(happened: &Happened<'_, Booking>) -> Option<Published> {
    let Happened { id, state, event, .. } = happened;
    let details = state.details()?;
    let header = header(&state.case(*id)?, happened.revision, happened.origin);
    let (booking_id, screening_id) = (id.to_string(), details.screening.to_string());
    let (quantity, total_price) = (quantity(details.quantity), Some(money(&details.price)));
    let payment_id = state.booked().map(|booked| booked.payment.clone()).unwrap_or_default();
    let chosen = state.chosen();
    let seats = seat_names(chosen.map(|chosen| &chosen.seats));
    match event {
        Event::Reserved { .. } => {
            let pay_by = Some(timestamp(details.pay_by));
            let event = booking::BookingReserved {
                header,
                booking_id,
                screening_id,
                quantity,
                total_price,
                payment_id,
                pay_by,
            };
            published("BookingReserved", &event)
        }
        Event::Paid { seat_by } => {
            let seat_by = Some(timestamp(*seat_by));
            let event =
                booking::BookingPaid { header, booking_id, screening_id, quantity, total_price, payment_id, seat_by };
            published("BookingPaid", &event)
        }
        Event::Confirmed { movie, .. } => {
            let movie_name = movie.to_string();
            let event = booking::BookingConfirmed {
                header,
                booking_id,
                screening_id,
                seats,
                total_price,
                payment_id,
                movie_name,
            };
            published("BookingConfirmed", &event)
        }
        Event::Completed { .. } | Event::CancellationRefused => {
            let ticket_id = chosen.and_then(|chosen| chosen.ticket.clone()).unwrap_or_default();
            let event = booking::BookingCompleted {
                header,
                booking_id,
                screening_id,
                seats,
                total_price,
                payment_id,
                ticket_id,
            };
            published("BookingCompleted", &event)
        }
        Event::CancellationRequested { reason, .. } => {
            let reason = cancel_reason(*reason).into();
            let event = booking::BookingCancellationRequested {
                header,
                booking_id,
                screening_id,
                seats,
                total_price,
                payment_id,
                reason,
            };
            published("BookingCancellationRequested", &event)
        }
        Event::Cancelled => {
            let Booking::Cancelled(cancelled) = state else { return None };
            let (reason, paid) = (cancel_reason(cancelled.reason).into(), cancelled.taken == Taken::Yes);
            let event = booking::BookingCancelled {
                header,
                booking_id,
                screening_id,
                seats,
                total_price,
                payment_id,
                reason,
                paid,
            };
            published("BookingCancelled", &event)
        }
        Event::Failed { .. } => publish_failed(happened),
        Event::Submitted(_)
        | Event::SeatsHeld
        | Event::PaymentRequested { .. }
        | Event::HoldRenewed
        | Event::PaymentMade
        | Event::SeatsAsked(_)
        | Event::SelectionBegun
        | Event::SelectionRefused(_)
        | Event::SelectionGivenUp
        | Event::TicketNoted { .. } => None,
    }
}

/// How it is told that a booking did not come about.
fn publish_failed(happened: &Happened<'_, Booking>) -> Option<Published> {
    let Booking::Failed { details, reason, billed, taken } = happened.state else { return None };
    let event = booking::BookingFailed {
        header: header(&happened.state.case(happened.id)?, happened.revision, happened.origin),
        booking_id: happened.id.to_string(),
        screening_id: details.screening.to_string(),
        seats: seat_names(details.seats.as_ref()),
        total_price: Some(money(&details.price)),
        payment_id: match billed {
            Billed::Yes { payment } => payment.clone(),
            Billed::No | Billed::Perhaps => String::new(),
        },
        reason: fail_reason(*reason).into(),
        payment_requested: *billed != Billed::No,
        paid: *taken == Taken::Yes,
    };
    published("BookingFailed", &event)
}

/// What booking makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("payment", "PaymentApproved") => {
            let event = body::<payment::PaymentApproved>(message)?;
            own_booking(event.order.as_ref())?
                .map(|booking| Fact::PaymentApproved { booking, payment: event.payment_id })
        }
        ("ticketing", "TicketIssued") => {
            let event = body::<ticketing::TicketIssued>(message)?;
            own_booking(event.booking.as_ref())?.map(|booking| Fact::TicketIssued { booking, ticket: event.ticket_id })
        }
        ("ticketing", "TicketCollected") => {
            let event = body::<ticketing::TicketCollected>(message)?;
            own_booking(event.booking.as_ref())?
                .map(|booking| Fact::TicketCollected { booking, ticket: event.ticket_id })
        }
        ("ticketing", "TicketCancelled") => {
            let event = body::<ticketing::TicketCancelled>(message)?;
            own_booking(event.booking.as_ref())?.map(Fact::TicketCancelled)
        }
        _ => return Err(unknown(message)),
    })
}

/// The booking referred to; `None` if it is something of another context.
fn own_booking(reference: Option<&common::Reference>) -> Result<Option<Id<Booking>>, Undecodable> {
    let reference = heard_reference(reference)?;
    if reference.context != CONTEXT {
        return Ok(None);
    }
    heard_uuid(&reference.id).map(|id| Some(Id::new(id)))
}

/// A reason on the wire.
pub fn cancel_reason(reason: CancelReason) -> booking::CancelReason {
    match reason {
        CancelReason::Customer => booking::CancelReason::Customer,
        CancelReason::Expired => booking::CancelReason::Expired,
        CancelReason::TicketCancelled => booking::CancelReason::TicketCancelled,
    }
}

/// A reason on the wire.
pub fn fail_reason(reason: FailReason) -> booking::FailReason {
    match reason {
        FailReason::SeatTaken => booking::FailReason::SeatTaken,
        FailReason::NoSuchSeat => booking::FailReason::NoSuchSeat,
        FailReason::PaymentRefused => booking::FailReason::PaymentRefused,
        FailReason::PaymentDeclined => booking::FailReason::PaymentDeclined,
        FailReason::SeatLost => booking::FailReason::SeatLost,
        FailReason::Unavailable => booking::FailReason::Unavailable,
    }
}
