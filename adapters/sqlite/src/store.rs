//! A SQLite file: one writer thread that commits what is waiting as a group, and readers beside it.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;

use highstreet_domain::kernel::Signal;
use highstreet_domain::kernel::ports::{StoreError, Wake};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{RwLock, oneshot};
use uuid::Uuid;

use crate::cursors::Cursors;
use crate::fresh::Fresh;
use crate::log::Log;
use crate::migrate::{self, Schema};
use crate::rewritten::Rewritten;
use crate::unflushed::Unflushed;
use crate::writer::{Job, Manner, Work, write_groups};
use highstreet_foundation::codec::count;
use highstreet_foundation::newest::Newest;
use highstreet_foundation::tally::Tally;

const READERS: usize = 3;
const STATEMENTS: usize = 64;
/// The writer's pages stay valid, as nobody else writes.
const WRITER_CACHE_KIB: u32 = 8192;
/// Enough for the inner pages of a million streams. Not mapped into memory: that is faster for small files only.
const READER_CACHE_KIB: u32 = 4096;
const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// An open SQLite file. Dropped, it lets the writer finish what was handed to it.
pub struct Store {
    jobs: Sender<Box<dyn Job>>,
    readers: Vec<Mutex<Connection>>,
    next_reader: AtomicUsize,
    /// What the relay has not seen yet.
    pub(crate) fresh: Arc<Mutex<Fresh>>,
    /// Counts what is committed.
    pub(crate) tally: Tally,
    /// Up to where the relay has published; nothing waits for one where there is none.
    pub(crate) relayed: AtomicU64,
    /// Rung with every commit that concerns the relay.
    pub(crate) published: Signal,
    /// Rung with every append.
    pub(crate) changed: Signal,
    /// Rung when something is due earlier than the agenda's reader thought.
    pub(crate) due: Signal,
    /// Rung with every change of a view.
    pub(crate) viewed: Signal,
    /// What those who watch views need not ask for.
    pub(crate) newest: Arc<Newest>,
    /// Counts those changes.
    pub(crate) cursors: Arc<Cursors>,
    /// What nobody waited for.
    unflushed: Arc<Unflushed>,
    /// Held by whoever puts new rows in the place of a view's own.
    pub(crate) rows_held: Arc<RwLock<()>>,
    /// Told of what was rewritten.
    rewritten: Arc<Rewritten>,
    /// The streams whose attempts are counted in the file, and nowhere else.
    put_off: Mutex<HashSet<Uuid>>,
    /// When the agenda's reader will look again, in microseconds since the epoch.
    pub(crate) next_look: AtomicI64,
}

/// Why a file could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// A newer version of the program wrote it.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// SQLite says no.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it says.
        error: rusqlite::Error,
    },
}

// === impl Store ===

impl Store {
    /// Opens the file of a context, creating or migrating it as needed.
    pub fn open_context(path: &Path) -> Result<Self, OpenError> {
        Self::open(path, Schema::Context)
    }

