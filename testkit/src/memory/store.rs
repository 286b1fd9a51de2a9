//! What the streams of one context share: claims, outbox, bells, and the trouble that befalls them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};

use highstreet_domain::kernel::ports::{Clock, StoreError};
use highstreet_domain::kernel::{ClaimKey, Fingerprint, Message, Signal};
use uuid::Uuid;

use super::trouble::{Call, NoTrouble, Strike, Trouble};
use super::turns::step_aside;
use crate::lock;

/// The store of one context. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    source: Arc<str>,
    clock: Arc<dyn Clock>,
    trouble: Arc<dyn Trouble>,
    contents: Mutex<Contents>,
    published: Signal,
    due: Signal,
    viewed: Signal,
}

#[derive(Default)]
pub(super) struct Contents {
    pub(super) claims: BTreeMap<ClaimKey, Holder>,
    pub(super) outbox: BTreeMap<u64, Message>,
    pub(super) positions: u64,
}

/// Who holds a claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub(super) stream: Uuid,
    pub(super) revision: u64,
    pub(super) fingerprint: Fingerprint,
}

// === impl Store ===

impl Store {
    /// An empty store of the context called `source`.
    pub fn new(source: &str, clock: Arc<dyn Clock>) -> Self {
        Self::troubled(source, clock, Arc::new(NoTrouble))
    }

    /// An empty store whose calls fare as `trouble` says.
    pub fn troubled(source: &str, clock: Arc<dyn Clock>, trouble: Arc<dyn Trouble>) -> Self {
        Self(Arc::new(Shared {
            source: source.into(),
            clock,
            trouble,
            contents: Mutex::default(),
            published: Signal::default(),
            due: Signal::default(),
            viewed: Signal::default(),
        }))
    }

    /// How many events wait to be published.
    pub fn unpublished(&self) -> usize {
        lock(&self.0.contents).outbox.len()
    }

    /// Makes a call: steps aside, then does `work` unless the store is away.
    pub(super) async fn call<T>(&self, call: Call, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        step_aside().await;
        match self.0.trouble.strike(call) {
            Strike::Spared => Ok(work()),
            Strike::Away => Err(StoreError::Unavailable("the store is away".into())),
            Strike::Silenced => {
                work();
                pending().await
            }
        }
    }

    /// Looks at, or changes, what all streams share.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Contents) -> T) -> T {
        work(&mut lock(&self.0.contents))
    }

    pub(super) fn source(&self) -> Arc<str> {
        self.0.source.clone()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// Rung when there is something to publish.
    pub(super) fn published(&self) -> &Signal {
        &self.0.published
    }

    /// Rung when the agenda changed.
    pub(super) fn due(&self) -> &Signal {
        &self.0.due
    }

    /// Rung when rows of a view changed.
    pub(super) fn viewed(&self) -> &Signal {
        &self.0.viewed
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.0.source).finish()
    }
}

// === impl Contents ===

impl Contents {
    pub(super) fn publish(&mut self, message: Message) {
        self.positions += 1;
        self.outbox.insert(self.positions, message);
    }
}
