//! SQLite's write-ahead log, carried over into the file beside the writer.
//!
//! Left to itself, SQLite does that within the commit that makes the log long: whoever waits for that commit waits for
//! thousands of pages to be written all over the file, and the larger the file, the more of them. Here a thread of its
//! own does most of it, and the writer takes the little that came meanwhile, so that the log begins anew. It is not done
//! often: the longer the log, the more often does it hold the same page.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rusqlite::{Connection, OpenFlags};

use crate::store::connect;

/// When the log has grown by so many pages, it is carried over: 96 MiB.
const LONG: i32 = 24_000;
/// At so many, its writer does it, whatever hinders the thread.
const TOO_LONG: i32 = 64_000;
/// So many pages are carried over in no time.
const FEW: i64 = 256;
/// Each pass finds less than the one before, unless somebody reads for long.
const PASSES: usize = 5;
/// It keeps no pages.
const CACHE_KIB: u32 = 64;

/// The log of a file, as its writer sees it.
pub(crate) struct Log {
    path: PathBuf,
    /// How long it was after the last commit.
    pages: Arc<AtomicI32>,
    /// How long it was when somebody was woken to carry it over.
    woken_at: i32,
    /// Wakes whoever carries it over, once that was needed: most files never get there.
    carrier: Option<SyncSender<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Held while it is carried over.
    busy: Mutex<()>,
    /// All but a little of it is carried over.
    may_begin_anew: AtomicBool,
}

// === impl Log ===

impl Log {
    /// The log of what `writer` writes.
    pub(crate) fn of(path: &Path, writer: &mut Connection) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let told = pages.clone();
        // In the place of SQLite's own, which would carry it over.
        writer.wal_hook(Some(move |_: &mut _, pages| {
            told.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { path: path.into(), pages, woken_at: 0, carrier: None, shared: Arc::default() })
    }

    /// Something was committed on the writer's connection.
    pub(crate) fn grown(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if self.shared.may_begin_anew.swap(false, Ordering::Relaxed) || pages >= TOO_LONG {
            // If it fails, a later commit does it.
            let _ = carry_over(writer);
        }
        if pages < self.woken_at {
            // It began anew.
            self.woken_at = 0;
        }
        if pages - self.woken_at < LONG {
            return;
        }
        self.woken_at = pages;
        let carrier = self.carrier.get_or_insert_with(|| carrier(self.path.clone(), self.shared.clone()));
        // While it is at it, one more turn is enough.
        let _ = carrier.try_send(());
    }

    /// Nobody carries anything over until what this returns is dropped.
    pub(crate) fn rests(&self) -> MutexGuard<'_, ()> {
        self.shared.rests()
    }
}

// === impl Shared ===

impl Shared {
    fn rests(&self) -> MutexGuard<'_, ()> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn carrier(path: PathBuf, shared: Arc<Shared>) -> SyncSender<()> {
    let (wake, woken) = sync_channel(1);
    let carry = move || {
        let Ok(connection) = connect(&path, OpenFlags::default(), CACHE_KIB) else { return };
        while woken.recv().is_ok() {
            let _busy = shared.rests();
            match catch_up(&connection) {
                Ok(anew) => shared.may_begin_anew.store(anew, Ordering::Relaxed),
                Err(error) => {
                    let file = path.display();
                    tracing::warn!(%file, %error, "the write-ahead log cannot be carried over into its file: it grows");
                }
            }
        }
    };
    // Without a thread the writer does it.
    let _ = thread::Builder::new().name("sqlite-log".into()).spawn(carry);
    wake
}

/// Pass after pass; whether little is left.
fn catch_up(connection: &Connection) -> rusqlite::Result<bool> {
    for _ in 0..PASSES {
        if carry_over(connection)? <= FEW {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As much as can be without waiting for anybody; how many pages are left.
fn carry_over(connection: &Connection) -> rusqlite::Result<i64> {
    let left = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?);
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], left)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use std::fs::{File, metadata};
    use std::io::Read;
    use std::time::Duration;

    use rusqlite::params;

    use super::*;
    use crate::store::Store;

    const KEYS: u64 = 20_000;
    const PAGE: u64 = 4096;

    /// Claims so many keys in one commit, from `first`, all over the table.
    async fn fill(store: &Store, first: u64) {
        let claim = move |connection: &Connection| {
            let mut insert = connection.prepare_cached("INSERT INTO claims VALUES (?1, 1, 1, zeroblob(64))")?;
            (first..first + KEYS).try_for_each(|key| {
                let scattered = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                insert.execute(params![scattered.to_be_bytes()]).map(drop)
            })
        };
        store.write(claim, |()| {}).await.unwrap();
    }

    #[tokio::test]
    async fn a_long_log_is_carried_over_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (file, log) = (folder.path().join("busy.db"), folder.path().join("busy.db-wal"));
        let store = Store::open_context(&file).unwrap();
        let before = metadata(&file).unwrap().len();
        let mut written = 0;
        let grown = async {
            while metadata(&file).unwrap().len() < before + 256 * PAGE {
                fill(&store, written).await;
                written += KEYS;
            }
        };
        tokio::time::timeout(Duration::from_secs(50), grown).await.expect("it is in the file");
        let long = metadata(&log).unwrap().len();
        assert!(long < u64::try_from(TOO_LONG).unwrap() * PAGE, "the writer had no reason to: {long}");
        let first = beginnings(&log);
        let anew = async {
            while beginnings(&log) == first {
                fill(&store, written).await;
                written += KEYS;
            }
        };
        tokio::time::timeout(Duration::from_secs(50), anew).await.expect("it begins anew");
    }

    /// How often the log began anew: the fourth number of its header
    /// (<https://www.sqlite.org/fileformat.html#the_write_ahead_log>).
    fn beginnings(log: &Path) -> u32 {
        let mut header = [0; 16];
        File::open(log).unwrap().read_exact(&mut header).unwrap();
        u32::from_be_bytes(header[12..].try_into().unwrap())
    }

    #[tokio::test]
    async fn it_can_be_emptied_while_it_is_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_context(&folder.path().join("busy.db")).unwrap();
        for turn in 0..6 {
            for part in 0..4 {
                fill(&store, (turn * 4 + part) * KEYS).await;
            }
            store.empty_log().await.unwrap();
        }
        assert_eq!(metadata(folder.path().join("busy.db-wal")).unwrap().len(), 0);
    }
}
