//! How far the consumers of the embedded bus have come.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Durables, StoreError, Subscription};
use highstreet_foundation::codec::count;
use rusqlite::{Connection, params};

use super::{EmbeddedBus, latest, lock};

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
