//! The words of a screening: what it may be asked, what can happen to it, what it refuses.

use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::screening::ScreeningName;
use crate::kernel::{self, Kind, ProductName, Seat, Seats, Timestamp};

/// What a screening may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Say what is shown, where and when.
    Open(ScreeningName, Details),
    /// Keep these seats, and no others, for a booking for a while.
    Hold {
        /// For which booking, on which screening.
        change: Change,
        /// Which.
        seats: Seats,
        /// How long.
        hold_for: Duration,
    },
    /// Give a booking exactly these seats.
    Assign {
        /// To which booking, on which screening.
        change: Change,
        /// Which.
        seats: Seats,
    },
    /// Let go of a booking's seats.
    Release {
        /// Of which booking, on which screening.
        change: Change,
        /// Which; `None` for all it has.
        seats: Option<Seats>,
    },
    /// Let go of what was held too long.
    ExpireHolds,
}

/// What every command about a booking's seats says.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The screening, in case nobody has opened it.
    pub name: ScreeningName,
    /// The booking.
    pub guest: Guest,
    /// The booking's revision: what an older one asks for comes too late.
    pub revision: u64,
}

/// What can happen to a screening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// What is shown, where and when became known; or somebody wanted seats before that.
    Opened {
        /// What it is called.
        name: ScreeningName,
        /// What is shown, where and when.
        details: Details,
        /// How it came to be open.
        by: OpenedBy,
    },
    /// These seats are kept for a booking; what else was kept for it is free.
    Held {
        /// For whom.
        guest: Guest,
        /// The booking's revision.
        revision: u64,
        /// Which.
        seats: Seats,
        /// Until when.
        until: Timestamp,
    },
    /// These seats, and no others, are a booking's.
    Assigned {
        /// Whose.
        guest: Guest,
        /// The booking's revision.
        revision: u64,
        /// Which.
        seats: Seats,
    },
    /// A booking lets go of seats; or, with none, will not get any that it asked for before.
    Released {
        /// Who had them.
        guest: Guest,
        /// The booking's revision.
        revision: u64,
        /// Which; `None` if it had none.
        seats: Option<Seats>,
    },
    /// A hold ran out.
    HoldExpired {
        /// Who had it.
        guest: Guest,
        /// On which seats.
        seats: Seats,
    },
}

/// Whose seats they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The booking's id.
    pub booking: String,
    /// The customer's phone number or name; empty if nobody said.
    pub customer: String,
}

/// What is shown, where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The film.
    pub movie: ProductName,
    /// The hall.
    pub hall: Hall,
    /// When it begins, if that was said.
    pub starts_at: Option<Timestamp>,
}

/// A hall: rows of the same length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hall {
    /// What people call it; empty if nobody said.
    pub name: String,
    /// How many rows, 1 to 99.
    pub rows: u8,
    /// How many seats in each, 1 to 26.
    pub seats_per_row: u8,
}

/// How a screening came to be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenedBy {
    /// The cinema said so.
    Hand,
    /// Somebody wanted a seat.
    Use,
}

/// Why a screening does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// Somebody else has them.
    #[error("taken: {0}; choose other seats")]
    SeatTaken(Seats),
    /// The hall has none such.
    #[error("must be seats of this hall, which has no {0}")]
    NoSuchSeat(Seats),
    /// The booking has moved on.
    #[error("this booking asked for something else since; what it asked for before no longer counts")]
    Superseded,
    /// It was opened with other details.
    #[error("this screening is open already, with other details")]
    AlreadyOpen,
    /// Somebody has a seat that the hall would not have.
    #[error("must leave room for {0}, which somebody has")]
    HallTooSmall(Seats),
}

// === impl Hall ===

impl Hall {
    /// The hall of a screening that nobody opened: ten rows of ten.
    pub const fn standard() -> Self {
        Self { name: String::new(), rows: 10, seats_per_row: 10 }
    }

    /// Whether it has this seat.
    pub const fn has(&self, seat: Seat) -> bool {
        seat.row() <= self.rows && seat.number() <= self.seats_per_row
    }

    /// Its seats, row by row.
    pub fn seats(&self) -> impl Iterator<Item = Seat> + '_ {
        (1..=self.rows).flat_map(|row| (1..=self.seats_per_row).filter_map(move |number| Seat::at(row, number)))
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::SeatTaken(_) | Self::Superseded => Kind::Precondition,
            Self::NoSuchSeat(_) | Self::HallTooSmall(_) => Kind::Invalid,
            Self::AlreadyOpen => Kind::AlreadyExists,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::SeatTaken(_) => "SEAT_TAKEN",
            Self::NoSuchSeat(_) => "NO_SUCH_SEAT",
            Self::Superseded => "SUPERSEDED",
            Self::AlreadyOpen => "SCREENING_EXISTS",
            Self::HallTooSmall(_) => "HALL_TOO_SMALL",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NoSuchSeat(_) => Some("seats"),
            Self::HallTooSmall(_) => Some("rows"),
            Self::SeatTaken(_) | Self::Superseded | Self::AlreadyOpen => None,
        }
    }
}
