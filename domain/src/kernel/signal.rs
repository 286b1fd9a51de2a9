//! A bell: wakes whoever waits for something to have happened.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use event_listener::Event;

/// Rung when there is something to do. Rings are counted, so that one between two looks is never missed.
#[derive(Clone, Debug, Default)]
pub struct Signal(Arc<Bell>);

#[derive(Debug, Default)]
struct Bell {
    rings: AtomicU64,
    event: Event,
}

// === impl Signal ===

impl Signal {
    /// Wakes everybody who waits.
    pub fn ring(&self) {
        self.0.rings.fetch_add(1, Ordering::SeqCst);
        self.0.event.notify(usize::MAX);
    }

    /// How often it has rung; take this before looking for work, and wait for more than this after.
    pub fn rings(&self) -> u64 {
        self.0.rings.load(Ordering::SeqCst)
    }

    /// Returns once it has rung more than `heard` times.
    pub async fn after(&self, heard: u64) {
        loop {
            let listener = self.0.event.listen();
            if self.rings() > heard {
                return;
            }
            listener.await;
        }
    }
}
