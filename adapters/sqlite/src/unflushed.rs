//! What is committed and not flushed: `kill -9` loses nothing of it, the power failing may.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use highstreet_domain::kernel::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::Mutex;

use crate::migrate::Schema;
use crate::writer::{Job, Manner};

/// Counts what was committed without waiting for the disk.
pub(crate) struct Unflushed {
    /// SQLite's log, which holds what came last.
    log: PathBuf,
    written: AtomicU64,
    flushed: AtomicU64,
    /// Held while somebody waits for the disk: whoever comes meanwhile may find it done.
    waiting: Mutex<()>,
}

/// How the writer commits at the moment.
pub(crate) struct Flushing {
    schema: Schema,
    synchronous: &'static str,
}

// === impl Unflushed ===

impl Unflushed {
    /// Of the file at `path`. What a process that was killed left in the log is as little flushed.
    pub(crate) fn of(path: &Path) -> Self {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), written: AtomicU64::new(1), flushed: AtomicU64::new(0), waiting: Mutex::default() }
    }

    /// Something more was committed.
    pub(crate) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn is_any(&self) -> bool {
        self.flushed.load(Ordering::SeqCst) < self.written.load(Ordering::SeqCst)
    }

    /// Returns once everything that was committed before is on the disk.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        let wanted = self.written.load(Ordering::SeqCst);
        let _turn = self.waiting.lock().await;
        if self.flushed.load(Ordering::SeqCst) >= wanted {
            return Ok(());
        }
        let covered = self.written.load(Ordering::SeqCst);
        let log = self.log.clone();
        let flushed = tokio::task::spawn_blocking(move || File::open(log)?.sync_data()).await;
        let failed = |why: &dyn std::fmt::Display| {
            StoreError::Unavailable(format!("{} cannot be flushed: {why}", self.log.display()))
        };
        flushed.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        self.flushed.store(covered, Ordering::SeqCst);
        Ok(())
    }
}

// === impl Flushing ===

impl Flushing {
    pub(crate) fn of(schema: Schema) -> Self {
        Self { schema, synchronous: schema.synchronous() }
    }

    /// Has the next commit wait for the disk, if anything in the group wants that.
    pub(crate) fn suit(&mut self, connection: &Connection, group: &[Box<dyn Job>]) -> rusqlite::Result<()> {
        let kept = group.iter().any(|job| job.manner() != Manner::Unflushed);
        let synchronous = if kept { self.schema.synchronous() } else { "NORMAL" };
        if synchronous != self.synchronous {
            connection.pragma_update(None, "synchronous", synchronous)?;
            self.synchronous = synchronous;
        }
        Ok(())
    }
}
