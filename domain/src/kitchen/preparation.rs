//! The making of one order's drinks.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::kernel::{self, Aggregate, Case, Index, Item, Kind, Never, Reference, Timestamp};

/// Where a preparation stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Preparation {
    /// Nobody has asked for it.
    #[default]
    Unborn,
    /// Being made.
    Preparing(Work),
    /// Made.
    Ready(Work),
    /// Cancelled; without items if that came before the order was heard of.
    Cancelled(Work),
}

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// What it belongs to.
    pub case: Case,
    /// The order it is for.
    pub order: Reference,
    /// The drinks.
    pub items: Vec<Item>,
}

/// What a preparation may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make these.
    Start(Work),
    /// They are made.
    Complete,
    /// Do not make them.
    Cancel {
        /// What the order belongs to, in case it was not heard of yet.
        case: Case,
    },
}

/// What can happen to a preparation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The kitchen set to work.
    Started(Work),
    /// The drinks are made.
    Ready,
    /// They are not wanted any more.
    Cancelled {
        /// What they belonged to.
        case: Case,
    },
}

/// Why a preparation does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such preparation.
    #[error("there is no such preparation")]
    NotFound,
    /// It was cancelled.
    #[error("this preparation is cancelled; do not serve it")]
    AlreadyCancelled,
}

// === impl Preparation ===

impl Aggregate for Preparation {
    const NAME: &'static str = "preparation";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Never;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Start(work)) => Ok(vec![Event::Started(work.clone())]),
            // Started before; or cancelled before it was heard of, and the cancellation wins.
            (Self::Preparing(_) | Self::Ready(_) | Self::Cancelled(_), Command::Start(_)) => Ok(vec![]),

            (Self::Unborn, Command::Complete) => Err(Rejection::NotFound),
            (Self::Preparing(_), Command::Complete) => Ok(vec![Event::Ready]),
            // Two people pressed the button.
            (Self::Ready(_), Command::Complete) => Ok(vec![]),
            (Self::Cancelled(_), Command::Complete) => Err(Rejection::AlreadyCancelled),

            // What is made but not wanted must not be served either.
            (Self::Unborn | Self::Preparing(_) | Self::Ready(_), Command::Cancel { case }) => {
                Ok(vec![Event::Cancelled { case: case.clone() }])
            }
            // Cancelling twice is no error.
            (Self::Cancelled(_), Command::Cancel { .. }) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Started(work)) => Self::Preparing(work.clone()),
            (Self::Preparing(work), Event::Ready) => Self::Ready(work),
            (Self::Preparing(work) | Self::Ready(work), Event::Cancelled { .. }) => Self::Cancelled(work),
            (Self::Unborn, Event::Cancelled { case }) => {
                Self::Cancelled(Work { order: case.root.clone(), case: case.clone(), items: vec![] })
            }
            // No history holds such a pair.
            (state, _) => state,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Start(_))
    }

    fn index(&self) -> Option<Index> {
        let work = self.work()?;
        Some(Index {
            shop: work.case.shop.to_string(),
            owner: work.case.customer.clone(),
            reference: work.order.to_string(),
            status: self.status().into(),
        })
    }
}

impl Preparation {
    /// What is being made; `None` if nothing was asked for.
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Unborn => None,
            Self::Preparing(work) | Self::Ready(work) | Self::Cancelled(work) => Some(work),
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Preparing(_) => "PREPARING",
            Self::Ready(_) => "READY",
            Self::Cancelled(_) => "CANCELLED",
        }
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyCancelled => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "PREPARATION_NOT_FOUND",
            Self::AlreadyCancelled => "ALREADY_CANCELLED",
        }
    }
}