    pub(crate) fn open(path: &Path, schema: Schema) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Sqlite { path: path.into(), error };
        let mut writer = connect(path, OpenFlags::default(), WRITER_CACHE_KIB).map_err(failed)?;
        writer.pragma_update(None, "synchronous", schema.synchronous()).map_err(failed)?;
        if matches!(schema, Schema::Bus) {
            // What is overwritten there, as somebody is forgotten, leaves nothing behind: it hardly ever is.
            writer.pragma_update(None, "secure_delete", true).map_err(failed)?;
        }
        migrate::run(&mut writer, schema, path)?;
        if matches!(schema, Schema::Context) {
            // Whoever held a lease is gone: this process has the folder for itself.
            writer
                .execute("UPDATE streams SET wake = 0, leased = 0 WHERE leased = 1 AND wake IS NOT NULL", [])
                .map_err(failed)?;
        }
        let readers = (0..READERS)
            .map(|_| connect(path, READ_ONLY, READER_CACHE_KIB).map(Mutex::new))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let last = match schema {
            Schema::Context => {
                let last = "SELECT coalesce(max(position), 0) FROM events";
                writer.query_row(last, [], |row| row.get(0).map(count)).map_err(failed)?
            }
            Schema::Bus => 0,
        };
        let log = Log::of(path, &mut writer).map_err(failed)?;
        let unflushed = Arc::new(Unflushed::of(path));
        let flushing = unflushed.flushing(schema);
        let (jobs, waiting) = mpsc::channel();
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        thread::Builder::new()
            .name(format!("sqlite-{name}"))
            .spawn(move || write_groups(&writer, &waiting, log, flushing))
            .map_err(|_| OpenError::Sqlite { path: path.into(), error: rusqlite::Error::InvalidQuery })?;
        Ok(Self {
            jobs,
            readers,
            next_reader: AtomicUsize::new(0),
            fresh: Arc::new(Mutex::new(Fresh::after(last))),
            tally: Tally::of(&name),
            relayed: AtomicU64::new(u64::MAX),
            published: Signal::default(),
            changed: Signal::default(),
            due: Signal::default(),
            viewed: Signal::default(),
            newest: Arc::default(),
            cursors: Arc::default(),
            unflushed,
            rows_held: Arc::default(),
            rewritten: Arc::default(),
            put_off: Mutex::default(),
            next_look: AtomicI64::new(0),
        })
    }

    /// Does `work` in the next group and returns once that is durable. The work must write nothing if it finds that
    /// it should not; an error of SQLite's undoes it, and it alone. `after` is called on the writer's thread, in the
    /// order of commits, with what the work came to.
    pub(crate) async fn write<T, F, G>(&self, work: F, after: G) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
        G: FnOnce(&T) + Send + 'static,
    {
        self.hand_over(Manner::Kept, work, after)?.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// The same in another manner: `Unflushed` returns before it is flushed, and what a loss of power takes must be made
    /// anew by whoever handed it over.
    pub(crate) async fn write_in<T, F, G>(&self, manner: Manner, work: F, after: G) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
        G: FnOnce(&T) + Send + 'static,
    {
        let unflushed = self.unflushed.clone();
        let counted = move |done: &T| {
            if manner == Manner::Unflushed {
                unflushed.wrote();
            }
            after(done);
        };
        self.hand_over(manner, work, counted)?.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Whether a loss of power might take something.
    pub(crate) fn is_unflushed(&self) -> bool {
        self.unflushed.is_any()
    }

    /// Returns once everything that was written before is on the disk.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        if self.unflushed.is_damaged() {
            // The writer mends that before it does anything else.
            self.write(|_| Ok(()), |()| {}).await?;
        }
        self.unflushed.flush().await
    }

    /// Rewrites the file, so that nothing is left in it of what was overwritten or deleted, and empties its log. Nothing
    /// is written meanwhile.
    pub(crate) async fn clean(&self) -> Result<(), StoreError> {
        // Not in memory, as everything else that is temporary: it is as large as the file.
        let clean = "PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY;";
        self.hand_over(Manner::Alone, move |connection| connection.execute_batch(clean), |()| {})?
            .await
            .unwrap_or_else(|_| Err(stopped()))?;
        self.empty_log().await
    }

    /// Carries the log over into the file, and empties it.
    pub(crate) async fn empty_log(&self) -> Result<(), StoreError> {
        let empty = |connection: &Connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        };
        let busy = self.hand_over(Manner::Alone, empty, |_| {})?.await.unwrap_or_else(|_| Err(stopped()))?;
        if busy == 0 {
            return Ok(());
        }
        Err(StoreError::Unavailable(
            "somebody reads its file for so long that its log cannot be emptied; try again".into(),
        ))
    }

    pub(crate) fn rewritten(&self) -> &Arc<Rewritten> {
        &self.rewritten
    }

    /// Like `write`, with nobody waiting.
    pub(crate) fn write_behind<F>(&self, work: F)
    where
        F: FnMut(&Connection) -> rusqlite::Result<()> + Send + 'static,
    {
        // What is written behind can be lost: a crash would have lost it too.
        let _ = self.hand_over(Manner::Kept, work, |()| {});
    }

    fn hand_over<T, F, G>(
        &self,
        manner: Manner,
        work: F,
        after: G,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
        G: FnOnce(&T) + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Box::new(Work::new(manner, work, after, answer))).map_err(|_| stopped())?;
        Ok(answered)
    }

    /// Reads what is committed. Runs on the calling thread: a point read takes a few microseconds, less than
    /// handing it to another thread would.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        read(&self.reader()).map_err(|error| unavailable(&error))
    }

    /// Rings if `wake` comes before the agenda's reader looks again.
    pub(crate) fn wake_for(&self, wake: Wake) {
        if let Wake::At { at, .. } | Wake::Leased { until: at, .. } = wake
            && at.as_micros() < self.next_look.load(Ordering::SeqCst)
        {
            self.due.ring();
        }
    }

    pub(crate) fn put_off(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.put_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        let first = self.next_reader.fetch_add(1, Ordering::Relaxed);
        for offset in 0..self.readers.len() {
            match self.readers[(first + offset) % self.readers.len()].try_lock() {
                Ok(reader) => return reader,
                Err(TryLockError::Poisoned(reader)) => return reader.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.readers[first % self.readers.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn connect(path: &Path, flags: OpenFlags, cache_kib: u32) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without this, statements are planned anew with every value that is bound to them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA busy_timeout = 5000;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 134217728;",
    )?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    Ok(connection)
}

pub(crate) fn stopped() -> StoreError {
    StoreError::Unavailable("it is shutting down".into())
}

pub(crate) fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

// === impl OpenError ===

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer { path, found, known } => write!(
                f,
                "{} was written by a newer version (schema {found}, this one knows {known}); use that version, or \
                 another data folder",
                path.display()
            ),
            Self::Sqlite { path, error } => write!(f, "cannot open {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}
