//! The embedded bus: the streams of all contexts in one file, for a mesh that is one process.

mod consumer;
mod durables;
mod forgetting;
mod letters;
mod recent;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Bus, Deliveries, StoreError, Subscription};
use highstreet_domain::kernel::{Message, Signal};
use rusqlite::{Connection, params};

use crate::migrate::Schema;
use crate::store::{OpenError, Store};
use crate::writer::Manner;
use consumer::{Consumer, Membership};
use highstreet_foundation::codec::{count, encode_origin, int};
use highstreet_foundation::trace;
use recent::Recent;
use tracing::Span;

/// What spans call it.
const EMBEDDED: &str = "embedded";

/// A durable bus within one process.
pub struct EmbeddedBus {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    recent: Mutex<Recent>,
    /// Rung with every publication of a source.
    published: Mutex<HashMap<String, Signal>>,
    consumers: Mutex<HashMap<(String, String), Arc<Consumer>>>,
}

// === impl EmbeddedBus ===

impl EmbeddedBus {
    /// Opens the file of the bus, creating or migrating it as needed.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let store = Store::open(path, Schema::Bus)?;
        let shared =
            Shared { store, recent: Mutex::default(), published: Mutex::default(), consumers: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }
}

#[async_trait]
impl Bus for EmbeddedBus {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        let (spans, messages): (Vec<_>, Vec<_>) = messages.into_iter().map(sent).unzip();
        let (kept, shared) = (messages.clone(), self.shared.clone());
        let work = move |connection: &Connection| {
            kept.iter().map(|message| keep(connection, message)).collect::<rusqlite::Result<Vec<_>>>()
        };
        // In the order of commits, so that what is at hand has no gaps.
        let after = move |positions: &Vec<u64>| shared.announce(positions, messages);
        let done = self.shared.store.write_in(Manner::Unflushed, work, after).await;
        drop(spans);
        done.map(drop)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.shared.store.flush().await
    }

    async fn subscribe(&self, subscription: &Subscription) -> Result<Box<dyn Deliveries>, StoreError> {
        let key = (subscription.consumer.clone(), subscription.source.clone());
        let consumer = {
            let mut consumers = lock(&self.shared.consumers);
            if let Some(consumer) = consumers.get(&key) {
                consumer.clone()
            } else {
                let consumer = Arc::new(Consumer::join(&self.shared.store, subscription)?);
                consumers.insert(key, consumer.clone());
                consumer
            }
        };
        Ok(Box::new(Membership::new(self.shared.clone(), consumer)))
    }
}

// === impl Shared ===

impl Shared {
    fn announce(&self, positions: &[u64], messages: Vec<Arc<Message>>) {
        let mut sources: Vec<_> = messages.iter().map(|message| message.source.clone()).collect();
        sources.dedup();
        lock(&self.recent).push(positions.iter().copied().zip(messages));
        for source in sources {
            self.published(&source).ring();
        }
    }

    fn published(&self, source: &str) -> Signal {
        let mut signals = lock(&self.published);
        match signals.get(source) {
            Some(signal) => signal.clone(),
            None => signals.entry(source.to_owned()).or_default().clone(),
        }
    }
}

/// A message on its way, and its span: whoever hears it continues from there.
fn sent(mut message: Message) -> (Span, Arc<Message>) {
    let span = trace::sending(EMBEDDED, &message);
    if let Some(traceparent) = trace::traceparent(&span).filter(|_| !span.is_none()) {
        message.origin.trace = Some(traceparent);
    }
    (span, Arc::new(message))
}

fn keep(connection: &Connection, message: &Message) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(
            "INSERT INTO messages (source, id, name, subject, time, origin, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            &*message.source,
            message.id.into_bytes(),
            message.name,
            message.subject.into_bytes(),
            message.time.as_micros(),
            encode_origin(&message.origin),
            message.body
        ])?;
    // `RETURNING` would have SQLite keep a table of its own for each.
    Ok(count(connection.last_insert_rowid()))
}

/// Locks what is never left half-way.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The latest position kept of a source.
fn latest(connection: &Connection, source: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM messages WHERE source = ?1")?
        .query_row([source], |row| row.get(0))
}

/// SQLite's form of a position.
fn place(position: u64) -> i64 {
    int(position)
}
