//! What the ports are given and give back.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use uuid::Uuid;

use crate::kernel::{
    Aggregate, Cause, Claim, ClaimKey, Fingerprint, Id, Index, Message, Origin, Standing, StepKey, Timestamp,
};

/// One attempt at a step.
#[derive(Clone, Debug)]
pub struct Run {
    /// The same for every attempt; the callee recognises it.
    pub key: StepKey,
    /// The revision at which it became due: the same for every attempt, higher for every later step of the stream.
    pub since: u64,
    /// On whose behalf.
    pub origin: Arc<Origin>,
    /// When nobody waits for the answer any more.
    pub deadline: Timestamp,
}

/// What to look up while loading a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Was this answered? `None` where it cannot have been.
    pub cause: Option<Cause>,
    /// What is kept under this key?
    pub key: Option<String>,
}

/// A stream as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<A: Aggregate> {
    /// Its state, revision and times; the default where there is nothing yet.
    pub standing: Standing<A>,
    /// How often what happened was rewritten, as somebody was forgotten: what was loaded before that is not appended to.
    pub era: u64,
    /// The revision at which what is due became due.
    pub since: u64,
    /// How often what is due was tried in vain.
    pub attempts: u32,
    /// For each lookup the revision its cause led to, if it was answered.
    pub answers: Vec<Option<u64>>,
    /// For each lookup the entry kept under its key, if there is one.
    pub entries: Vec<Option<A::Entry>>,
}

/// What a turn of a stream's queue commits.
#[derive(Clone, Debug)]
pub struct Append<A: Aggregate> {
    /// The stream.
    pub id: Id<A>,
    /// The revision it must still have.
    pub after: u64,
    /// The era it must still be in.
    pub era: u64,
    /// What happened, in order; may be empty where only a claim is kept or released.
    pub events: Vec<Recorded<A>>,
    /// Where that leaves it.
    pub standing: Standing<A>,
    /// What lists filter by.
    pub index: Option<Index>,
    /// When to wake it.
    pub wake: Wake,
    /// Where the last of it came from; the origin of what is due.
    pub origin: Arc<Origin>,
    /// Request ids claimed, each with the revision it led to.
    pub claims: Vec<(Claim, u64)>,
    /// Lets go of the claim this stream worked for.
    pub release: bool,
    /// Entries to keep, by key.
    pub entries: Vec<(String, A::Entry)>,
}

/// One event as it is recorded.
#[derive(Clone, Debug)]
pub struct Recorded<A: Aggregate> {
    /// What happened.
    pub event: A::Event,
    /// The state it led to.
    pub state: A,
    /// The cause it answers, on the first event of each change.
    pub cause: Option<Cause>,
    /// Where it came from.
    pub origin: Arc<Origin>,
}

/// What an append does to the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// What was due is still due: its key, attempts and back-off stay.
    Keep,
    /// A call became due, leased from birth to whoever committed it and performs it at once.
    Leased {
        /// When others may take it.
        until: Timestamp,
        /// The revision with which it became due.
        since: u64,
    },
    /// A deadline was set.
    At {
        /// When it passes.
        at: Timestamp,
        /// The revision with which it was set.
        since: u64,
    },
    /// Nothing is due.
    Nothing,
}

/// The holder of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed<A> {
    /// The stream that the request led to.
    pub id: Id<A>,
    /// The revision it led to.
    pub revision: u64,
    /// What was asked for.
    pub fingerprint: Fingerprint,
}

/// A leased piece of the agenda.
#[derive(Clone, Debug)]
pub struct Task<A> {
    /// The stream.
    pub id: Id<A>,
    /// The revision at which it became due.
    pub since: u64,
    /// On whose behalf.
    pub origin: Arc<Origin>,
}

/// What is sought of what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Only what this stream waits for.
    pub only: Option<Uuid>,
    /// Only what was tried in vain.
    pub tried: bool,
    /// Behind this stream.
    pub after: Option<Uuid>,
    /// At most this many.
    pub limit: usize,
}

