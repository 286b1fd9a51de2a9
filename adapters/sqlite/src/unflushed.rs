//! What is committed and not flushed: `kill -9` loses nothing of it, the power failing may.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use highstreet_domain::kernel::ports::StoreError;
use rusqlite::{Connection, ffi};
use tokio::sync::Mutex;

use crate::migrate::Schema;
use crate::writer::{Job, Manner};

/// Counts what was committed without waiting for the disk.
pub(crate) struct Unflushed {
    /// SQLite's log, which holds what came last.
    log: PathBuf,
    written: AtomicU64,
    flushed: AtomicU64,
    /// A flush failed. The system says so once, and then takes what it could not write for written: nothing behind it
    /// counts before all of the log is in the file.
    damaged: Arc<AtomicBool>,
    /// Held while somebody waits for the disk: whoever comes meanwhile may find it done. It stays open, as only who had
    /// it open is sure to be told what went wrong before.
    waiting: Mutex<Option<Arc<File>>>,
}

/// How the writer commits at the moment.
pub(crate) struct Flushing {
    schema: Schema,
    synchronous: &'static str,
    damaged: Arc<AtomicBool>,
}

// === impl Unflushed ===

impl Unflushed {
    /// Of the file at `path`. What a process that was killed left in the log is as little flushed.
    pub(crate) fn of(path: &Path) -> Self {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let file = File::open(&log).ok().map(Arc::new);
        Self {
            log: log.into(),
            written: AtomicU64::new(1),
            flushed: AtomicU64::new(0),
            damaged: Arc::default(),
            waiting: Mutex::new(file),
        }
    }

    /// Something more was committed.
    pub(crate) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn is_any(&self) -> bool {
        self.flushed.load(Ordering::SeqCst) < self.written.load(Ordering::SeqCst)
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::SeqCst)
    }

    /// How the writer of this file commits.
    pub(crate) fn flushing(&self, schema: Schema) -> Flushing {
        Flushing { schema, synchronous: schema.synchronous(), damaged: self.damaged.clone() }
    }

    /// Returns once everything that was committed before is on the disk.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        let wanted = self.written.load(Ordering::SeqCst);
        let mut waiting = self.waiting.lock().await;
        if self.flushed.load(Ordering::SeqCst) >= wanted {
            return Ok(());
        }
        let covered = self.written.load(Ordering::SeqCst);
        let failed = |why: &dyn std::fmt::Display| {
            StoreError::Unavailable(format!("{} cannot be flushed: {why}", self.log.display()))
        };
        let file = match &*waiting {
            Some(file) => file.clone(),
            None => waiting.insert(Arc::new(File::open(&self.log).map_err(|error| failed(&error))?)).clone(),
        };
        let flushed = tokio::task::spawn_blocking(move || file.sync_data()).await.map_err(|error| failed(&error))?;
        if let Err(error) = flushed {
            self.damaged.store(true, Ordering::SeqCst);
            tracing::error!(log = %self.log.display(), %error, "what was written may not be on the disk");
            return Err(failed(&error));
        }
        self.flushed.store(covered, Ordering::SeqCst);
        Ok(())
    }
}

// === impl Flushing ===

impl Flushing {
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

    /// After a flush that failed, carries all of the log over into the file, which is flushed for itself.
    pub(crate) fn mend(&self, connection: &Connection) -> rusqlite::Result<()> {
        if !self.damaged.load(Ordering::SeqCst) {
            return Ok(());
        }
        let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Err(rusqlite::Error::SqliteFailure(
                ffi::Error::new(ffi::SQLITE_BUSY),
                Some("after a flush that failed, its log cannot be emptied while somebody reads it".into()),
            ));
        }
        self.damaged.store(false, Ordering::SeqCst);
        tracing::info!("what was written is on the disk");
        Ok(())
    }

    /// Notes whether a commit failed for want of a flush.
    pub(crate) fn note(&self, error: &rusqlite::Error) {
        if let rusqlite::Error::SqliteFailure(failure, _) = error
            && failure.extended_code == ffi::SQLITE_IOERR_FSYNC
        {
            self.damaged.store(true, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use std::fs::metadata;
    use std::time::Duration;

    use super::*;
    use crate::store::{Store, connect};

    /// The system says once that it could not write, and takes it for written from then on.
    #[tokio::test]
    async fn after_a_flush_that_failed_the_log_is_carried_over_before_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("busy.db");
        let store = Store::open_context(&path).unwrap();
        store.write(|file| file.execute("INSERT INTO cursors VALUES ('a', 1)", []), |_| {}).await.unwrap();
        let unflushed = Unflushed::of(&path);
        let flushing = unflushed.flushing(Schema::Context);
        let writer = connect(&path, rusqlite::OpenFlags::default(), 64).unwrap();
        writer.busy_timeout(Duration::ZERO).unwrap();

        flushing.note(&rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None));
        assert!(!unflushed.is_damaged(), "a full disk takes nothing that was there");
        flushing.note(&rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSYNC), None));
        assert!(unflushed.is_damaged());
        let reader = connect(&path, rusqlite::OpenFlags::default(), 64).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM cursors").unwrap();
        flushing.mend(&writer).expect_err("somebody reads what was there before");
        assert!(unflushed.is_damaged(), "so nothing is committed");
        reader.execute_batch("COMMIT").unwrap();
        flushing.mend(&writer).unwrap();
        assert!(!unflushed.is_damaged());
        assert_eq!(metadata(folder.path().join("busy.db-wal")).unwrap().len(), 0);
    }
}
