//! What the kernel needs from outside: object-safe traits, each with its promises.
//!
//! Every store and bus implements these once for all contexts; `testkit::contract` holds them to the promises.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    Aggregate, BoxFuture, Cause, Claim, ClaimKey, Fingerprint, Id, Index, Message, Origin, Standing, StepKey,
    Timestamp, Unanswered, View,
};

/// The time, and waiting for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Returns once `at` has come.
    async fn until(&self, at: Timestamp);
}

/// Makes ids nobody else makes; later ones sort after earlier ones.
pub trait Ids: Send + Sync {
    /// A new UUID (version 7).
    fn next(&self) -> Uuid;
}

/// Runs work of its own accord, so that whoever asked for it may hang up.
pub trait Tasks: Send + Sync {
    /// Runs `work` to its end, or to the end of the process.
    fn spawn(&self, work: BoxFuture);
}

/// The streams of one kind of aggregate: their states, their events, what they answered.
#[async_trait]
pub trait Journal<A: Aggregate>: Send + Sync {
    /// The stream's state and, for each lookup, what it answered to that cause and keeps under that key.
    async fn load(&self, id: Id<A>, lookups: &[Lookup]) -> Result<Loaded<A>, StoreError>;
    /// Commits all of it or nothing. Durable once it returns.
    async fn append(&self, append: Append<A>) -> Result<(), AppendError>;
    /// Who holds the claim under `key`.
    async fn claimed(&self, key: ClaimKey) -> Result<Option<Claimed<A>>, StoreError>;
    /// All events of a stream, in order, with the time of each.
    async fn history(&self, id: Id<A>) -> Result<Vec<(Timestamp, A::Event)>, StoreError>;
}

/// Pages of aggregates.
#[async_trait]
pub trait Listing<A: Aggregate>: Send + Sync {
    /// Newest first; stable under inserts.
    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<(Id<A>, Standing<A>)>, StoreError>;
    /// The entries an aggregate keeps by key, newest first; `page.after` counts in entry positions.
    async fn entries(&self, id: Id<A>, page: &Page) -> Result<Vec<Kept<A>>, StoreError>;
}

/// Aggregates as they change, for whoever watches.
#[async_trait]
pub trait Feed<A: Aggregate>: Send + Sync {
    /// Waits until aggregates changed after `cursor`, then returns at most `limit` changes in their order, each with
    /// its cursor and the aggregate as it stands now.
    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Change<A>>, StoreError>;
    /// The cursor of the latest change.
    async fn latest(&self) -> Result<u64, StoreError>;
}

/// What is due in one context, shared by its replicas.
#[async_trait]
pub trait Agenda<A: Aggregate>: Send + Sync {
    /// Waits until something is due, then leases at most `limit` of it for `lease`. What is not settled by then
    /// comes back.
    async fn take(&self, limit: usize, lease: Duration) -> Result<Vec<Task<A>>, StoreError>;
    /// The step that became due with `since` failed again: not before `at`. Ignored if it is no longer due.
    async fn put_off(&self, id: Id<A>, since: u64, at: Timestamp, error: &str) -> Result<(), StoreError>;
}

/// What one context has committed and not yet published.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Waits until there is something, then returns at most `limit` of it: in the order of each aggregate, and
    /// skipping nothing, however late it was committed.
    async fn next(&self, limit: usize) -> Result<Vec<Outgoing>, StoreError>;
    /// Everything up to and including `position`, as `next` gave it, is published.
    async fn published(&self, position: u64) -> Result<(), StoreError>;
}

/// Rows of a view, by key.
#[async_trait]
pub trait Views<V: View>: Send + Sync {
    /// The row under each key, if there is one.
    async fn load(&self, keys: &[String]) -> Result<Vec<Option<Row<V>>>, StoreError>;
    /// Writes the rows whose version is still the one they were loaded with; false for each that is not.
    async fn save(&self, rows: Vec<Save<V>>) -> Result<Vec<bool>, StoreError>;
    /// Newest first; stable under inserts.
    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<Row<V>>, StoreError>;
    /// Waits until rows changed after `cursor`, then returns at most `limit` of them in the order of their change.
    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Row<V>>, StoreError>;
    /// The cursor of the latest change.
    async fn latest(&self) -> Result<u64, StoreError>;
}

/// Carries messages from context to context, at least once.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Returns once all of them are kept, in this order.
    async fn publish(&self, messages: Vec<Message>) -> Result<(), StoreError>;
    /// Joins the durable consumer of `subscription`; replicas share it.
    async fn subscribe(&self, subscription: &Subscription) -> Result<Box<dyn Deliveries>, StoreError>;
}

/// What a durable consumer is given, and what it says of it.
#[async_trait]
pub trait Deliveries: Send {
    /// Waits for messages, then returns at most `limit` of them.
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError>;
    /// Says what became of messages that `next` gave.
    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError>;
}

/// Performs the calls of an aggregate.
#[async_trait]
pub trait Perform<A: Aggregate>: Send + Sync {
    /// Makes the call once; what comes back is decided like any other command.
    async fn perform(&self, id: Id<A>, step: &A::Step, run: &Run) -> Result<A::Command, Unanswered>;
}

/// One attempt at a step.
#[derive(Clone, Debug)]
pub struct Run {
    /// The same for every attempt; the callee recognises it.
    pub key: StepKey,
    /// On whose behalf.
    pub origin: Arc<Origin>,
    /// When nobody waits for the answer any more.
    pub deadline: Timestamp,
}

/// What to look up while loading a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Was this answered?
    pub cause: Cause,
    /// What is kept under this key?
    pub key: Option<String>,
}

/// A stream as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<A: Aggregate> {
    /// Its state, revision and times; the default where there is nothing yet.
    pub standing: Standing<A>,
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
    /// It is away, full or shutting down; nothing was changed.
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
        Self { standing, since: 0, attempts: 0, answers: Vec::new(), entries: Vec::new() }
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
