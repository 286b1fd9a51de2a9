//! An order at the head office, from the shelf that is empty to the shelf that is full.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::CONTEXT;
use super::language::{Command, Event, Rejection, Step};
use crate::kernel::{Aggregate, Case, Due, Id, Index, Item, Money, Never, Note, Reference, ShopId, Timestamp};

/// Where an order stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Nobody has placed it.
    #[default]
    Unborn,
    /// Head office has it.
    Placed(Details),
    /// It is to be cancelled, and delivery has not answered yet.
    CancellationPending {
        /// What was ordered.
        details: Details,
        /// In the words of whoever cancels it.
        note: Note,
    },
    /// It is on its way.
    Shipped {
        /// What was ordered.
        details: Details,
        /// Whether somebody tried to cancel it.
        tried: Tried,
    },
    /// It is in stock.
    Received {
        /// What was ordered.
        details: Details,
        /// Whether somebody tried to cancel it on its way: they hear so, even if it is in stock by then.
        tried: Tried,
    },
    /// It was cancelled before it was shipped.
    Cancelled {
        /// What had been ordered.
        details: Details,
        /// In the words of whoever cancelled it.
        note: Note,
    },
}

/// What was ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// For which shop.
    pub shop: ShopId,
    /// What, and how many.
    pub item: Item,
    /// What one of it costs; every order has a price, so that it stands here and not with the item.
    pub unit_price: Money,
}

/// Whether somebody tried to cancel what was on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tried {
    /// Nobody did.
    Never,
    /// Delivery refused.
    InVain,
}

// === impl Order ===

impl Aggregate for Order {
    const NAME: &'static str = "order";
    const VERSION: u32 = 2;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Step;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Place(details)) => {
                details.total().ok_or(Rejection::InvalidTotal)?;
                Ok(vec![Event::Placed(details.clone())])
            }
            (_, Command::Place(_)) => Err(Rejection::AlreadyPlaced),

            (Self::Unborn, Command::Cancel { .. }) => Err(Rejection::NotFound),
            (Self::Placed(_), Command::Cancel { note }) => {
                Ok(vec![Event::CancellationRequested { note: note.clone() }])
            }
            (Self::Shipped { .. } | Self::Received { .. }, Command::Cancel { .. }) => Err(Rejection::AlreadyShipped),
            // Cancelling twice is no error.
            (Self::CancellationPending { .. } | Self::Cancelled { .. }, Command::Cancel { .. }) => Ok(vec![]),

            (Self::CancellationPending { .. }, Command::ConfirmCancelled) => Ok(vec![Event::Cancelled]),
            (Self::CancellationPending { .. }, Command::RefuseCancellation) => {
                Ok(vec![Event::CancellationRefused, Event::Shipped])
            }
            // An answer of delivery that comes late: it was heard by other ways.
            (_, Command::ConfirmCancelled | Command::RefuseCancellation) => Ok(vec![]),

            (Self::Placed(_), Command::MarkShipped) => Ok(vec![Event::Shipped]),
            // What has been shipped is not cancelled, whoever is still to answer.
            (Self::CancellationPending { .. }, Command::MarkShipped) => {
                Ok(vec![Event::CancellationRefused, Event::Shipped])
            }
            // Stock tells of it before delivery does.
            (Self::Placed(_), Command::MarkReceived) => Ok(vec![Event::Shipped, Event::Received]),
            (Self::CancellationPending { .. }, Command::MarkReceived) => {
                Ok(vec![Event::CancellationRefused, Event::Shipped, Event::Received])
            }
            (Self::Shipped { .. }, Command::MarkReceived) => Ok(vec![Event::Received]),
            // Known already; or cancelled, and a terminal state stands.
            (Self::Shipped { .. } | Self::Received { .. } | Self::Cancelled { .. }, Command::MarkShipped) => Ok(vec![]),
            (Self::Received { .. } | Self::Cancelled { .. }, Command::MarkReceived) => Ok(vec![]),
            (Self::Unborn, Command::MarkShipped | Command::MarkReceived) => Err(Rejection::NotFound),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Placed(details)) => Self::Placed(details.clone()),
            (Self::Placed(details), Event::CancellationRequested { note }) => {
                Self::CancellationPending { details, note: note.clone() }
            }
            (Self::CancellationPending { details, note }, Event::Cancelled) => Self::Cancelled { details, note },
            (Self::CancellationPending { details, .. }, Event::CancellationRefused) => {
                Self::Shipped { details, tried: Tried::InVain }
            }
            (Self::Placed(details), Event::Shipped) => Self::Shipped { details, tried: Tried::Never },
            (Self::Shipped { details, tried }, Event::Received) => Self::Received { details, tried },
            // A refused cancellation left it shipped; no history holds any other such pair.
            (state, _) => state,
        }
    }

    fn due(&self) -> Option<Due<Self>> {
        match self {
            Self::CancellationPending { details, .. } => {
                Some(Due::Call(Step::CancelDelivery { shop: details.shop.clone() }))
            }
            _ => None,
        }
    }

    // While delivery is away, a cancellation is pending: the default, to try again, is what is wanted.

    fn refusal(&self) -> Option<Rejection> {
        match self {
            Self::Shipped { tried: Tried::InVain, .. } | Self::Received { tried: Tried::InVain, .. } => {
                Some(Rejection::AlreadyShipped)
            }
            _ => None,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Place(_))
    }

    fn index(&self) -> Option<Index> {
        let details = self.details()?;
        Some(Index {
            shop: details.shop.to_string(),
            owner: String::new(),
            reference: String::new(),
            status: self.status().into(),
        })
    }
}

impl Order {
    /// How others refer to the order with this id.
    pub fn reference(id: Id<Self>) -> Reference {
        Reference::new(CONTEXT, id.to_string())
    }

    /// What everything about this order belongs to; `None` before it was placed.
    pub fn case(&self, id: Id<Self>) -> Option<Case> {
        let details = self.details()?;
        Some(Case { root: Self::reference(id), shop: details.shop.clone(), customer: String::new() })
    }

    /// What was ordered; `None` if nothing was.
    pub fn details(&self) -> Option<&Details> {
        match self {
            Self::Unborn => None,
            Self::Placed(details)
            | Self::CancellationPending { details, .. }
            | Self::Shipped { details, .. }
            | Self::Received { details, .. }
            | Self::Cancelled { details, .. } => Some(details),
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Placed(_) => "PLACED",
            Self::CancellationPending { .. } => "CANCELLATION_PENDING",
            Self::Shipped { .. } => "SHIPPED",
            Self::Received { .. } => "RECEIVED",
            Self::Cancelled { .. } => "CANCELLED",
        }
    }
}

// === impl Details ===

impl Details {
    /// What it costs; `None` if that cannot be counted.
    pub fn total(&self) -> Option<Money> {
        self.unit_price.times(self.item.quantity.get()).ok()
    }
}
