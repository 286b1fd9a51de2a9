//! What a booking does when.

use alloc::vec;
use alloc::vec::Vec;

use super::booking::{Billed, Booked, Booking, Cancelling, Details, Stage, Taken, TicketOf};
use super::language::{Ask, Book, CancelReason, Command, Event, SeatRefusal};
use super::refusal::{FailReason, Rejection, SelectRefusal};
use crate::kernel::{Note, Outage, Seats, Timestamp};

type Decided = Result<Vec<Event>, Rejection>;

/// What `command` makes happen at `now`, or why it must not.
pub(super) fn decide(booking: &Booking, command: &Command, now: Timestamp) -> Decided {
    match (booking, command) {
        (Booking::Unborn, Command::Book(book)) => Ok(vec![Event::Submitted(book.details(now)?)]),
        (_, Command::Book(_)) => Err(Rejection::AlreadyBooked),

        (Booking::Pending { seats, stage, .. }, command) => pending(seats, stage, command),

        (Booking::Reserving(_), Command::AcceptPayment { payment }) => {
            Ok(vec![Event::Reserved { payment: payment.clone() }])
        }
        (Booking::Reserving(_), Command::RejectPayment { .. }) => Ok(failed(FailReason::PaymentRefused, Billed::No)),
        (Booking::Reserving(_), Command::GiveUp { outage, .. }) => {
            Ok(failed(FailReason::Unavailable, perhaps_billed(*outage)))
        }
        // Payment tells of what it registered before its answer has arrived here.
        (Booking::Reserving(details), Command::MarkPaid { payment }) => {
            let seat_by = now.after(details.select_within);
            Ok(vec![Event::Reserved { payment: payment.clone() }, Event::Paid { seat_by }])
        }

        // Answers about seats that were chosen; those about any chosen before come too late.
        (Booking::Asking { booked, ask, seat_by }, Command::LearnPayment { ask: number, paid })
            if ask.number == *number =>
        {
            Ok(match (seat_by, paid) {
                (Some(_), _) => vec![Event::SelectionBegun],
                (None, Taken::Yes) => {
                    vec![Event::Paid { seat_by: now.after(booked.details.select_within) }, Event::SelectionBegun]
                }
                (None, Taken::No) => vec![Event::SelectionRefused(SelectRefusal::NotPaid)],
            })
        }
        (Booking::Selecting { ask, .. }, Command::AcceptSeats { ask: number, movie }) if ask.number == *number => {
            Ok(vec![Event::Confirmed { seats: ask.seats.clone(), movie: movie.clone() }])
        }
        (Booking::Selecting { ask, .. }, Command::RefuseSeats { ask: number, refusal }) if ask.number == *number => {
            Ok(vec![Event::SelectionRefused((*refusal).into())])
        }
        // What seating may have done all the same is replaced by the seats chosen next, or released in the end.
        (Booking::Asking { ask, .. } | Booking::Selecting { ask, .. }, Command::GiveUp { ask: number, .. })
            if ask.number == *number =>
        {
            Ok(vec![Event::SelectionGivenUp])
        }

        (Booking::Cancelling(_), Command::ConfirmCancellation | Command::LoseTicket) => Ok(vec![Event::Cancelled]),
        (Booking::Cancelling(Cancelling { chosen: Some(_), .. }), Command::RefuseCancellation) => {
            Ok(vec![Event::CancellationRefused])
        }

        // An answer that comes late: what it should have led to was decided without it, and is undone by what that
        // led to where it must be.
        (
            _,
            Command::AcceptHold
            | Command::RefuseSeats { .. }
            | Command::AcceptPayment { .. }
            | Command::RejectPayment { .. }
            | Command::AcceptMoney
            | Command::DeclineMoney { .. }
            | Command::AcceptSeats { .. }
            | Command::LearnPayment { .. }
            | Command::GiveUp { .. }
            | Command::ConfirmCancellation
            | Command::RefuseCancellation,
        ) => Ok(vec![]),

        // To everybody else these do not exist.
        (Booking::Unborn | Booking::Reserving(_), _) => Err(Rejection::NotFound),
        (Booking::Failed { .. }, command) => after_failure(booking, command),

        (booking, command) => heard(booking, command, now),
    }
}

