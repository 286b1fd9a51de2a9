//! A reservation of one copy of a book.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::CONTEXT;
use crate::kernel::{
    self, Aggregate, Case, Id, Index, Kind, Never, Payer, Phone, ProductId, Reference, ShopId, Timestamp,
};

/// Where a reservation stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Reservation {
    /// Nobody has asked for it.
    #[default]
    Unborn,
    /// Taken; inventory has not answered yet.
    Requested(Details),
    /// A copy is kept.
    Confirmed(Details),
    /// No copy was left.
    Failed(Details),
    /// Cancelled.
    Cancelled {
        /// What had been reserved.
        details: Details,
        /// Whether a copy had been kept by then.
        copy: Copy,
    },
}

/// What is reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// In which library.
    pub shop: ShopId,
    /// By whom.
    pub user: Payer,
    /// Which book; inventory's number for it.
    pub book: ProductId,
}

/// Whether a copy was kept for a reservation when it was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Copy {
    /// One was.
    Kept,
    /// Inventory had not answered.
    Unknown,
}

/// What a reservation may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask for it.
    Request(Details),
    /// A copy was taken for it.
    Confirm,
    /// There was none.
    Fail,
    /// Cancel it.
    Cancel,
}

/// What can happen to a reservation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was asked for.
    Requested(Details),
    /// A copy is kept.
    Confirmed,
    /// No copy was left.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// Why a reservation does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such reservation.
    #[error("there is no such reservation")]
    NotFound,
    /// It was asked for before.
    #[error("this reservation exists already")]
    AlreadyRequested,
    /// It has failed.
    #[error("this reservation failed: no copy was left, so there is nothing to cancel")]
    AlreadyFailed,
}

// === impl Reservation ===

impl Aggregate for Reservation {
    const NAME: &'static str = "reservation";
    const VERSION: u32 = 1;
    const OPEN: &'static [&'static str] = &["REQUESTED", "CONFIRMED"];

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Never;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Request(details)) => Ok(vec![Event::Requested(details.clone())]),
            (_, Command::Request(_)) => Err(Rejection::AlreadyRequested),
            (Self::Unborn, _) => Err(Rejection::NotFound),

            (Self::Requested(_), Command::Confirm) => Ok(vec![Event::Confirmed]),
            (Self::Requested(_), Command::Fail) => Ok(vec![Event::Failed]),
            // Known already; or cancelled meanwhile, and inventory takes the copy back when it hears of that.
            (Self::Confirmed(_) | Self::Failed(_) | Self::Cancelled { .. }, Command::Confirm | Command::Fail) => {
                Ok(vec![])
            }

            (Self::Requested(_) | Self::Confirmed(_), Command::Cancel) => Ok(vec![Event::Cancelled]),
            (Self::Failed(_), Command::Cancel) => Err(Rejection::AlreadyFailed),
            // Cancelling twice is no error.
            (Self::Cancelled { .. }, Command::Cancel) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Requested(details)) => Self::Requested(details.clone()),
            (Self::Requested(details), Event::Confirmed) => Self::Confirmed(details),
            (Self::Requested(details), Event::Failed) => Self::Failed(details),
            (Self::Requested(details), Event::Cancelled) => Self::Cancelled { details, copy: Copy::Unknown },
            (Self::Confirmed(details), Event::Cancelled) => Self::Cancelled { details, copy: Copy::Kept },
            // No history holds such a pair.
            (state, _) => state,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Request(_))
    }

    fn index(&self) -> Option<Index> {
        let details = self.details()?;
        let user = details.user.as_str();
        Some(Index {
            shop: details.shop.to_string(),
            owner: Phone::key_of(user),
            reference: String::new(),
            status: self.status().into(),
        })
    }
}

impl Reservation {
    /// What everything about this reservation belongs to; `None` before it was asked for.
    pub fn case(&self, id: Id<Self>) -> Option<Case> {
        let details = self.details()?;
        let root = Reference::new(CONTEXT, id.to_string());
        Some(Case { root, shop: details.shop.clone(), customer: details.user.to_string() })
    }

    /// What is reserved; `None` if nothing is.
    pub fn details(&self) -> Option<&Details> {
        match self {
            Self::Unborn => None,
            Self::Requested(details)
            | Self::Confirmed(details)
            | Self::Failed(details)
            | Self::Cancelled { details, .. } => Some(details),
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Requested(_) => "REQUESTED",
            Self::Confirmed(_) => "CONFIRMED",
            Self::Failed(_) => "FAILED",
            Self::Cancelled { .. } => "CANCELLED",
        }
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyRequested => Kind::AlreadyExists,
            Self::AlreadyFailed => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "RESERVATION_NOT_FOUND",
            Self::AlreadyRequested => "RESERVATION_EXISTS",
            Self::AlreadyFailed => "RESERVATION_FAILED",
        }
    }
}