/// What a stream waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending<A> {
    /// The stream.
    pub id: Id<A>,
    /// The revision with which it became due.
    pub since: u64,
    /// When that was.
    pub became_due: Timestamp,
    /// When it is taken up next.
    pub wake: Timestamp,
    /// Whether a run has leased it until then.
    pub running: bool,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// What went wrong last; empty if nothing did.
    pub error: String,
    /// On whose behalf.
    pub origin: Arc<Origin>,
}

/// A committed event on its way to the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Its place in the outbox.
    pub position: u64,
    /// What to publish.
    pub message: Message,
}

/// Which rows a list wants; `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The shop.
    pub shop: Option<String>,
    /// Whose.
    pub owner: Option<String>,
    /// What it was made for.
    pub reference: Option<String>,
    /// Where it stands.
    pub status: Option<String>,
}

/// Which page of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most this many.
    pub size: usize,
    /// Behind this place: time of creation and id, or the position alone where a list has one.
    pub after: Option<(Timestamp, Uuid)>,
}

/// An aggregate that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<A> {
    /// Its place in the order of changes.
    pub cursor: u64,
    /// Which one.
    pub id: Id<A>,
    /// Where it stands now.
    pub standing: Standing<A>,
}

/// An entry an aggregate keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<A: Aggregate> {
    /// Its place in the list, for `Page::after`.
    pub place: (Timestamp, Uuid),
    /// The key.
    pub key: String,
    /// The entry.
    pub entry: A::Entry,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// A row of a view.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<V> {
    /// Its key.
    pub key: String,
    /// What has been folded so far.
    pub view: V,
    /// Grows with every write; 0 is no row.
    pub version: u64,
    /// Its place in the order of changes.
    pub cursor: u64,
    /// With `created`, its place in lists, for `Page::after`.
    pub place: Uuid,
    /// When it was first written.
    pub created: Timestamp,
    /// When it was last written.
    pub updated: Timestamp,
}

/// A row to be written.
#[derive(Clone, Debug)]
pub struct Save<V> {
    /// Its key.
    pub key: String,
    /// The version it was loaded with.
    pub version: u64,
    /// What it is now.
    pub view: V,
    /// What lists filter by.
    pub index: Index,
    /// Now.
    pub time: Timestamp,
}

/// Who listens to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The context that listens.
    pub consumer: String,
    /// The context it listens to.
    pub source: String,
    /// The names of the events it wants.
    pub names: Vec<String>,
}

/// One delivery of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What to call it in `settle`.
    pub tag: u64,
    /// The message.
    pub message: Arc<Message>,
    /// How often handling it failed by its own fault.
    pub failures: u32,
}

/// A message that a listener could not handle.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Its place among the dead letters of its listener; nothing else is ever there.
    pub place: u64,
    /// Who could not handle it.
    pub listener: String,
    /// The context that published it.
    pub source: String,
    /// The message, whole; `None` where it is no event at all.
    pub message: Option<Arc<Message>>,
    /// What was wrong when it was tried last.
    pub error: String,
    /// How often it was tried in vain.
    pub failures: u32,
    /// When it was tried last.
    pub time: Timestamp,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Handled, or of no concern.
    Done,
    /// Not its fault: deliver it again, and count nothing.
    Later,
    /// Its own fault (undecodable, or a bug): counts; at the limit it becomes a dead letter.
    Failed(String),
}

/// A store that did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It is away, full or shutting down. Nothing was changed; or nobody knows, where it went away in the middle of a
    /// change: causes and claims make it safe to ask again.
    Unavailable(String),
    /// What it holds cannot be read by this version of the program.
    Unreadable(String),
}

/// Why an append was not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The stream has moved on.
    Conflict,
    /// Another stream holds one of the claims.
    Claimed(ClaimKey),
    /// The store failed.
    Store(StoreError),
}

// === impl Loaded ===

impl<A: Aggregate> Default for Loaded<A> {
    fn default() -> Self {
        let standing =
            Standing { state: A::default(), revision: 0, created: Timestamp::default(), updated: Timestamp::default() };
        Self { standing, era: 0, since: 0, attempts: 0, answers: Vec::new(), entries: Vec::new() }
    }
}

// === impl StoreError ===

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store is not available: {why}"),
            Self::Unreadable(why) => write!(f, "the store holds what this version cannot read: {why}"),
        }
    }
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
