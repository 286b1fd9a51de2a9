//! What travels between contexts.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use uuid::Uuid;

use super::id::derived;
use super::{Aggregate, Id, Origin, Timestamp};

/// One published event on its way: a CloudEvent, whatever the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The event's id, the same however often it is published.
    pub id: Uuid,
    /// The context that published it.
    pub source: Arc<str>,
    /// The event's name in the published language, such as `OrderPlaced`.
    pub name: String,
    /// The aggregate it happened to.
    pub subject: Uuid,
    /// When it happened.
    pub time: Timestamp,
    /// Where it came from.
    pub origin: Origin,
    /// The event itself, as the published language encodes it.
    pub body: Vec<u8>,
}

/// An event that was just recorded, with what the published language needs to tell of it.
#[derive(Debug)]
pub struct Happened<'a, A: Aggregate> {
    /// To which aggregate.
    pub id: Id<A>,
    /// Its revision with the event.
    pub revision: u64,
    /// Its state with the event.
    pub state: &'a A,
    /// What happened.
    pub event: &'a A::Event,
    /// Where it came from.
    pub origin: &'a Origin,
}

/// An event in the published language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name, such as `OrderPlaced`.
    pub name: &'static str,
    /// Its encoding.
    pub body: Vec<u8>,
}

/// How a context publishes its events; `None` keeps one to itself.
pub type Publish<A> = fn(&Happened<'_, A>) -> Option<Published>;

// === impl Message ===

impl Message {
    /// The id of the event that brought an aggregate to `revision`.
    pub fn id_of(subject: Uuid, revision: u64) -> Uuid {
        derived(subject, &revision.to_be_bytes())
    }
}
