//! The cursors of the changes of views.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

/// No process leaves nearly so many changes to the mercy of the power: a projector flushes its own after 100 ms.
const APART: i64 = 1_000_000;

/// From where the changes of each view are counted in this process.
///
/// A loss of power takes changes that somebody was told of already. They are made anew, perhaps fewer of them; a change
/// that then had one of the old cursors would be missed by whoever goes on behind it. So each process begins behind all
/// that the one before it may have told of: where it begins is kept, and what is not kept is close behind.
#[derive(Default)]
pub(crate) struct Cursors(Mutex<HashMap<String, Begun>>);

/// Where a view's changes begin in this process.
#[derive(Clone, Copy)]
struct Begun {
    behind: i64,
    /// Whether that is kept.
    kept: bool,
}

// === impl Cursors ===

impl Cursors {
    /// The cursor behind which the next change of `view` comes. Until `keep` is told of it, what calls this waits for
    /// the disk.
    pub(crate) fn latest(&self, connection: &Connection, view: &str) -> rusqlite::Result<i64> {
        let latest = latest(connection, view)?;
        let known = self.begun().get(view).copied();
        let begun = match known {
            Some(begun) => Begun { behind: begun.behind.max(latest), ..begun },
            None => Begun { behind: latest.max(kept(connection, view)?) + APART, kept: false },
        };
        if !begun.kept {
            keep(connection, view, begun.behind)?;
        }
        self.begun().insert(view.to_owned(), begun);
        Ok(begun.behind)
    }

    /// Whether it is kept where the changes of `view` begin, so that they need not be.
    pub(crate) fn are_kept(&self, view: &str) -> bool {
        self.begun().get(view).is_some_and(|begun| begun.kept)
    }

    /// What `latest` wrote is kept.
    pub(crate) fn keep(&self, view: &str) {
        if let Some(begun) = self.begun().get_mut(view) {
            begun.kept = true;
        }
    }

    fn begun(&self) -> MutexGuard<'_, HashMap<String, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cursor of the latest change of `view` that is there.
pub(crate) fn latest(connection: &Connection, view: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(cursor), 0) FROM views WHERE view = ?1")?
        .query_row([view], |row| row.get(0))
}

/// Writes down that changes of `view` come behind `cursor`, whatever rows there are.
pub(crate) fn keep(connection: &Connection, view: &str, cursor: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO cursors (name, position) VALUES (?1, ?2)")?
        .execute(params![name(view), cursor])
        .map(drop)
}

fn kept(connection: &Connection, view: &str) -> rusqlite::Result<i64> {
    let kept = connection
        .prepare_cached("SELECT position FROM cursors WHERE name = ?1")?
        .query_row([name(view)], |row| row.get(0))
        .optional()?;
    Ok(kept.unwrap_or(0))
}

fn name(view: &str) -> String {
    format!("views/{view}")
}
