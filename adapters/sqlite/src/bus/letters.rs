//! The dead letters of the embedded bus.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, DeadLetter, DeadLetters, StoreError};
use highstreet_foundation::codec::{count, int, time};
use highstreet_foundation::{MOST_COUNTED, SystemClock};
use rusqlite::{Connection, OptionalExtension, params};

use super::consumer::{MESSAGE, read_message};
use super::{EmbeddedBus, lock, place as stored};

// === impl EmbeddedBus ===

impl EmbeddedBus {
    /// How many dead letters a listener has.
    pub fn dead_letter_count(&self, listener: &str) -> Result<u64, StoreError> {
        self.shared.store.read(|connection| {
            connection
                .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM dead_letters WHERE consumer = ?1 LIMIT ?2)")?
                .query_row(params![listener, int(MOST_COUNTED)], |row| row.get(0).map(count))
        })
    }
}

#[async_trait]
impl DeadLetters for EmbeddedBus {
    async fn behind(&self, listener: &str, place: u64, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        self.shared.store.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {MESSAGE}, error, failures, failed FROM (SELECT position AS place, error, failures, \
                         time AS failed FROM dead_letters WHERE consumer = ?1 AND position > ?2) \
                     JOIN messages ON position = place ORDER BY place LIMIT ?3"
                ))?
                .query_map(params![listener, stored(place), i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                    let (place, message) = read_message(row)?;
                    Ok(DeadLetter {
                        place,
                        listener: listener.to_owned(),
                        source: message.source.to_string(),
                        message: Some(message),
                        error: row.get(8)?,
                        failures: row.get(9)?,
                        time: time(row.get(10)?),
                    })
                })?
                .collect()
        })
    }

    async fn replay(&self, listener: &str, place: u64) -> Result<bool, StoreError> {
        let (owner, now) = (listener.to_owned(), SystemClock.now());
        let replay = move |connection: &Connection| {
            let source = take(connection, &owner, place)?;
            if let Some(source) = &source {
                connection
                    .prepare_cached("INSERT OR REPLACE INTO parked VALUES (?1, ?2, ?3, 0, ?4, '')")?
                    .execute(params![owner, source, stored(place), now.as_micros()])?;
            }
            Ok(source)
        };
        // Told to whoever listens in the order of commits; whoever joins later reads it.
        let (listener, shared) = (listener.to_owned(), Arc::clone(&self.shared));
        let told = move |source: &Option<String>| {
            let Some(source) = source else { return };
            if let Some(consumer) = lock(&shared.consumers).get(&(listener, source.clone())) {
                consumer.replay(place, now);
            }
        };
        Ok(self.shared.store.write(replay, told).await?.is_some())
    }

    async fn discard(&self, listener: &str, place: u64) -> Result<bool, StoreError> {
        let listener = listener.to_owned();
        let discard = move |connection: &Connection| take(connection, &listener, place);
        Ok(self.shared.store.write(discard, |_| {}).await?.is_some())
    }
}

/// Removes a dead letter; where it came from, if it was there.
fn take(connection: &Connection, listener: &str, place: u64) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("DELETE FROM dead_letters WHERE consumer = ?1 AND position = ?2 RETURNING source")?
        .query_row(params![listener, stored(place)], |row| row.get(0))
        .optional()
}
