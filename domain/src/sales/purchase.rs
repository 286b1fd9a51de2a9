//! A purchase at the counter of a store.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::CONTEXT;
use crate::kernel::{
    self, Aggregate, Case, Id, Index, Kind, Money, Never, Note, Phone, ProductId, Quantity, Reference, ShopId,
    Timestamp,
};

/// Where a purchase stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Purchase {
    /// Nobody has recorded it.
    #[default]
    Unborn,
    /// It stands.
    Purchased(Details),
    /// It was cancelled.
    Cancelled {
        /// What had been bought.
        details: Details,
        /// Why.
        reason: CancelReason,
        /// In the words of whoever cancelled it.
        note: Note,
    },
}

/// What was bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// Where.
    pub shop: ShopId,
    /// What.
    pub sku: ProductId,
    /// How many.
    pub quantity: Quantity,
    /// What one of it costs.
    pub unit_price: Money,
    /// By whom; may be empty.
    pub customer: String,
}

/// What a purchase may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Record it.
    Record(Details),
    /// Cancel it.
    Cancel {
        /// Why.
        reason: CancelReason,
        /// In the canceller's words.
        note: Note,
    },
}

/// What can happen to a purchase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was recorded.
    Recorded(Details),
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// In the words of whoever cancelled it.
        note: Note,
    },
}

/// Why a purchase was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelReason {
    /// The customer wished it.
    Customer,
    /// There was not enough in stock.
    OutOfStock,
}

/// Why a purchase does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such purchase.
    #[error("there is no such purchase")]
    NotFound,
    /// It was recorded before.
    #[error("this purchase was recorded already")]
    AlreadyRecorded,
    /// Its price cannot be counted.
    #[error("the total is too large: record fewer pieces at a time")]
    InvalidTotal,
}

// === impl Purchase ===

impl Aggregate for Purchase {
    const NAME: &'static str = "purchase";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Never;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Record(details)) => {
                details.total().ok_or(Rejection::InvalidTotal)?;
                Ok(vec![Event::Recorded(details.clone())])
            }
            (_, Command::Record(_)) => Err(Rejection::AlreadyRecorded),
            (Self::Unborn, Command::Cancel { .. }) => Err(Rejection::NotFound),
            (Self::Purchased(_), Command::Cancel { reason, note }) => {
                Ok(vec![Event::Cancelled { reason: *reason, note: note.clone() }])
            }
            // Cancelling twice is no error, and the first reason stays.
            (Self::Cancelled { .. }, Command::Cancel { .. }) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Recorded(details)) => Self::Purchased(details.clone()),
            (Self::Purchased(details), Event::Cancelled { reason, note }) => {
                Self::Cancelled { details, reason: *reason, note: note.clone() }
            }
            // No history holds such a pair.
            (state, Event::Cancelled { .. }) => state,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Record(_))
    }

    fn index(&self) -> Option<Index> {
        let details = self.details()?;
        let customer = &details.customer;
        Some(Index {
            shop: details.shop.to_string(),
            owner: Phone::key_of(customer),
            reference: String::new(),
            status: self.status().into(),
        })
    }
}

impl Purchase {
    /// What everything about this purchase belongs to; `None` before it was recorded.
    pub fn case(&self, id: Id<Self>) -> Option<Case> {
        let details = self.details()?;
        let root = Reference::new(CONTEXT, id.to_string());
        Some(Case { root, shop: details.shop.clone(), customer: details.customer.clone() })
    }

    /// What was bought; `None` if nothing was.
    pub fn details(&self) -> Option<&Details> {
        match self {
            Self::Unborn => None,
            Self::Purchased(details) | Self::Cancelled { details, .. } => Some(details),
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Purchased(_) => "PURCHASED",
            Self::Cancelled { .. } => "CANCELLED",
        }
    }
}

// === impl Details ===

impl Details {
    /// What it costs; `None` if that cannot be counted.
    pub fn total(&self) -> Option<Money> {
        self.unit_price.times(self.quantity.get()).ok()
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyRecorded => Kind::AlreadyExists,
            Self::InvalidTotal => Kind::Invalid,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "PURCHASE_NOT_FOUND",
            Self::AlreadyRecorded => "PURCHASE_EXISTS",
            Self::InvalidTotal => "INVALID_TOTAL",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidTotal => Some("quantity"),
            Self::NotFound | Self::AlreadyRecorded => None,
        }
    }
}
