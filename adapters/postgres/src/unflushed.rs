//! What is committed and not flushed: seen by everybody at once, lost if the server dies within a moment.
//!
//! It is all committed on one connection. Where a flush on that very connection succeeds, the server did not die
//! meanwhile, and everything before it is on the disk; where the connection is gone, nobody knows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use highstreet_domain::kernel::ports::StoreError;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout;
use tokio_postgres::Error;

use crate::connect::{ended, no_answer, unavailable};
use crate::pool::Connections;
use crate::schema::Schema;

/// No server dies with nearly so many changes unflushed: a projector flushes its own after 100 ms.
const APART: u32 = 1_000_000;

/// A commit that waits for the disk, or for whatever else the server was told to wait for: all before it is kept, too.
const FLUSH: &str = "BEGIN; SET LOCAL synchronous_commit TO DEFAULT;
    SELECT pg_logical_emit_message(true, 'highstreet', 'flush'); COMMIT";

/// The connection of one process with one schema that waits for no disk.
#[derive(Default)]
pub(crate) struct Unflushed {
    hasty: AsyncMutex<Option<Arc<Hasty>>>,
}

/// A connection on which commits do not wait for the disk.
pub(crate) struct Hasty {
    pub(crate) client: ClientWrapper,
    patience: Duration,
}

/// What is to be flushed before anybody relies on it.
#[derive(Default)]
pub(crate) struct Mark(Mutex<Since>);

#[derive(Default)]
enum Since {
    #[default]
    Nothing,
    /// Saved on this connection, or found while it was there.
    On(Arc<Hasty>),
    /// On one that is gone by now.
    Lost,
}

// === impl Unflushed ===

impl Unflushed {
    /// The connection; a new one if there is none.
    pub(crate) async fn lend(&self, connections: &Connections, schema: &Schema) -> Result<Arc<Hasty>, StoreError> {
        let mut hasty = self.hasty.lock().await;
        if let Some(hasty) = hasty.as_ref().filter(|hasty| !hasty.client.is_closed()) {
            return Ok(hasty.clone());
        }
        Ok(hasty.insert(Arc::new(Hasty::connect(connections, schema).await?)).clone())
    }

    /// Nothing is heard on this connection: another is to be used.
    pub(crate) async fn give_up(&self, mute: &Arc<Hasty>) {
        self.hasty.lock().await.take_if(|hasty| Arc::ptr_eq(hasty, mute));
    }
}

// === impl Hasty ===

impl Hasty {
    async fn connect(connections: &Connections, schema: &Schema) -> Result<Self, StoreError> {
        let begin = Self::beginning(schema);
        let mut again = connections.pool.status().max_size;
        loop {
            let client = Object::take(connections.lend().await?);
            match timeout(connections.patience, client.batch_execute(&begin)).await {
                Ok(Ok(())) => return Ok(Self { client, patience: connections.patience }),
                // The server was restarted since this connection was used last, and perhaps the next one too.
                Ok(Err(error)) if ended(&error) && again > 0 => again -= 1,
                Ok(Err(error)) => return Err(unavailable(&error)),
                Err(_) => return Err(no_answer()),
            }
        }
    }

    /// Begins far behind all that was told of on connections before, and keeps that: a server that died forgot some of
    /// it, and a change made under a number that somebody has seen already would be missed by whoever goes on behind it.
    fn beginning(schema: &Schema) -> String {
        format!(
            "BEGIN; SELECT pg_advisory_xact_lock({}); \
             SELECT setval('view_changes', (SELECT last_value FROM view_changes) + {APART}); \
             COMMIT; SET synchronous_commit = off",
            schema.lock("view changes")
        )
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let lost =
            |error: &Error| StoreError::Unavailable(format!("what was saved may be lost: {}", unavailable(error)));
        timeout(self.patience, self.client.batch_execute(FLUSH))
            .await
            .map_err(|_| no_answer())?
            .map_err(|error| lost(&error))
    }
}

// === impl Mark ===

impl Mark {
    /// Something is saved on this connection, or found while it is there, that may not be flushed.
    pub(crate) fn set(&self, hasty: &Arc<Hasty>) {
        let mut since = self.since();
        *since = match &*since {
            Since::Nothing => Since::On(hasty.clone()),
            Since::On(before) if Arc::ptr_eq(before, hasty) => return,
            Since::On(_) | Since::Lost => Since::Lost,
        };
    }

    pub(crate) fn is_set(&self) -> bool {
        !matches!(*self.since(), Since::Nothing)
    }

    /// Flushes what was marked. An error if it may be lost, or cannot be flushed: it is to be made anew.
    pub(crate) async fn flush(&self, unflushed: &Unflushed) -> Result<(), StoreError> {
        let since = std::mem::take(&mut *self.since());
        match since {
            Since::Nothing => Ok(()),
            Since::Lost => Err(StoreError::Unavailable("what was saved may be lost with its connection".into())),
            Since::On(hasty) => {
                let flushed = hasty.flush().await;
                if flushed.is_err() {
                    // It may stand in the middle of a transaction.
                    unflushed.give_up(&hasty).await;
                }
                flushed
            }
        }
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Since> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
