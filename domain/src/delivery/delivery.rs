//! The delivery of one order.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::kernel::{self, Aggregate, Case, Index, Item, Kind, Never, Reference, Timestamp};

/// Where a delivery stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Delivery {
    /// Nobody has asked for it.
    #[default]
    Unborn,
    /// To be shipped.
    Preparing(Load),
    /// On its way.
    Shipped(Load),
    /// Arrived.
    Delivered {
        /// What arrived.
        load: Load,
        /// Whether its order was cancelled after that.
        recalled: Recalled,
    },
    /// Cancelled; without items if that came before the order was heard of.
    Cancelled(Load),
}

/// What is to be delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// What it belongs to.
    pub case: Case,
    /// The order it is for.
    pub order: Reference,
    /// What is carried.
    pub items: Vec<Item>,
}

/// Whether somebody tried to recall what had arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recalled {
    /// Nobody did.
    No,
    /// In vain.
    InVain,
}

/// When a delivery is shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// When somebody ships it.
    ByHand,
    /// As soon as it is scheduled.
    AtOnce,
}

/// What a delivery may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Deliver this.
    Schedule(Load, Dispatch),
    /// It is on its way.
    Ship,
    /// It has arrived.
    Complete,
    /// Do not deliver it.
    Cancel {
        /// What the order belongs to, in case it was not heard of yet; `None` if the caller names a delivery.
        case: Option<Case>,
    },
}

/// What can happen to a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was asked for.
    Scheduled(Load),
    /// It is on its way.
    Shipped,
    /// It has arrived.
    Delivered,
    /// It is not wanted any more; what was on its way is called back.
    Cancelled {
        /// What it belonged to.
        case: Case,
    },
    /// Its order was cancelled after it had arrived.
    RecallRefused,
}

/// Why a delivery does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such delivery.
    #[error("there is no such delivery")]
    NotFound,
    /// Head office has shipped it.
    #[error("this delivery is shipped and can no longer be cancelled")]
    AlreadyShipped,
    /// It has not been shipped.
    #[error("this delivery is not shipped yet; ship it first")]
    NotShipped,
    /// It has arrived.
    #[error("this delivery has arrived and can no longer be cancelled")]
    AlreadyDelivered,
    /// It was cancelled.
    #[error("this delivery is cancelled; do not send it")]
    AlreadyCancelled,
}

// === impl Delivery ===

impl Aggregate for Delivery {
    const NAME: &'static str = "delivery";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Never;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Schedule(load, Dispatch::ByHand)) => Ok(vec![Event::Scheduled(load.clone())]),
            (Self::Unborn, Command::Schedule(load, Dispatch::AtOnce)) => {
                Ok(vec![Event::Scheduled(load.clone()), Event::Shipped])
            }
            // Scheduled before; or cancelled before it was heard of, and the cancellation wins.
            (_, Command::Schedule(..)) => Ok(vec![]),

            (Self::Unborn, Command::Ship | Command::Complete) => Err(Rejection::NotFound),
            (Self::Cancelled(_), Command::Ship | Command::Complete) => Err(Rejection::AlreadyCancelled),
            (Self::Preparing(_), Command::Ship) => Ok(vec![Event::Shipped]),
            // Two people pressed the button.
            (Self::Shipped(_) | Self::Delivered { .. }, Command::Ship) => Ok(vec![]),
            (Self::Preparing(_), Command::Complete) => Err(Rejection::NotShipped),
            (Self::Shipped(_), Command::Complete) => Ok(vec![Event::Delivered]),
            (Self::Delivered { .. }, Command::Complete) => Ok(vec![]),

            (Self::Unborn, Command::Cancel { case: None }) => Err(Rejection::NotFound),
            // Before it was heard of: recorded, and wins over what asks for it.
            (Self::Unborn, Command::Cancel { case: Some(case) }) => Ok(vec![Event::Cancelled { case: case.clone() }]),
            (Self::Preparing(load), Command::Cancel { .. }) => Ok(vec![Event::Cancelled { case: load.case.clone() }]),
            (Self::Shipped(load) | Self::Delivered { load, .. }, Command::Cancel { .. })
                if load.is_from_head_office() =>
            {
                Err(Rejection::AlreadyShipped)
            }
            // The courier is called back.
            (Self::Shipped(load), Command::Cancel { .. }) => Ok(vec![Event::Cancelled { case: load.case.clone() }]),
            (Self::Delivered { .. }, Command::Cancel { case: None }) => Err(Rejection::AlreadyDelivered),
            // What is delivered stays delivered, and staff are told, once.
            (Self::Delivered { recalled: Recalled::No, .. }, Command::Cancel { case: Some(_) }) => {
                Ok(vec![Event::RecallRefused])
            }
            (Self::Delivered { recalled: Recalled::InVain, .. }, Command::Cancel { case: Some(_) }) => Ok(vec![]),
            // Cancelling twice is no error.
            (Self::Cancelled(_), Command::Cancel { .. }) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Scheduled(load)) => Self::Preparing(load.clone()),
            (Self::Preparing(load), Event::Shipped) => Self::Shipped(load),
            (Self::Shipped(load), Event::Delivered) => Self::Delivered { load, recalled: Recalled::No },
            (Self::Delivered { load, .. }, Event::RecallRefused) => {
                Self::Delivered { load, recalled: Recalled::InVain }
            }
            (Self::Preparing(load) | Self::Shipped(load), Event::Cancelled { .. }) => Self::Cancelled(load),
            (Self::Unborn, Event::Cancelled { case }) => {
                Self::Cancelled(Load { order: case.root.clone(), case: case.clone(), items: vec![] })
            }
            // No history holds such a pair.
            (state, _) => state,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Schedule(..))
    }

    fn index(&self) -> Option<Index> {
        let load = self.load()?;
        Some(Index {
            shop: load.case.shop.to_string(),
            owner: load.case.customer.clone(),
            reference: load.order.to_string(),
            status: self.status().into(),
        })
    }
}

impl Delivery {
    /// What is delivered; `None` if nothing was asked for.
    pub fn load(&self) -> Option<&Load> {
        match self {
            Self::Unborn => None,
            Self::Preparing(load) | Self::Shipped(load) | Self::Delivered { load, .. } | Self::Cancelled(load) => {
                Some(load)
            }
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Preparing(_) => "PREPARING",
            Self::Shipped(_) => "SHIPPED",
            Self::Delivered { .. } => "DELIVERED",
            Self::Cancelled(_) => "CANCELLED",
        }
    }
}

// === impl Load ===

impl Load {
    fn is_from_head_office(&self) -> bool {
        self.order.context == "replenishment"
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyShipped | Self::NotShipped | Self::AlreadyDelivered | Self::AlreadyCancelled => {
                Kind::Precondition
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "DELIVERY_NOT_FOUND",
            Self::AlreadyShipped => "DELIVERY_ALREADY_SHIPPED",
            Self::NotShipped => "DELIVERY_NOT_SHIPPED",
            Self::AlreadyDelivered => "DELIVERY_ALREADY_DELIVERED",
            Self::AlreadyCancelled => "ALREADY_CANCELLED",
        }
    }
}
