//! What is committed and not flushed: seen by everybody at once, lost if the server dies within a moment.
//!
//! The rows of a view are all saved on one connection. Where a flush on that very connection succeeds, the server did not
//! die meanwhile, and everything before it is on the disk; where the connection is gone, nobody knows.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use highstreet_domain::kernel::ports::StoreError;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout;

use crate::connect::{ended, no_answer, unavailable};
use crate::store::Store;

/// No server dies with nearly so many changes unflushed: a projector flushes its own after 100 ms.
const APART: u32 = 1_000_000;

/// A commit that waits for the disk, or for whatever else the server was told to wait for: all before it is kept, too.
const FLUSH: &str = "BEGIN; SET LOCAL synchronous_commit TO DEFAULT; \
                     SELECT pg_logical_emit_message(true, 'highstreet', 'flush'); COMMIT";

/// The connection on which one process saves the rows of one view.
#[derive(Default)]
pub(crate) struct Unflushed {
    hasty: AsyncMutex<Option<Arc<Hasty>>>,
}

/// A connection on which commits do not wait for the disk.
pub(crate) struct Hasty {
    pub(crate) client: ClientWrapper,
    patience: Duration,
    /// How often something was saved on it, or found while it was there.
    marks: AtomicU64,
    /// Up to which of these it is flushed.
    flushed: AtomicU64,
    /// Held while somebody flushes: whoever comes meanwhile may find it done.
    flushing: AsyncMutex<()>,
}

/// What one projector is to have flushed before it relies on it.
#[derive(Default)]
pub(crate) struct Mark(Mutex<Marked>);

#[derive(Default)]
struct Marked {
    since: Since,
    /// The connection there was when rows were loaded last.
    loaded: Option<Arc<Hasty>>,
}

#[derive(Clone, Default)]
enum Since {
    #[default]
    Nothing,
    /// Up to this mark of this connection.
    On(Arc<Hasty>, u64),
    /// There was something on a connection that is gone by now.
    Lost,
}

// === impl Unflushed ===

impl Unflushed {
    /// The connection; a new one if there is none. Then the server may have died, and what is known of its rows be wrong.
    pub(crate) async fn lend(&self, store: &Store) -> Result<Arc<Hasty>, StoreError> {
        let mut hasty = self.hasty.lock().await;
        if let Some(hasty) = hasty.as_ref().filter(|hasty| !hasty.client.is_closed()) {
            return Ok(hasty.clone());
        }
        let new = Arc::new(Hasty::connect(store).await?);
        store.bells.rewritten();
        Ok(hasty.insert(new).clone())
    }

    /// Nothing is heard on this connection, or nobody knows where it stands: another is to be used.
    pub(crate) async fn give_up(&self, useless: &Arc<Hasty>) {
        self.hasty.lock().await.take_if(|hasty| Arc::ptr_eq(hasty, useless));
    }
}

// === impl Hasty ===

impl Hasty {
    async fn connect(store: &Store) -> Result<Self, StoreError> {
        let (connections, begin) = (store.lending(), Self::beginning(store));
        let mut again = connections.pool.status().max_size;
        let client = loop {
            let client = Object::take(connections.lend().await?);
            match timeout(connections.patience, client.batch_execute(&begin)).await {
                Ok(Ok(())) => break client,
                // The server was restarted since this connection was used last, and perhaps the next one too.
                Ok(Err(error)) if ended(&error) && again > 0 => again -= 1,
                Ok(Err(error)) => return Err(unavailable(&error)),
                Err(_) => return Err(no_answer()),
            }
        };
        let (marks, flushed, flushing) = (AtomicU64::new(0), AtomicU64::new(0), AsyncMutex::default());
        Ok(Self { client, patience: connections.patience, marks, flushed, flushing })
    }

    /// Begins far behind all that was told of on connections before, and keeps that: a server that died forgot some of
    /// it, and a change made under a number that somebody has seen already would be missed by whoever goes on behind it.
    fn beginning(store: &Store) -> String {
        format!(
            "BEGIN; SELECT pg_advisory_xact_lock({}); \
             SELECT setval('view_changes', (SELECT last_value FROM view_changes) + {APART}); \
             COMMIT; SET synchronous_commit = off",
            store.schema.lock("view changes")
        )
    }

    /// Flushes what there is up to a mark, and all there is by then with it.
    async fn flush(&self, mark: u64) -> Result<(), StoreError> {
        let _turn = self.flushing.lock().await;
        if self.is_flushed(mark) {
            return Ok(());
        }
        let covered = self.marks.load(Ordering::SeqCst);
        match timeout(self.patience, self.client.batch_execute(FLUSH)).await {
            Ok(Ok(())) => self.flushed.store(covered, Ordering::SeqCst),
            Ok(Err(error)) => return Err(unavailable(&error)),
            Err(_) => return Err(no_answer()),
        }
        Ok(())
    }

    fn is_flushed(&self, mark: u64) -> bool {
        self.flushed.load(Ordering::SeqCst) >= mark
    }
}

// === impl Mark ===

impl Mark {
    /// Something was found while there was this connection, that may not be flushed.
    pub(crate) fn loaded(&self, hasty: &Arc<Hasty>) {
        self.saved(hasty);
        self.marked().loaded = Some(hasty.clone());
    }

    /// Something was saved on this connection.
    pub(crate) fn saved(&self, hasty: &Arc<Hasty>) {
        let mark = hasty.marks.fetch_add(1, Ordering::SeqCst) + 1;
        let mut marked = self.marked();
        marked.since = match &marked.since {
            // It goes on; but what was there before has to be made anew, and this with it.
            Since::On(before, _) if !Arc::ptr_eq(before, hasty) => Since::Lost,
            Since::Lost => Since::Lost,
            _ => Since::On(hasty.clone(), mark),
        };
    }

    /// Whether what was loaded last was there on this connection: otherwise it may be lost, and something else be there
    /// under the same version.
    pub(crate) fn allows(&self, hasty: &Arc<Hasty>) -> bool {
        self.marked().loaded.as_ref().is_none_or(|loaded| Arc::ptr_eq(loaded, hasty))
    }

    pub(crate) fn is_set(&self) -> bool {
        match &self.marked().since {
            Since::Nothing => false,
            Since::On(hasty, mark) => !hasty.is_flushed(*mark),
            Since::Lost => true,
        }
    }

    /// Flushes what was marked. An error if it may be lost, or cannot be flushed: it is to be made anew.
    pub(crate) async fn flush(&self, unflushed: &Unflushed) -> Result<(), StoreError> {
        let since = mem::take(&mut self.marked().since);
        match since {
            Since::Nothing => Ok(()),
            Since::Lost => Err(lost()),
            Since::On(hasty, mark) => {
                let flushed = hasty.flush(mark).await;
                if flushed.is_err() {
                    // It may stand in the middle of a transaction.
                    unflushed.give_up(&hasty).await;
                }
                flushed
            }
        }
    }

    fn marked(&self) -> MutexGuard<'_, Marked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn lost() -> StoreError {
    StoreError::Unavailable("what was saved may be lost with its connection".into())
}
