//! Hears nothing of whoever was forgotten: what comes late is heard without them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Deliveries, Delivery, Forgets, StoreError, Verdict};
use highstreet_domain::kernel::{Forgotten, Timestamp, heard_late};
use highstreet_wire::erasing::retell;
use tokio::sync::Mutex;

/// Another replica may have forgotten somebody: looked at this often, when something is heard.
const LOOK: Duration = Duration::from_secs(1);

/// Whom a context has forgotten.
pub(crate) struct Guard {
    store: Arc<dyn Forgets>,
    clock: Arc<dyn Clock>,
    seen: Mutex<(Timestamp, Arc<[Forgotten]>)>,
}

/// Deliveries without those who were forgotten.
pub(crate) struct Recognised {
    inner: Box<dyn Deliveries>,
    guard: Arc<Guard>,
}

// === impl Guard ===

impl Guard {
    pub(crate) fn new(store: Arc<dyn Forgets>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, seen: Mutex::new((Timestamp::default(), Arc::from([]))) }
    }

    /// While it cannot be read, nothing that is heard could be kept either.
    async fn forgotten(&self) -> Result<Arc<[Forgotten]>, StoreError> {
        let mut seen = self.seen.lock().await;
        let now = self.clock.now();
        if now >= seen.0.after(LOOK) {
            *seen = (now, self.store.forgotten().await?.into());
        }
        Ok(seen.1.clone())
    }
}

// === impl Recognised ===

impl Recognised {
    pub(crate) fn new(inner: Box<dyn Deliveries>, guard: Arc<Guard>) -> Self {
        Self { inner, guard }
    }
}

#[async_trait]
impl Deliveries for Recognised {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let mut deliveries = self.inner.next(limit).await?;
        let forgotten = match self.guard.forgotten().await {
            Ok(forgotten) => forgotten,
            Err(error) => {
                let later = deliveries.iter().map(|delivery| (delivery.tag, Verdict::Later)).collect();
                self.inner.settle(later).await?;
                return Err(error);
            }
        };
        if !forgotten.is_empty() {
            for delivery in &mut deliveries {
                delivery.message = heard_late(&delivery.message, &forgotten, retell);
            }
        }
        Ok(deliveries)
    }

    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
        self.inner.settle(verdicts).await
    }
}
