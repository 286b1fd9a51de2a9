//! What is committed and not yet published.
//!
//! One thread commits, so positions are in the order of commits and a cursor never skips: no row is written or
//! deleted per event. The cursor is kept now and then, after the bus has flushed; what a crash forgets is published
//! again, under the same ids.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Bus, Outbox, Outgoing, StoreError};
use highstreet_domain::kernel::{Message, Origin};
use rusqlite::{Connection, params};

use crate::store::Store;
use highstreet_foundation::codec::{count, decode_origin, int, time, uuid};

const CURSOR: &str = "relay";
/// The cursor is kept when this many events were published since, or when nothing happened for a while.
const KEEP_EVERY: u64 = 1000;
const QUIET: Duration = Duration::from_millis(200);

/// The outbox of one context.
pub struct SqliteOutbox {
    store: Arc<Store>,
    source: Arc<str>,
    bus: Arc<dyn Bus>,
    kept: AtomicU64,
}

// === impl SqliteOutbox ===

impl SqliteOutbox {
    /// The outbox of the context called `source` in `store`, which is published on `bus`.
    pub fn new(store: Arc<Store>, source: &str, bus: Arc<dyn Bus>) -> Result<Self, StoreError> {
        let cursor = store.read(|connection| {
            connection.query_row("SELECT coalesce(max(position), 0) FROM cursors WHERE name = ?1", [CURSOR], |row| {
                row.get(0).map(count)
            })
        })?;
        store.relayed.store(cursor, Ordering::SeqCst);
        Ok(Self { store, source: source.into(), bus, kept: AtomicU64::new(cursor) })
    }

    /// What is to be published and still in memory; `None` if there is more in the file.
    fn fresh(&self, after: u64, limit: usize) -> Option<Vec<Outgoing>> {
        let fresh = self.store.fresh.lock().unwrap_or_else(PoisonError::into_inner).behind(after, limit)?;
        let outgoing = fresh.into_iter().map(|event| {
            let message = Message {
                id: Message::id_of(event.subject, event.revision),
                source: self.source.clone(),
                name: event.name.into(),
                subject: event.subject,
                time: event.time,
                origin: Origin::clone(&event.origin),
                body: event.body.to_vec(),
            };
            Outgoing { position: event.position, message }
        });
        Some(outgoing.collect())
    }

    /// Keeps the cursor, once the bus has flushed what lies before it.
    async fn keep(&self) -> Result<(), StoreError> {
        let position = self.store.relayed.load(Ordering::SeqCst);
        if self.kept.load(Ordering::SeqCst) == position {
            return Ok(());
        }
        self.bus.flush().await?;
        self.kept.store(position, Ordering::SeqCst);
        self.store.write_behind(move |connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO cursors (name, position) VALUES (?1, ?2)")?
                .execute(params![CURSOR, int(position)])
                .map(drop)
        });
        Ok(())
    }
}

// === impl Store ===

impl Store {
    /// Has everything published again, at the next start, that was ever published: for a broker that lost what it had.
    /// Consumers recognise what they have seen. Returns how many events that is. Nobody may be publishing meanwhile.
    pub async fn republish(&self) -> Result<u64, StoreError> {
        let forget = |connection: &Connection| {
            connection.execute("DELETE FROM cursors WHERE name = ?1", [CURSOR])?;
            connection.query_row("SELECT count(*) FROM events WHERE name IS NOT NULL", [], |row| row.get(0).map(count))
        };
        self.write(forget, |_| {}).await
    }
}

#[async_trait]
impl Outbox for SqliteOutbox {
    async fn next(&self, limit: usize) -> Result<Vec<Outgoing>, StoreError> {
        loop {
            let rings = self.store.published.rings();
            let after = self.store.relayed.load(Ordering::SeqCst);
            let outgoing = match self.fresh(after, limit) {
                Some(fresh) => fresh,
                None => self.store.read(|connection| unpublished(connection, &self.source, after, limit))?,
            };
            if !outgoing.is_empty() {
                return Ok(outgoing);
            }
            if tokio::time::timeout(QUIET, self.store.published.after(rings)).await.is_err() {
                self.keep().await?;
                self.store.published.after(rings).await;
            }
        }
    }

    async fn published(&self, position: u64) -> Result<(), StoreError> {
        self.store.relayed.fetch_max(position, Ordering::SeqCst);
        if position >= self.kept.load(Ordering::SeqCst) + KEEP_EVERY {
            self.keep().await?;
        }
        Ok(())
    }
}

fn unpublished(
    connection: &Connection,
    source: &Arc<str>,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Outgoing>> {
    connection
        .prepare_cached(
            "SELECT e.position, e.revision, e.time, e.origin, e.name, e.body, s.id \
             FROM events e JOIN streams s USING (stream) \
             WHERE e.position > ?1 AND e.name IS NOT NULL ORDER BY e.position LIMIT ?2",
        )?
        .query_map(params![int(after), i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            let subject = uuid(row.get(6)?);
            let origin: String = row.get(3)?;
            let message = Message {
                id: Message::id_of(subject, count(row.get(1)?)),
                source: source.clone(),
                name: row.get(4)?,
                subject,
                time: time(row.get(2)?),
                origin: decode_origin(&origin),
                body: row.get(5)?,
            };
            Ok(Outgoing { position: count(row.get(0)?), message })
        })?
        .collect()
}
