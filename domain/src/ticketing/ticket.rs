//! A ticket, from its issue to the door of the hall.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::CONTEXT;
use super::language::{Canceller, Command, Event, Rejection, Step};
use super::ports::Grant;
use crate::kernel::{
    Aggregate, Callee, Case, Due, Id, Index, Money, Never, Outage, Phone, ProductName, Reference, ScreeningId, Seats,
    Timestamp, Unanswered,
};

const LOYALTY: Callee = Callee { name: "loyalty", reason: "LOYALTY_UNAVAILABLE" };

/// Where a ticket stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Ticket {
    /// Nobody has heard of it.
    #[default]
    Unborn,
    /// To be collected.
    Issued {
        /// To what.
        admission: Admission,
        /// How many attempts to collect it may have granted points.
        attempts: u32,
        /// Why loyalty refused the last one; empty if it did not.
        refused: String,
    },
    /// Its holder is here; points are being granted.
    Collecting {
        /// To what.
        admission: Admission,
        /// In the how-many-th attempt, from 1.
        attempt: u32,
    },
    /// Its holder was let in.
    Collected {
        /// To what.
        admission: Admission,
        /// The attempt whose points were granted.
        attempt: u32,
    },
    /// Nobody is let in with it.
    Cancelled(Cancelled),
}

/// What a ticket admits to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Admission {
    /// What it belongs to: the booking that it is for.
    pub case: Case,
    /// The screening.
    pub screening: ScreeningId,
    /// What is shown.
    pub movie: ProductName,
    /// Where to sit.
    pub seats: Seats,
    /// What was paid.
    pub price: Money,
}

/// A ticket that was cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancelled {
    /// What it would have admitted to; `None` if it was cancelled before it was issued.
    pub admission: Option<Admission>,
    /// The attempt whose points are to be taken back, if one was under way.
    pub attempt: Option<u32>,
}

// === impl Ticket ===

impl Aggregate for Ticket {
    const NAME: &'static str = "ticket";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Step;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Issue(admission)) => Ok(vec![Event::Issued(admission.clone())]),
            // The cancellation came first, and wins; from here on it can be told what was cancelled.
            (Self::Cancelled(Cancelled { admission: None, .. }), Command::Issue(admission)) => {
                Ok(vec![Event::Voided(admission.clone())])
            }
            // Issued before.
            (_, Command::Issue(_)) => Ok(vec![]),

            (Self::Unborn | Self::Cancelled(Cancelled { admission: None, .. }), Command::Collect) => {
                Err(Rejection::NotFound)
            }
            (Self::Issued { attempts, .. }, Command::Collect) => {
                Ok(vec![Event::CollectionStarted { attempt: attempts + 1 }])
            }
            (Self::Collecting { .. }, Command::Collect) => Err(Rejection::BeingCollected),
            (Self::Collected { .. }, Command::Collect) => Err(Rejection::AlreadyCollected),
            (Self::Cancelled(_), Command::Collect) => Err(Rejection::AlreadyCancelled),

            (Self::Collecting { attempt: current, .. }, Command::AcceptPoints { attempt }) if current == attempt => {
                Ok(vec![Event::Collected { attempt: *attempt }])
            }
            (Self::Collecting { attempt: current, .. }, Command::RefusePoints { attempt, reason })
                if current == attempt =>
            {
                Ok(vec![Event::CollectionRefused { reason: reason.clone() }])
            }
            (Self::Collecting { attempt: current, .. }, Command::GiveUp { attempt, outage }) if current == attempt => {
                Ok(match outage {
                    Outage::NotSent => vec![Event::CollectionNotBegun],
                    Outage::Unknown => vec![Event::CollectionGivenUp { attempt: *attempt }],
                })
            }
            // An answer of loyalty that comes late: what it should have led to was decided without it, and points
            // that were granted all the same are taken back by the reference of their attempt.
            (_, Command::AcceptPoints { .. } | Command::RefusePoints { .. } | Command::GiveUp { .. }) => Ok(vec![]),

