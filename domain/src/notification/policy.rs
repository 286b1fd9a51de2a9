//! Who is told of what.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use uuid::Uuid;

use super::notification::{Command, Letter, Notification, Recipient, Role};
use super::templates::{Locale, text};
use crate::kernel::{Case, Id};

/// What notification listens for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The message it came in: one notification per message and recipient.
    pub message: Uuid,
    /// What it belongs to.
    pub case: Case,
    /// The event's name.
    pub event: String,
    /// What happened.
    pub happening: Happening,
}

/// What people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A customer ordered.
    OrderPlaced {
        /// How many drinks.
        drinks: u64,
    },
    /// A customer paid.
    OrderPaid,
    /// The drinks are ready.
    PreparationReady,
    /// The customer has the drinks.
    OrderCompleted,
    /// An order was cancelled.
    OrderCancelled {
        /// Whether it had been paid.
        paid: bool,
    },
    /// An order was cancelled after it had been delivered.
    RecallRefused,
}

/// The notifications that follow from `fact`, written in `locale`.
pub fn react(fact: &Fact, locale: Locale) -> Vec<(Id<Notification>, Command)> {
    let recipient = fact.happening.recipient(&fact.case);
    let id =
        Id::named(&[fact.message.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()), recipient.role.as_str()]);
    let letter = Letter {
        case: fact.case.clone(),
        recipient,
        event: fact.event.clone(),
        locale,
        text: text(&fact.happening, locale),
    };
    vec![(id, Command::Notify(letter))]
}

// === impl Happening ===

impl Happening {
    fn recipient(self, case: &Case) -> Recipient {
        match self {
            Self::OrderPlaced { .. }
            | Self::OrderPaid
            | Self::PreparationReady
            | Self::OrderCompleted
            | Self::OrderCancelled { .. } => Recipient { role: Role::Customer, name: case.customer.clone() },
            Self::RecallRefused => Recipient { role: Role::Staff, name: Role::Staff.as_str().into() },
        }
    }
}
