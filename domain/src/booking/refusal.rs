//! Why a booking does not come about, or does not do what it is asked.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::language::SeatRefusal;
use crate::kernel::{self, Kind};

/// Why a booking did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailReason {
    /// Somebody else has one of its seats.
    SeatTaken,
    /// The hall does not have one of its seats.
    NoSuchSeat,
    /// Payment refused to register it.
    PaymentRefused,
    /// The provider declined.
    PaymentDeclined,
    /// The hold ran out, and somebody else took one of its seats.
    SeatLost,
    /// Somebody who had to be asked did not answer.
    Unavailable,
}

/// Why seats that a customer chose for a paid booking could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelectRefusal {
    /// Somebody else has one of them.
    SeatTaken,
    /// The hall does not have one of them.
    NoSuchSeat,
    /// It is not paid.
    NotPaid,
}

/// Why a booking does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// There is no such booking.
    #[error("there is no such booking")]
    NotFound,
    /// It was made before.
    #[error("this booking was made already")]
    AlreadyBooked,
    /// As many seats as were booked.
    #[error("must be {0} seats, as many as were booked")]
    WrongNumber(u32),
    /// Somebody else has one of them.
    #[error("somebody else has one of these seats; choose others")]
    SeatTaken,
    /// The hall does not have one of them.
    #[error("must be seats of the hall; look at the screening's seat map")]
    NoSuchSeat,
    /// The hold ran out, and somebody else took a seat.
    #[error("somebody else took one of these seats meanwhile; book others, what was paid goes back")]
    SeatLost,
    /// Payment refused to register it.
    #[error("payment refused this booking; book anew")]
    PaymentRefused,
    /// The provider declined.
    #[error("the payment was declined; book again and pay another way")]
    PaymentDeclined,
    /// It is not paid.
    #[error("this booking is not paid; pay it, then choose seats")]
    NotPaid,
    /// It has its seats.
    #[error("this booking has its seats already; cancel it to choose others")]
    AlreadyConfirmed,
    /// Its ticket was collected.
    #[error("the ticket of this booking was collected; it can no longer be cancelled or changed")]
    AlreadyCompleted,
    /// It is cancelled, or did not come about.
    #[error("this booking is cancelled; book anew")]
    AlreadyCancelled,
}

// === impl FailReason ===

impl FailReason {
    /// What the caller who waits is told; `None` if it is that somebody did not answer.
    pub(super) const fn rejection(self) -> Option<Rejection> {
        match self {
            Self::SeatTaken => Some(Rejection::SeatTaken),
            Self::NoSuchSeat => Some(Rejection::NoSuchSeat),
            Self::PaymentRefused => Some(Rejection::PaymentRefused),
            Self::PaymentDeclined => Some(Rejection::PaymentDeclined),
            Self::SeatLost => Some(Rejection::SeatLost),
            Self::Unavailable => None,
        }
    }
}

// === impl SelectRefusal ===

impl SelectRefusal {
    /// What the caller who waits is told.
    pub(super) const fn rejection(self) -> Rejection {
        match self {
            Self::SeatTaken => Rejection::SeatTaken,
            Self::NoSuchSeat => Rejection::NoSuchSeat,
            Self::NotPaid => Rejection::NotPaid,
        }
    }
}

impl From<SeatRefusal> for SelectRefusal {
    fn from(refusal: SeatRefusal) -> Self {
        match refusal {
            SeatRefusal::Taken => Self::SeatTaken,
            SeatRefusal::NoSuchSeat => Self::NoSuchSeat,
        }
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyBooked => Kind::AlreadyExists,
            Self::WrongNumber(_) | Self::NoSuchSeat => Kind::Invalid,
            Self::SeatTaken
            | Self::SeatLost
            | Self::PaymentRefused
            | Self::PaymentDeclined
            | Self::NotPaid
            | Self::AlreadyConfirmed
            | Self::AlreadyCompleted
            | Self::AlreadyCancelled => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "BOOKING_NOT_FOUND",
            Self::AlreadyBooked => "BOOKING_EXISTS",
            Self::WrongNumber(_) => "WRONG_NUMBER_OF_SEATS",
            Self::SeatTaken => "SEAT_TAKEN",
            Self::NoSuchSeat => "NO_SUCH_SEAT",
            Self::SeatLost => "SEAT_LOST",
            Self::PaymentRefused => "PAYMENT_REFUSED",
            Self::PaymentDeclined => "PAYMENT_DECLINED",
            Self::NotPaid => "NOT_PAID",
            Self::AlreadyConfirmed => "BOOKING_ALREADY_CONFIRMED",
            Self::AlreadyCompleted => "BOOKING_ALREADY_COMPLETED",
            Self::AlreadyCancelled => "ALREADY_CANCELLED",
        }
    }

    fn field(&self) -> Option<&'static str> {
        matches!(self, Self::WrongNumber(_) | Self::NoSuchSeat).then_some("seats")
    }
}
