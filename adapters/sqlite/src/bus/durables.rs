//! How far the consumers of the embedded bus have come.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Durables, StoreError, Subscription};
use highstreet_foundation::MOST_COUNTED;
use highstreet_foundation::codec::{count, int};
use rusqlite::{Connection, params};

use super::{EmbeddedBus, latest, lock, place};

// === impl EmbeddedBus ===

impl EmbeddedBus {
    /// How many messages lie before a subscription that it has neither settled nor put aside. Those that it does not
    /// want are among them until it has read on over them.
    pub fn lag(&self, subscription: &Subscription) -> Result<u64, StoreError> {
        let key = (subscription.consumer.clone(), subscription.source.clone());
        let Some(settled) = lock(&self.shared.consumers).get(&key).map(|consumer| consumer.settled()) else {
            return Ok(0);
        };
        self.shared.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT count(*) FROM (SELECT 1 FROM messages WHERE source = ?1 AND position > ?2 LIMIT ?3)",
                )?
                .query_row(params![subscription.source, place(settled), int(MOST_COUNTED)], |row| row.get(0).map(count))
        })
    }
}

#[async_trait]
impl Durables for EmbeddedBus {
    async fn head(&self, source: &str) -> Result<u64, StoreError> {
        self.shared.store.read(|connection| latest(connection, source)).map(count)
    }

    async fn settled(&self, subscription: &Subscription) -> Result<u64, StoreError> {
        let key = (subscription.consumer.clone(), subscription.source.clone());
        Ok(lock(&self.shared.consumers).get(&key).map_or(0, |consumer| consumer.settled()))
    }

    async fn forget(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let Subscription { consumer, source, .. } = subscription.clone();
        lock(&self.shared.consumers).remove(&(consumer.clone(), source.clone()));
        let forget = move |connection: &Connection| {
            ["consumers", "parked", "dead_letters"].iter().try_for_each(|table| {
                let delete = format!("DELETE FROM {table} WHERE consumer = ?1 AND source = ?2");
                connection.execute(&delete, params![consumer, source]).map(drop)
            })
        };
        self.shared.store.write(forget, |()| {}).await
    }
}
