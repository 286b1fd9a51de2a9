//! What is committed and not yet published, in memory.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Outbox, Outgoing, StoreError};

use super::Store;
use super::trouble::Call;

/// The outbox of a [`Store`].
#[derive(Clone, Debug)]
pub struct MemoryOutbox(pub Store);

// === impl MemoryOutbox ===

#[async_trait]
impl Outbox for MemoryOutbox {
    async fn next(&self, limit: usize) -> Result<Vec<Outgoing>, StoreError> {
        loop {
            let rings = self.0.published().rings();
            let outgoing = self.0.call(Call::Read, || self.first(limit)).await?;
            if !outgoing.is_empty() {
                return Ok(outgoing);
            }
            self.0.published().after(rings).await;
        }
    }

    async fn published(&self, position: u64) -> Result<(), StoreError> {
        let forget = || self.0.with(|contents| contents.outbox = contents.outbox.split_off(&(position + 1)));
        self.0.call(Call::Write, forget).await
    }
}

impl MemoryOutbox {
    fn first(&self, limit: usize) -> Vec<Outgoing> {
        self.0.with(|contents| {
            let first = contents.outbox.iter().take(limit);
            first.map(|(position, message)| Outgoing { position: *position, message: message.clone() }).collect()
        })
    }
}