/// What may be heard while a booking with seats is being made: the answers it waits for.
fn pending(seats: &Seats, stage: &Stage, command: &Command) -> Decided {
    let billed = |payment: &str| Billed::Yes { payment: payment.into() };
    Ok(match (stage, command) {
        (Stage::Holding, Command::AcceptHold) => vec![Event::SeatsHeld],
        (Stage::Holding, Command::RefuseSeats { refusal, .. }) => {
            let reason = match refusal {
                SeatRefusal::Taken => FailReason::SeatTaken,
                SeatRefusal::NoSuchSeat => FailReason::NoSuchSeat,
            };
            failed(reason, Billed::No)
        }
        (Stage::Holding, Command::GiveUp { .. }) => failed(FailReason::Unavailable, Billed::No),

        (Stage::Requesting, Command::AcceptPayment { payment }) => {
            vec![Event::PaymentRequested { payment: payment.clone() }]
        }
        (Stage::Requesting, Command::RejectPayment { .. }) => failed(FailReason::PaymentRefused, Billed::No),
        (Stage::Requesting, Command::GiveUp { outage, .. }) => failed(FailReason::Unavailable, perhaps_billed(*outage)),

        (Stage::Renewing { .. }, Command::AcceptHold) => vec![Event::HoldRenewed],
        (Stage::Renewing { payment }, Command::RefuseSeats { .. }) => failed(FailReason::SeatLost, billed(payment)),
        (Stage::Renewing { payment } | Stage::Paying { payment }, Command::GiveUp { .. }) => {
            failed(FailReason::Unavailable, billed(payment))
        }

        (Stage::Paying { .. }, Command::AcceptMoney) => vec![Event::PaymentMade],
        (Stage::Paying { payment }, Command::DeclineMoney { .. }) => {
            failed(FailReason::PaymentDeclined, billed(payment))
        }

        (Stage::Assigning { .. }, Command::AcceptSeats { movie, .. }) => {
            vec![Event::Confirmed { seats: seats.clone(), movie: movie.clone() }]
        }
        (Stage::Assigning { payment }, Command::RefuseSeats { .. }) => failed_paid(FailReason::SeatLost, payment),
        (Stage::Assigning { payment }, Command::GiveUp { .. }) => failed_paid(FailReason::Unavailable, payment),

        // Payment has an event for it, but the step that pays learns it by itself; and what comes in another stage
        // than the one it answers is late.
        (
            _,
            Command::MarkPaid { .. }
            | Command::AcceptHold
            | Command::RefuseSeats { .. }
            | Command::AcceptPayment { .. }
            | Command::RejectPayment { .. }
            | Command::AcceptMoney
            | Command::DeclineMoney { .. }
            | Command::AcceptSeats { .. }
            | Command::LearnPayment { .. }
            | Command::ConfirmCancellation
            | Command::RefuseCancellation,
        ) => vec![],
        // To everybody else it does not exist.
        _ => return Err(Rejection::NotFound),
    })
}

/// What may be said to a booking that did not come about; where money was taken it exists for others.
fn after_failure(booking: &Booking, command: &Command) -> Decided {
    match command {
        // Payment pays back when it hears of the failure; and there was no ticket.
        Command::MarkPaid { .. } | Command::Expire | Command::LoseTicket => Ok(vec![]),
        // It never existed for others.
        _ if matches!(booking, Booking::Failed { taken: Taken::No, .. }) => Err(Rejection::NotFound),
        // Everything of it is being undone already.
        Command::Cancel { .. } => Ok(vec![]),
        _ => Err(Rejection::AlreadyCancelled),
    }
}

