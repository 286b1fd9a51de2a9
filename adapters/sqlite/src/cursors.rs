//! The cursors of the changes of views.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

/// No process leaves nearly so many changes to the mercy of the power: a projector flushes its own after 100 ms.
const APART: i64 = 1_000_000;

/// From where the changes of each view are counted in this process.
///
/// A loss of power takes changes that somebody was told of already. They are made anew, perhaps fewer of them; a change
/// that then had one of the old cursors would be missed by whoever goes on behind it. So each process begins behind all
/// that the one before it may have told of: its first change is kept, and those that are not are close behind.
#[derive(Default)]
pub(crate) struct Cursors(Mutex<HashMap<String, Begun>>);

/// Where a view's changes begin in this process.
struct Begun {
    behind: i64,
    /// Whether the first is kept.
    kept: bool,
}

// === impl Cursors ===

impl Cursors {
    /// The cursor behind which the next change of `view` comes.
    pub(crate) fn latest(&self, connection: &Connection, view: &str) -> rusqlite::Result<i64> {
        let latest: i64 = connection
            .prepare_cached("SELECT coalesce(max(cursor), 0) FROM views WHERE view = ?1")?
            .query_row([view], |row| row.get(0))?;
        let mut begun = self.begun();
        if let Some(Begun { behind, .. }) = begun.get(view) {
            return Ok(latest.max(*behind));
        }
        let behind = latest + APART;
        begun.insert(view.to_owned(), Begun { behind, kept: false });
        Ok(behind)
    }

    /// Whether the first change of `view` is kept, so that the next need not be.
    pub(crate) fn are_kept(&self, view: &str) -> bool {
        self.begun().get(view).is_some_and(|begun| begun.kept)
    }

    /// A change of `view` is kept.
    pub(crate) fn keep(&self, view: &str) {
        if let Some(begun) = self.begun().get_mut(view) {
            begun.kept = true;
        }
    }

    fn begun(&self) -> MutexGuard<'_, HashMap<String, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
