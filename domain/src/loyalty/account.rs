//! One member's account in one program of one shop.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::kernel::{self, Aggregate, Id, Index, Kind, Never, Phone, Reference, ShopId, Timestamp};

/// A balance. Its entries are kept by reference beside it, so that it stays small for ever.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is; `None` before anything was entered.
    pub name: Option<AccountName>,
    /// What was earned and not taken back; never below 0.
    pub balance: i64,
    /// The entry that was read, or written, last.
    #[serde(skip)]
    entry: Option<Entry>,
}

/// What people call an account by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountName {
    /// The shop.
    pub shop: ShopId,
    /// The program.
    pub program: Program,
    /// The member: a phone number or a name.
    pub member: String,
}

/// What is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// A stamp for every drink.
    Stamps,
    /// Points for tickets collected.
    Points,
}

/// What one reference earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it was earned for.
    pub reference: Reference,
    /// How much; 0 if it was taken back before it was earned.
    pub earned: i64,
    /// Whether it was taken back.
    pub reversed: bool,
    /// When it was first entered.
    pub created: Timestamp,
}

/// What an account may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Enter what was earned.
    Earn {
        /// Whose account.
        name: AccountName,
        /// For what.
        reference: Reference,
        /// How much.
        amount: u64,
        /// The order or booking that all of this belongs to, if that is not `reference` itself.
        root: Option<Reference>,
    },
    /// Take back what was earned.
    Reverse {
        /// Whose account.
        name: AccountName,
        /// For what.
        reference: Reference,
        /// The order or booking that all of this belongs to, if that is not `reference` itself.
        root: Option<Reference>,
    },
}

/// What can happen to an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Something was earned.
    Earned {
        /// Whose account.
        name: AccountName,
        /// For what.
        reference: Reference,
        /// How much.
        amount: i64,
        /// When.
        time: Timestamp,
        /// The order or booking that all of this belongs to, if that is not `reference` itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root: Option<Reference>,
    },
    /// What was earned was taken back; or, with nothing, what may come later will not be earned.
    Reversed {
        /// Whose account.
        name: AccountName,
        /// For what.
        reference: Reference,
        /// How much.
        amount: i64,
        /// When.
        time: Timestamp,
        /// The order or booking that all of this belongs to, if that is not `reference` itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root: Option<Reference>,
    },
}

/// Why an account does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// It was taken back before.
    #[error("what this reference earns was taken back")]
    AlreadyReversed,
    /// No account holds so much.
    #[error("no account holds so much")]
    TooMuch,
}

// === impl Account ===

impl Aggregate for Account {
    const NAME: &'static str = "account";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Never;
    type Entry = Entry;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (&self.entry, command) {
            (None, Command::Earn { name, reference, amount, root }) => {
                let amount = i64::try_from(*amount).map_err(|_| Rejection::TooMuch)?;
                self.balance.checked_add(amount).ok_or(Rejection::TooMuch)?;
                let (name, reference, root) = (name.clone(), reference.clone(), root.clone());
                Ok(vec![Event::Earned { name, reference, amount, time: now, root }])
            }
            (Some(Entry { reversed: true, .. }), Command::Earn { .. }) => Err(Rejection::AlreadyReversed),
            // One reference earns once.
            (Some(Entry { reversed: false, .. }), Command::Earn { .. }) => Ok(vec![]),

            // Before it was earned: recorded, and wins over the earning.
            (None, Command::Reverse { name, reference, root }) => {
                let (name, reference, root) = (name.clone(), reference.clone(), root.clone());
                Ok(vec![Event::Reversed { name, reference, amount: 0, time: now, root }])
            }
            (Some(Entry { reversed: false, earned, .. }), Command::Reverse { name, reference, root }) => {
                let amount = (*earned).min(self.balance);
                let (name, reference, root) = (name.clone(), reference.clone(), root.clone());
                Ok(vec![Event::Reversed { name, reference, amount, time: now, root }])
            }
            // One reference is reversed once.
            (Some(Entry { reversed: true, .. }), Command::Reverse { .. }) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Earned { name, reference, amount, time, .. } => Self {
                name: Some(name.clone()),
                balance: self.balance + amount,
                entry: Some(Entry { reference: reference.clone(), earned: *amount, reversed: false, created: *time }),
            },
            Event::Reversed { name, reference, amount, time, .. } => Self {
                name: Some(name.clone()),
                balance: self.balance - amount,
                entry: Some(Entry {
                    reference: reference.clone(),
                    earned: *amount,
                    reversed: true,
                    created: self.entry.filter(|entry| entry.reference == *reference).map_or(*time, |it| it.created),
                }),
            },
        }
    }

    fn named(&self) -> Option<Id<Self>> {
        self.name.as_ref().map(AccountName::id)
    }

    fn index(&self) -> Option<Index> {
        let name = self.name.as_ref()?;
        Some(Index {
            shop: name.shop.to_string(),
            owner: name.member_key(),
            reference: String::new(),
            status: String::new(),
        })
    }

    fn entry_key(command: &Command) -> Option<String> {
        let (Command::Earn { reference, .. } | Command::Reverse { reference, .. }) = command;
        Some(reference.to_string())
    }

    fn open(self, _key: &str, entry: Option<Entry>) -> Self {
        Self { entry, ..self }
    }

    fn entry(&self) -> Option<&Entry> {
        self.entry.as_ref()
    }
}

// === impl AccountName ===

impl AccountName {
    /// The account's id: the same however a phone number is written.
    pub fn id(&self) -> Id<Account> {
        Id::named(&[self.shop.as_str(), self.program.as_str(), &self.member_key()])
    }

    /// Whose it is, as lists filter by it.
    pub fn member_key(&self) -> String {
        Phone::key_of(&self.member)
    }
}

// === impl Program ===

impl Program {
    /// The program's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stamps => "STAMPS",
            Self::Points => "POINTS",
        }
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::AlreadyReversed => Kind::Precondition,
            Self::TooMuch => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::AlreadyReversed => "ALREADY_REVERSED",
            Self::TooMuch => "TOO_MUCH",
        }
    }
}