            (Self::Unborn, Command::Cancel(Canceller::Holder)) => Err(Rejection::NotFound),
            // Before it was issued: recorded, and wins over the issue.
            (Self::Unborn, Command::Cancel(Canceller::Booking)) => Ok(vec![Event::Cancelled { attempt: None }]),
            (Self::Issued { .. }, Command::Cancel(_)) => Ok(vec![Event::Cancelled { attempt: None }]),
            (Self::Collecting { attempt, .. }, Command::Cancel(_)) => {
                Ok(vec![Event::Cancelled { attempt: Some(*attempt) }])
            }
            (Self::Collected { .. }, Command::Cancel(_)) => Err(Rejection::AlreadyCollected),
            // Cancelling twice is no error.
            (Self::Cancelled(_), Command::Cancel(_)) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Issued(admission)) => {
                Self::Issued { admission: admission.clone(), attempts: 0, refused: String::new() }
            }
            (Self::Cancelled(cancelled), Event::Voided(admission)) => {
                Self::Cancelled(Cancelled { admission: Some(admission.clone()), ..cancelled })
            }
            (Self::Issued { admission, .. }, Event::CollectionStarted { attempt }) => {
                Self::Collecting { admission, attempt: *attempt }
            }
            (Self::Collecting { admission, attempt }, Event::CollectionNotBegun) => {
                Self::Issued { admission, attempts: attempt - 1, refused: String::new() }
            }
            (Self::Collecting { admission, attempt }, Event::CollectionRefused { reason }) => {
                Self::Issued { admission, attempts: attempt, refused: reason.clone() }
            }
            (Self::Collecting { admission, attempt }, Event::CollectionGivenUp { .. }) => {
                Self::Issued { admission, attempts: attempt, refused: String::new() }
            }
            (Self::Collecting { admission, .. }, Event::Collected { attempt }) => {
                Self::Collected { admission, attempt: *attempt }
            }
            (state, Event::Cancelled { attempt }) => {
                Self::Cancelled(Cancelled { admission: state.admission().cloned(), attempt: *attempt })
            }
            // No history holds such a pair.
            (state, _) => state,
        }
    }

    fn due(&self) -> Option<Due<Self>> {
        match self {
            Self::Collecting { admission, attempt } => {
                let Case { shop, customer, .. } = &admission.case;
                let root = admission.case.root.clone();
                let grant = Grant { shop: shop.clone(), member: customer.clone(), root, attempt: *attempt };
                Some(Due::Call(Step::GrantPoints(grant)))
            }
            _ => None,
        }
    }

    fn give_up(&self, step: &Step, unanswered: &Unanswered) -> Option<Command> {
        // The holder stands at the door: a ticket is not collected an hour later.
        let Step::GrantPoints(Grant { attempt, .. }) = step;
        Some(Command::GiveUp { attempt: *attempt, outage: unanswered.outage })
    }

    fn callee(step: &Step) -> Callee {
        match step {
            Step::GrantPoints(_) => LOYALTY,
        }
    }

    fn refusal(&self) -> Option<Rejection> {
        match self {
            Self::Issued { refused, .. } if !refused.is_empty() => Some(Rejection::PointsRefused(refused.clone())),
            _ => None,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Issue(_))
    }

    fn index(&self) -> Option<Index> {
        let admission = self.admission()?;
        Some(Index {
            shop: admission.case.shop.to_string(),
            owner: Phone::key_of(&admission.case.customer),
            reference: admission.case.root.to_string(),
            status: self.status().into(),
        })
    }
}

impl Ticket {
    /// What it admits to, or would have; `None` before that is known.
    pub fn admission(&self) -> Option<&Admission> {
        match self {
            Self::Unborn => None,
            Self::Issued { admission, .. } | Self::Collecting { admission, .. } | Self::Collected { admission, .. } => {
                Some(admission)
            }
            Self::Cancelled(cancelled) => cancelled.admission.as_ref(),
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Issued { .. } | Self::Collecting { .. } => "ISSUED",
            Self::Collected { .. } => "COLLECTED",
            Self::Cancelled(_) => "CANCELLED",
        }
    }

    /// What points are granted for in this attempt. Each has a reference of its own: what an earlier one granted
    /// without an answer is taken back under that, and never stands in the way of a later one.
    pub fn granted_for(id: Id<Self>, attempt: u32) -> Reference {
        match attempt {
            0 | 1 => Reference::new(CONTEXT, id.to_string()),
            _ => Reference::new(CONTEXT, format!("{id}/{attempt}")),
        }
    }
}
