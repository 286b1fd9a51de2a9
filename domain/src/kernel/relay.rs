//! Carries what was committed to the bus: at least once, in the order of each aggregate, skipping nothing.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::ports::{Bus, Clock, Outbox, StoreError};

const AT_ONCE: usize = 512;
const AWAY: Duration = Duration::from_millis(200);

/// One per outbox.
pub struct Relay {
    /// What is to be published.
    pub outbox: Arc<dyn Outbox>,
    /// Where to.
    pub bus: Arc<dyn Bus>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

// === impl Relay ===

impl Relay {
    /// Publishes until it is dropped.
    pub async fn run(self) {
        loop {
            if self.publish_next().await.is_err() {
                self.clock.until(self.clock.now().after(AWAY)).await;
            }
        }
    }

    /// Publishes the next batch, waiting for one.
    pub async fn publish_next(&self) -> Result<(), StoreError> {
        let outgoing = self.outbox.next(AT_ONCE).await?;
        let Some(last) = outgoing.last().map(|outgoing| outgoing.position) else { return Ok(()) };
        let messages: Vec<_> = outgoing.into_iter().map(|outgoing| outgoing.message).collect();
        self.bus.publish(messages).await?;
        // Forgotten in a crash, this publishes again: consumers know a message when they see it twice.
        self.outbox.published(last).await
    }
}
