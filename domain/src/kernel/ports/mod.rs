//! What the kernel needs from outside: object-safe traits, each with its promises.
//!
//! Every store and bus implements these once for all contexts; `testkit::contract` holds them to the promises.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

mod forgetting;
mod values;

pub use forgetting::{Erased, ErasedKind, Forgets, ForgetsMessages, Forgetting, OpenCase, Retell};
pub use values::{
    Append, AppendError, Change, Claimed, DeadLetter, Delivery, Filter, Kept, Loaded, Lookup, Outgoing, Page, Pending,
    Recorded, Row, Run, Save, Sought, StoreError, Subscription, Task, Verdict, Wake,
};

use super::{Aggregate, BoxFuture, ClaimKey, Id, Message, Standing, Timestamp, Unanswered, View};

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

    /// Does a step of somebody's work. `false` if it panicked: that is the end of this work, and of nothing else.
    fn contain(&self, step: &mut dyn FnMut()) -> bool;
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
    /// What waits, leased or not, in the order of ids.
    async fn pending(&self, sought: &Sought) -> Result<Vec<Pending<A>>, StoreError>;
    /// Leases the step that became due with `since` before its time. `None` where a run has leased it, or where it is
    /// no longer due.
    async fn seize(&self, id: Id<A>, since: u64, lease: Duration) -> Result<Option<Task<A>>, StoreError>;
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
    /// Writes the rows whose version is still the one they were loaded with; false for each that is not. What a loss of
    /// power takes, a projector makes anew: it settles nothing before `flush`.
    async fn save(&self, rows: Vec<Save<V>>) -> Result<Vec<bool>, StoreError>;
    /// Whether a loss of power might take something that was saved. Never where saved means kept.
    fn is_unflushed(&self) -> bool {
        false
    }
    /// Returns once everything saved or loaded through this so far survives a loss of power; fails if it may be gone.
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Newest first; stable under inserts.
    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<Row<V>>, StoreError>;
    /// Waits until rows changed after `cursor`, then returns at most `limit` of them in the order of their change.
    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Row<V>>, StoreError>;
    /// The cursor of the latest change.
    async fn latest(&self) -> Result<u64, StoreError>;
}

/// Rows of a view that are made anew beside those that answer.
#[async_trait]
pub trait Renewal<V: View>: Send + Sync {
    /// Rows under `name`, beside the view's own.
    fn beside(&self, name: &str) -> Arc<dyn Views<V>>;
    /// The names under which there are rows beside the view's own.
    async fn beside_names(&self) -> Result<Vec<String>, StoreError>;
    /// Keeps everybody from writing the view's own rows until what is returned is dropped. They answer as before.
    async fn hold(&self) -> Result<Box<dyn Held>, StoreError>;
    /// Removes the rows under `name`.
    async fn clear(&self, name: &str) -> Result<(), StoreError>;
}

/// A view whose own rows nobody writes.
#[async_trait]
pub trait Held: Send {
    /// Puts the rows under `name` in the place of the view's own, all at once, and lets go; returns how many there are.
    /// A row that was there before keeps its place and its time, and one that is the same is no change. If there are
    /// none under `name`, nothing changes.
    async fn adopt(self: Box<Self>, name: &str) -> Result<u64, StoreError>;
}

/// Carries messages from context to context, at least once.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Returns once all of them are accepted, in this order. What a loss of power takes, a relay publishes again: it
    /// forgets nothing before `flush`.
    async fn publish(&self, messages: Vec<Message>) -> Result<(), StoreError>;
    /// Returns once everything accepted so far survives a loss of power. At once where accepted means kept.
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Joins the durable consumer of `subscription`; replicas share it.
    async fn subscribe(&self, subscription: &Subscription) -> Result<Box<dyn Deliveries>, StoreError>;
}

/// The messages that listeners could not handle.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// At most `limit` of those of `listener` behind `place`, oldest first.
    async fn behind(&self, listener: &str, place: u64, limit: usize) -> Result<Vec<DeadLetter>, StoreError>;
    /// Gives one once more to the listener that could not handle it, and to no other, as if it had never failed; it is
    /// no dead letter any more. False if there is none.
    async fn replay(&self, listener: &str, place: u64) -> Result<bool, StoreError>;
    /// Forgets one. False if there is none.
    async fn discard(&self, listener: &str, place: u64) -> Result<bool, StoreError>;
}

/// How far durable consumers have come.
#[async_trait]
pub trait Durables: Send + Sync {
    /// The place of the latest message of `source`.
    async fn head(&self, source: &str) -> Result<u64, StoreError>;
    /// Everything up to this place that `subscription` wants is settled, or put aside as failed.
    async fn settled(&self, subscription: &Subscription) -> Result<u64, StoreError>;
    /// Forgets the durable consumer, with what it put aside. Nobody may have joined it.
    async fn forget(&self, subscription: &Subscription) -> Result<(), StoreError>;
}

/// What a durable consumer is given, and what it says of it.
#[async_trait]
pub trait Deliveries: Send {
    /// Waits for messages, then returns at most `limit` of them. Nothing is lost if nobody waits to the end.
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError>;
    /// Says what became of messages that `next` gave.
    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError>;
}

/// Performs the calls of an aggregate.
#[async_trait]
pub trait Perform<A: Aggregate>: Send + Sync {
    /// Makes the call once; what comes back is decided like any other command.
    async fn perform(&self, id: Id<A>, step: &A::Step, run: &Run) -> Result<A::Command, Unanswered>;
    /// Why this call would not be sent now, if that is known beforehand: whoever is asked did not answer lately. What
    /// is nothing without the call is then not begun. Once trying is worth while again it returns `None`.
    fn unreachable(&self, _step: &A::Step) -> Option<Unanswered> {
        None
    }
}