/// What others publish and customers wish, once there is a booking.
fn heard(booking: &Booking, command: &Command, now: Timestamp) -> Decided {
    match (booking, command) {
        (
            Booking::Reserved { booked, .. } | Booking::Asking { booked, seat_by: None, .. },
            Command::MarkPaid { .. },
        ) => Ok(vec![Event::Paid { seat_by: now.after(booked.details.select_within) }]),
        // Known already; or on its way out, and payment pays back when it hears of that.
        (_, Command::MarkPaid { .. }) => Ok(vec![]),

        (booking, Command::SelectSeats(seats)) => select(booking, seats),

        (Booking::Reserved { booked, .. }, Command::Expire) if booked.details.pay_by <= now => Ok(expired()),
        (Booking::Paid { seat_by, .. }, Command::Expire) if *seat_by <= now => Ok(expired()),
        // Paid, or chosen, in the last moment: nothing expires.
        (_, Command::Expire) => Ok(vec![]),

        (Booking::Completed { .. }, Command::Cancel { .. }) => Err(Rejection::AlreadyCompleted),
        // Cancelling twice is no error.
        (Booking::Cancelling(_) | Booking::Cancelled(_), Command::Cancel { .. }) => Ok(vec![]),
        (_, Command::Cancel { note }) => {
            Ok(vec![Event::CancellationRequested { reason: CancelReason::Customer, note: note.clone() }])
        }

        (
            Booking::Confirmed(TicketOf { chosen, .. }) | Booking::Cancelling(Cancelling { chosen: Some(chosen), .. }),
            Command::NoteTicket { ticket },
        ) if chosen.ticket.is_none() => Ok(vec![Event::TicketNoted { ticket: ticket.clone() }]),
        // Ticketing said that it was collected before it was heard that there is one.
        (
            Booking::Completed { ticket: TicketOf { chosen, .. }, .. },
            Command::NoteTicket { ticket } | Command::Complete { ticket },
        ) if chosen.ticket.is_none() => Ok(vec![Event::TicketNoted { ticket: ticket.clone() }]),
        // Known already, or no longer of use.
        (_, Command::NoteTicket { .. }) => Ok(vec![]),

        (Booking::Confirmed(_), Command::Complete { ticket }) => Ok(vec![Event::Completed { ticket: ticket.clone() }]),
        (Booking::Cancelling(Cancelling { chosen: Some(chosen), .. }), Command::Complete { ticket }) => {
            let unknown = chosen.ticket.is_none().then(|| Event::TicketNoted { ticket: ticket.clone() });
            Ok(unknown.into_iter().chain([Event::CancellationRefused]).collect())
        }
        // Known already; or cancelled, and a terminal state stands. Without seats there is no ticket.
        (_, Command::Complete { .. }) => Ok(vec![]),

        // Known already; or used, and a terminal state stands.
        (Booking::Completed { .. } | Booking::Cancelled(_), Command::LoseTicket) => Ok(vec![]),
        (_, Command::LoseTicket) => {
            let (reason, note) = (CancelReason::TicketCancelled, Note::default());
            Ok(vec![Event::CancellationRequested { reason, note }, Event::Cancelled])
        }

        // All others were decided before.
        (_, _) => Ok(vec![]),
    }
}

fn select(booking: &Booking, seats: &Seats) -> Decided {
    let asks = |booked: &Booked| {
        let wanted = booked.details.quantity.get();
        if u32::try_from(seats.count()) == Ok(wanted) {
            Ok(vec![Event::SeatsAsked(Ask { seats: seats.clone(), number: booked.asks + 1 })])
        } else {
            Err(Rejection::WrongNumber(wanted))
        }
    };
    match booking {
        Booking::Reserved { booked, .. } | Booking::Paid { booked, .. } => asks(booked),
        // Just these are being asked for.
        Booking::Asking { ask, .. } | Booking::Selecting { ask, .. } if ask.seats == *seats => Ok(vec![]),
        // The seats chosen last are the booking's.
        Booking::Asking { booked, .. } | Booking::Selecting { booked, .. } => asks(booked),
        // It has just these.
        Booking::Confirmed(ticket) if ticket.chosen.seats == *seats => Ok(vec![]),
        Booking::Confirmed(_) => Err(Rejection::AlreadyConfirmed),
        Booking::Completed { .. } => Err(Rejection::AlreadyCompleted),
        Booking::Cancelling(_) | Booking::Cancelled(_) | Booking::Failed { .. } => Err(Rejection::AlreadyCancelled),
        Booking::Unborn | Booking::Pending { .. } | Booking::Reserving(_) => Err(Rejection::NotFound),
    }
}

fn expired() -> Vec<Event> {
    vec![Event::CancellationRequested { reason: CancelReason::Expired, note: Note::default() }]
}

fn failed(reason: FailReason, billed: Billed) -> Vec<Event> {
    vec![Event::Failed { reason, billed, taken: Taken::No }]
}

fn failed_paid(reason: FailReason, payment: &str) -> Vec<Event> {
    vec![Event::Failed { reason, billed: Billed::Yes { payment: payment.into() }, taken: Taken::Yes }]
}

fn perhaps_billed(outage: Outage) -> Billed {
    match outage {
        Outage::NotSent => Billed::No,
        Outage::Unknown => Billed::Perhaps,
    }
}

impl Book {
    fn details(&self, now: Timestamp) -> Result<Details, Rejection> {
        let wanted = self.quantity.get();
        if self.seats.as_ref().is_some_and(|seats| u32::try_from(seats.count()) != Ok(wanted)) {
            return Err(Rejection::WrongNumber(wanted));
        }
        Ok(Details {
            shop: self.shop.clone(),
            customer: self.customer.clone(),
            screening: self.screening.clone(),
            quantity: self.quantity,
            seats: self.seats.clone(),
            price: self.price,
            method: self.method,
            pay_by: now.after(self.pay_within),
            select_within: self.select_within,
        })
    }
}
