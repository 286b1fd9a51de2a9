//! Hears nothing of whoever was forgotten: what comes late is heard without them.

use std::mem;
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
    /// What was given out and not handed on: whoever waits for the guard may stop waiting.
    ready: Vec<Delivery>,
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
        Self { inner, guard, ready: Vec::new() }
    }
}

#[async_trait]
impl Deliveries for Recognised {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        if self.ready.is_empty() {
            self.ready = self.inner.next(limit).await?;
        }
        let forgotten = match self.guard.forgotten().await {
            Ok(forgotten) => forgotten,
            Err(error) => {
                let later = self.ready.iter().map(|delivery| (delivery.tag, Verdict::Later)).collect();
                let settled = self.inner.settle(later).await;
                self.ready.clear();
                settled?;
                return Err(error);
            }
        };
        let mut deliveries = mem::take(&mut self.ready);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt;
    use highstreet_domain::kernel::ports::{Erased, ErasedKind, Forgetting, OpenCase};
    use highstreet_domain::kernel::{Erasure, Message, Origin};
    use highstreet_foundation::SystemClock;
    use uuid::Uuid;

    use super::*;

    /// A store that answers when it is told to.
    struct Slow(AtomicBool);

    /// Gives out one message, once.
    struct Once(bool);

    #[async_trait]
    impl Forgets for Slow {
        async fn open(&self, _: &Erasure, _: &[ErasedKind]) -> Result<Vec<OpenCase>, StoreError> {
            Ok(Vec::new())
        }

        async fn remember(&self, _: &Erasure, _: Timestamp) -> Result<(), StoreError> {
            Ok(())
        }

        async fn sweep(&self, _: &Forgetting<'_>) -> Result<Erased, StoreError> {
            Ok(Erased::default())
        }

        async fn close(&self, _: Uuid, _: bool, now: Timestamp) -> Result<Timestamp, StoreError> {
            Ok(now)
        }

        async fn forgotten(&self) -> Result<Vec<Forgotten>, StoreError> {
            if self.0.load(Ordering::SeqCst) { Ok(Vec::new()) } else { std::future::pending().await }
        }
    }

    #[async_trait]
    impl Deliveries for Once {
        async fn next(&mut self, _: usize) -> Result<Vec<Delivery>, StoreError> {
            if std::mem::replace(&mut self.0, true) {
                return std::future::pending().await;
            }
            let message = Message {
                id: Uuid::from_u128(1),
                source: "ordering".into(),
                name: "OrderPaid".into(),
                subject: Uuid::from_u128(2),
                time: SystemClock.now(),
                origin: Origin::default(),
                body: Vec::new(),
            };
            Ok(vec![Delivery { tag: 1, message: Arc::new(message), failures: 0 }])
        }

        async fn settle(&mut self, _: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn nothing_is_lost_if_nobody_waits_to_the_end() {
        let store = Arc::new(Slow(AtomicBool::new(false)));
        let guard = Arc::new(Guard::new(store.clone(), Arc::new(SystemClock)));
        let mut heard = Recognised::new(Box::new(Once(false)), guard);
        assert!(heard.next(10).now_or_never().is_none(), "it waits for whom to recognise");
        store.0.store(true, Ordering::SeqCst);
        let batch = heard.next(10).now_or_never().expect("it is there").expect("and can be heard");
        assert_eq!(batch.iter().map(|delivery| delivery.tag).collect::<Vec<_>>(), [1]);
    }
}
