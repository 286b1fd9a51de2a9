//! What a context writes: an aggregate of pure functions.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Id, Timestamp};

/// A consistency boundary: pure functions over a state. Its default is what there is before the first event.
pub trait Aggregate:
    Clone + Default + PartialEq + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Names the streams; never changes once events are stored.
    const NAME: &'static str;
    /// The version of the stored state. A state of another version is folded again from its events.
    const VERSION: u32;

    /// The statuses in which its customer waits for something, as [`Index::status`] names them: a case that is open is
    /// not forgotten, unless an operator insists.
    const OPEN: &'static [&'static str] = &[];

    /// What it may be asked to do.
    type Command: Clone + PartialEq + fmt::Debug + Send + Sync + 'static;
    /// What can happen to it. Stored for ever: variants are added, never changed.
    type Event: Clone + PartialEq + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// Why a command can be refused.
    type Rejection: Rejection;
    /// A call it may have to make outside itself; [`Never`] if none.
    type Step: Clone + PartialEq + fmt::Debug + Send + Sync + 'static;
    /// What it keeps by key beside its state; [`Never`] if nothing.
    type Entry: Clone + PartialEq + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The rules: what a command makes happen now, or why it must not.
    fn decide(&self, command: &Self::Command, now: Timestamp) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// What happened. Holds no rules and never fails.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// What this state is waiting to do, or for.
    fn due(&self) -> Option<Due<Self>> {
        None
    }

    /// The command that ends `step` although it was not answered; `None` where it has to be tried until it is. Asked
    /// of an outage, and by an operator who abandons it (never knowing whether it was carried out).
    fn give_up(&self, _step: &Self::Step, _unanswered: &Unanswered) -> Option<Self::Command> {
        None
    }

    /// What it means to it that `step` was not answered, for the `attempts`-th time in a row.
    fn on_outage(&self, step: &Self::Step, unanswered: &Unanswered, _attempts: u32) -> OnOutage<Self::Command> {
        self.give_up(step, unanswered).map_or(OnOutage::Retry, OnOutage::GiveUp)
    }

    /// Who is asked with `step`; said for every step that can be given up.
    fn callee(_step: &Self::Step) -> Callee {
        Callee::SOMEBODY
    }

    /// What to tell a caller who waited and whose command led to this state, if the state itself says no.
    /// Such a request does not use its `request_id` up.
    fn refusal(&self) -> Option<Self::Rejection> {
        None
    }

    /// The id that this state gives its stream, where that is made of what a person is known by: forgotten, it moves to
    /// the id that its new name gives it.
    fn named(&self) -> Option<Id<Self>> {
        None
    }

    /// What lists filter by; `None` while it does not exist for others.
    fn index(&self) -> Option<Index>;

    /// Whether `command` is, as a rule, the first that its stream hears: then the stream is taken for new, and loaded
    /// only if it turns out not to be.
    fn begins(_command: &Self::Command) -> bool {
        false
    }

    /// The key of the entry that `command` is about, if it is about one.
    fn entry_key(_command: &Self::Command) -> Option<String> {
        None
    }

    /// This state with the entry under `key` opened beside it, to decide a command about it.
    #[must_use]
    fn open(self, _key: &str, _entry: Option<Self::Entry>) -> Self {
        self
    }

    /// The open entry, as it is to be kept.
    fn entry(&self) -> Option<&Self::Entry> {
        None
    }
}

/// What a state is waiting for. Stored in the same transaction as the events that led to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Due<A: Aggregate> {
    /// A call, to be made now and until it is answered or given up.
    Call(A::Step),
    /// A point in time at which `command` is decided, unless something else happens first.
    Deadline {
        /// When.
        at: Timestamp,
        /// What then.
        command: A::Command,
    },
}

/// A call that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// What that means for what was asked.
    pub outage: Outage,
    /// What an operator should know.
    pub why: String,
}

/// How a call failed to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// It never reached the callee: nothing happened there.
    NotSent,
    /// It may have reached the callee, and may have been carried out.
    Unknown,
}

/// Who is asked, as callers hear of it when nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callee {
    /// Its name, in the middle of a sentence.
    pub name: &'static str,
    /// For programs: that it is away, in `SCREAMING_SNAKE_CASE`.
    pub reason: &'static str,
}

/// What an outage means to a step.
#[derive(Clone, Debug, PartialEq)]
pub enum OnOutage<C> {
    /// Try again, a little later each time.
    Retry,
    /// Try again after this long.
    RetryIn(Duration),
    /// The customer is waiting: end it with this command.
    GiveUp(C),
}

/// The few columns that lists filter by; empty where an aggregate has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The shop it belongs to.
    pub shop: String,
    /// Whose it is: a phone number in E.164 form, or a name.
    pub owner: String,
    /// What it was made for, as `context/id`.
    pub reference: String,
    /// Where it stands.
    pub status: String,
}

/// Why a command was refused: a fact about the state, in words a caller can act on.
pub trait Rejection: Clone + PartialEq + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// Which kind of refusal it is; adapters map it to their own codes in one place.
    fn kind(&self) -> Kind;
    /// A stable word for programs, in `SCREAMING_SNAKE_CASE`.
    fn reason(&self) -> &'static str;
    /// The field of the request that is at fault, if it is one.
    fn field(&self) -> Option<&'static str> {
        None
    }
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing (for this caller).
    NotFound,
    /// There is one already.
    AlreadyExists,
    /// The request makes no sense, whatever the state.
    Invalid,
    /// The state does not allow it.
    Precondition,
    /// Somebody else was faster; look again and try again.
    Aborted,
    /// Too much was asked for.
    Exhausted,
}

/// A step or an entry of an aggregate that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

// === impl Callee ===

impl Callee {
    /// Whoever it is.
    pub const SOMEBODY: Self = Self { name: "a service this depends on", reason: "UNAVAILABLE" };
}

// === impl Unanswered ===

impl Unanswered {
    /// It never reached the callee.
    pub fn not_sent(why: impl Into<String>) -> Self {
        Self { outage: Outage::NotSent, why: why.into() }
    }

    /// It may have reached the callee.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { outage: Outage::Unknown, why: why.into() }
    }
}
