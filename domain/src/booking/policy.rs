//! What booking does about what others published.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::booking::Booking;
use super::language::Command;
use crate::kernel::Id;

/// What booking listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The booking was paid.
    PaymentApproved {
        /// The booking.
        booking: Id<Booking>,
        /// The payment's id.
        payment: String,
    },
    /// The booking's ticket was issued.
    TicketIssued {
        /// The booking.
        booking: Id<Booking>,
        /// The ticket's id.
        ticket: String,
    },
    /// The booking's ticket was collected.
    TicketCollected {
        /// The booking.
        booking: Id<Booking>,
        /// The ticket's id.
        ticket: String,
    },
    /// The booking's ticket was cancelled, by this context or by staff.
    TicketCancelled(Id<Booking>),
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Booking>, Command)> {
    vec![match fact {
        Fact::PaymentApproved { booking, payment } => (*booking, Command::MarkPaid { payment: payment.clone() }),
        Fact::TicketIssued { booking, ticket } => (*booking, Command::NoteTicket { ticket: ticket.clone() }),
        Fact::TicketCollected { booking, ticket } => (*booking, Command::Complete { ticket: ticket.clone() }),
        Fact::TicketCancelled(booking) => (*booking, Command::LoseTicket),
    }]
}
