//! Forgets a person in one context: store, views and bus, again and again until nothing is left and nothing can come.
//!
//! Nothing about it is kept that a crash could lose: what was redacted stays redacted, and what was not is found when it
//! is asked for again. While an erasure runs, what was heard or asked for before it may still arrive; so it is complete
//! only when a look after [`Forgetter::QUIET`] finds nothing.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use uuid::Uuid;

use super::ports::{Clock, Erased, ErasedKind, Forgets, ForgetsMessages, Forgetting, OpenCase, Retell, StoreError};
use super::{Erasure, Forgotten};

/// What forgets people in one context.
pub struct Forgetter {
    /// The context.
    pub context: String,
    /// What it keeps.
    pub store: Arc<dyn Forgets>,
    /// What it published.
    pub bus: Arc<dyn ForgetsMessages>,
    /// Its kinds of aggregate.
    pub kinds: Vec<ErasedKind>,
    /// How its events are redacted.
    pub retell: Retell,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How far one context has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// What was redacted this time.
    pub erased: Erased,
    /// How long to wait before asking again; zero once it is complete here.
    pub wait: Duration,
}

// === impl Forgetter ===

impl Forgetter {
    /// Whatever was under way when the last of it was found has arrived by then: longer than a call may take.
    pub const QUIET: Duration = Duration::from_secs(12);
    /// Whoever asks for the same person again within this time goes on with what was begun.
    pub const GOES_ON: Duration = Duration::from_hours(1);

    /// The cases in which the person waits for something.
    pub async fn open(&self, erasure: &Erasure) -> Result<Vec<OpenCase>, StoreError> {
        self.store.open(erasure, &self.kinds).await
    }

    /// An erasure of the same person that was begun here not long ago: whoever asks again goes on with it, and what
    /// belonged together gets the same name.
    pub async fn begun_before(&self, erasure: &Erasure) -> Result<Option<Uuid>, StoreError> {
        let now = self.clock.now();
        let same = |it: &&Forgotten| {
            now.since(it.since()) < Self::GOES_ON
                && erasure.known().iter().any(|known| it.digest == Forgotten::digest(it.erasure, &known.key))
        };
        Ok(self.store.forgotten().await?.iter().filter(same).map(|it| it.erasure).max())
    }

    /// Redacts whatever there is.
    pub async fn forget(&self, erasure: &Erasure) -> Result<Swept, StoreError> {
        // Remembered first: what is heard from now on does not bring anything back.
        self.store.remember(erasure, self.clock.now()).await?;
        let kept = self.store.sweep(&self.forgetting(erasure)).await?;
        let erasure = erasure.clone().with_moved(kept.moved.iter().copied());
        self.store.remember(&erasure, self.clock.now()).await?;
        let told = self.bus.sweep_messages(&self.forgetting(&erasure)).await?;
        let erased = kept.and(told);
        let last = self.store.close(erasure.id(), erased.is_anything(), self.clock.now()).await?;
        Ok(Swept { erased, wait: last.after(Self::QUIET).since(self.clock.now()) })
    }

    fn forgetting<'a>(&'a self, erasure: &'a Erasure) -> Forgetting<'a> {
        Forgetting { context: &self.context, erasure, retell: self.retell, kinds: &self.kinds }
    }
}
