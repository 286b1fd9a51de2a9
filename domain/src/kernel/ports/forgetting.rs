//! Forgetting people: what stores and buses are asked to do.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::kernel::{Erasure, Forgotten, Redact, Timestamp};

/// What one context forgets of a person, in its streams and views.
#[async_trait]
pub trait Forgets: Send + Sync {
    /// The streams of the person that are in a status in which they wait for something.
    async fn open(&self, erasure: &Erasure, kinds: &[ErasedKind]) -> Result<Vec<OpenCase>, StoreError>;
    /// Remembers whom to recognise in what comes late. What was remembered before is kept, for as long as it is of use.
    async fn remember(&self, erasure: &Erasure, now: Timestamp) -> Result<(), StoreError>;
    /// Redacts all that is kept, stream by stream: each as a whole or not at all. What was loaded before is not appended
    /// to any more.
    async fn sweep(&self, forgetting: &Forgetting<'_>) -> Result<Erased, StoreError>;
    /// Notes whether anything was `found` now, and sees to it that what was overwritten is no longer in the store's
    /// files. Returns when something was found last.
    async fn close(&self, erasure: Uuid, found: bool, now: Timestamp) -> Result<Timestamp, StoreError>;
    /// Everybody to be recognised.
    async fn forgotten(&self) -> Result<Vec<Forgotten>, StoreError>;
}

/// What a bus forgets of a person.
#[async_trait]
pub trait ForgetsMessages: Send + Sync {
    /// Redacts what the context published and what its listeners put aside. A message that somebody is still to hear is
    /// heard, as it is then.
    async fn sweep_messages(&self, forgetting: &Forgetting<'_>) -> Result<Erased, StoreError>;
}

/// Makes of the event `name` of `source` what it is without what is to be redacted; `None` if nothing is. What cannot be
/// read and holds something is emptied.
pub type Retell = fn(redact: &dyn Redact, source: &str, name: &str, body: &[u8]) -> Option<Vec<u8>>;

/// What is to be forgotten, and how.
#[derive(Clone, Copy)]
pub struct Forgetting<'a> {
    /// In which context.
    pub context: &'a str,
    /// Who.
    pub erasure: &'a Erasure,
    /// How published events are redacted.
    pub retell: Retell,
    /// The kinds of aggregate that the context has.
    pub kinds: &'a [ErasedKind],
}

/// What forgetting has to know of a kind of aggregate.
#[derive(Clone, Copy, Debug)]
pub struct ErasedKind {
    /// Its name.
    pub aggregate: &'static str,
    /// The statuses in which its customer waits for something.
    pub open: &'static [&'static str],
    /// The id that a stored state gives its stream, where that is made of what a person is known by.
    pub named: fn(state: &[u8]) -> Option<Uuid>,
}

/// A case in which the person waits for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// The stream.
    pub id: Uuid,
    /// Where it stands.
    pub status: String,
}

/// What was redacted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Streams, whatever of them.
    pub streams: u64,
    /// Events of them.
    pub events: u64,
    /// Entries kept beside their states.
    pub entries: u64,
    /// Rows of views.
    pub rows: u64,
    /// Messages on the bus.
    pub messages: u64,
    /// Messages put aside by listeners.
    pub letters: u64,
    /// Streams that were named by what is forgotten, now or before: each with the id it had and the one it has.
    pub moved: Vec<(Uuid, Uuid)>,
}

// === impl Erased ===

impl Erased {
    /// Whether there was anything to redact.
    pub const fn is_anything(&self) -> bool {
        self.streams + self.events + self.entries + self.rows + self.messages + self.letters > 0
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            streams: self.streams + other.streams,
            events: self.events + other.events,
            entries: self.entries + other.entries,
            rows: self.rows + other.rows,
            messages: self.messages + other.messages,
            letters: self.letters + other.letters,
            moved: self.moved.into_iter().chain(other.moved).collect(),
        }
    }
}

impl fmt::Debug for Forgetting<'_> {
    /// Without whom it is about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forgetting").field("erasure", &self.erasure.id()).finish_non_exhaustive()
    }
}
