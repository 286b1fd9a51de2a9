//! One message to one person.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::templates::Locale;
use crate::kernel::{self, Aggregate, Callee, Case, Due, Index, Kind, Never, OnOutage, Phone, Timestamp, Unanswered};

/// How often sending is tried before it counts as failed: over about eight minutes.
const MOST_ATTEMPTS: u32 = 12;
const NOTIFIER: Callee = Callee { name: "the notifier", reason: "NOTIFIER_UNAVAILABLE" };

/// Where a notification stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Notification {
    /// There is none.
    #[default]
    Unborn,
    /// To be sent.
    Pending(Letter),
    /// Sent.
    Sent(Letter),
    /// Not sent, and no longer tried.
    Failed {
        /// What was to be sent.
        letter: Letter,
        /// What the carrier said last.
        error: String,
    },
}

/// What is to be said to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// What it belongs to.
    pub case: Case,
    /// To whom.
    pub recipient: Recipient,
    /// The event it tells of.
    pub event: String,
    /// The language it is written in.
    pub locale: Locale,
    /// The message.
    pub text: String,
}

/// Who gets a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// In which role.
    pub role: Role,
    /// A phone number or name; the role's name where one is not known.
    pub name: String,
}

/// The roles that messages go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Whoever owns the shop.
    Owner,
    /// The customer.
    Customer,
    /// Whoever works in the shop.
    Staff,
}

/// What a notification may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Tell somebody.
    Notify(Letter),
    /// It was sent.
    ConfirmSent,
    /// It cannot be sent.
    GiveUp {
        /// What the carrier said.
        error: String,
    },
    /// Try again after all.
    Resend,
}

/// What can happen to a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was written.
    Written(Letter),
    /// It was sent.
    Sent,
    /// It could not be sent.
    Failed {
        /// What the carrier said.
        error: String,
    },
    /// It is to be sent after all.
    Resent,
}

/// What a notification has to ask of the carrier.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send it.
    Send(Letter),
}

/// Why a notification does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such notification.
    #[error("there is no such notification")]
    NotFound,
    /// It was sent.
    #[error("this notification was sent already")]
    AlreadySent,
    /// It is still being tried.
    #[error("this notification is still being tried; wait until it is sent or has failed")]
    StillPending,
}

// === impl Notification ===

impl Aggregate for Notification {
    const NAME: &'static str = "notification";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Step;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Notify(letter)) => Ok(vec![Event::Written(letter.clone())]),
            // One message per event and recipient.
            (_, Command::Notify(_)) => Ok(vec![]),

            (Self::Pending(_), Command::ConfirmSent) => Ok(vec![Event::Sent]),
            (Self::Pending(_), Command::GiveUp { error }) => Ok(vec![Event::Failed { error: error.clone() }]),
            // An answer that comes late: the first one stands.
            (_, Command::ConfirmSent | Command::GiveUp { .. }) => Ok(vec![]),

            (Self::Failed { .. }, Command::Resend) => Ok(vec![Event::Resent]),
            (Self::Unborn, Command::Resend) => Err(Rejection::NotFound),
            (Self::Pending(_), Command::Resend) => Err(Rejection::StillPending),
            (Self::Sent(_), Command::Resend) => Err(Rejection::AlreadySent),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Written(letter)) => Self::Pending(letter.clone()),
            (Self::Pending(letter), Event::Sent) => Self::Sent(letter),
            (Self::Pending(letter), Event::Failed { error }) => Self::Failed { letter, error: error.clone() },
            (Self::Failed { letter, .. }, Event::Resent) => Self::Pending(letter),
            // No history holds such a pair.
            (state, _) => state,
        }
    }

    fn due(&self) -> Option<Due<Self>> {
        match self {
            Self::Pending(letter) => Some(Due::Call(Step::Send(letter.clone()))),
            _ => None,
        }
    }

    fn give_up(&self, _step: &Step, unanswered: &Unanswered) -> Option<Command> {
        Some(Command::GiveUp { error: unanswered.why.clone() })
    }

    fn callee(_step: &Step) -> Callee {
        NOTIFIER
    }

    fn on_outage(&self, step: &Step, unanswered: &Unanswered, attempts: u32) -> OnOutage<Command> {
        if attempts >= MOST_ATTEMPTS
            && let Some(command) = self.give_up(step, unanswered)
        {
            return OnOutage::GiveUp(command);
        }
        OnOutage::RetryIn(Duration::from_millis(500 << (attempts - 1).min(7)).min(Duration::from_mins(1)))
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Notify(_))
    }

    fn index(&self) -> Option<Index> {
        let letter = self.letter()?;
        let name = &letter.recipient.name;
        Some(Index {
            shop: letter.case.shop.to_string(),
            owner: Phone::key_of(name),
            reference: letter.case.root.to_string(),
            status: self.status().into(),
        })
    }
}

impl Notification {
    /// What is to be said to whom; `None` if there is nothing.
    pub fn letter(&self) -> Option<&Letter> {
        match self {
            Self::Unborn => None,
            Self::Pending(letter) | Self::Sent(letter) | Self::Failed { letter, .. } => Some(letter),
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Pending(_) => "PENDING",
            Self::Sent(_) => "SENT",
            Self::Failed { .. } => "FAILED",
        }
    }
}

// === impl Role ===

impl Role {
    /// The role as configuration names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Customer => "customer",
            Self::Staff => "staff",
        }
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadySent | Self::StillPending => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "NOTIFICATION_NOT_FOUND",
            Self::AlreadySent => "ALREADY_SENT",
            Self::StillPending => "STILL_PENDING",
        }
    }
}
