//! The rows of a view that this process saved last, for its projectors, and for whoever watches: they ask the server for
//! nothing as long as nobody else writes.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use highstreet_domain::kernel::Index;
use highstreet_domain::kernel::ports::{Filter, Row};
use highstreet_foundation::newest::Doubts;
use highstreet_foundation::recent::Recent;

/// If more than this come between two looks, a watcher reads them from the table.
const MOST: usize = 512;

/// What is known of one view's rows.
pub(crate) struct Latest<V>(Mutex<Known<V>>);

struct Known<V> {
    /// The doubts there had been: what is known from before a doubt may have been rewritten.
    doubts: Doubts,
    /// By their keys. Somebody may have written newer ones all the same: then what is made of these is not saved.
    rows: Recent<String, Row<V>>,
    changes: Changes<V>,
}

/// Changes without a gap, in the order of their cursors.
struct Changes<V> {
    /// Every change behind this cursor, up to the last of them, is here.
    behind: u64,
    rows: VecDeque<Changed<V>>,
}

/// A row as it was saved.
pub(crate) struct Changed<V> {
    pub(crate) row: Row<V>,
    pub(crate) index: Index,
    /// How long it is as it is written.
    pub(crate) bytes: usize,
}

/// What there is behind a cursor.
pub(crate) struct Behind<V> {
    /// The first that are wanted.
    pub(crate) rows: Vec<Row<V>>,
    /// If those are all: up to here nothing else is wanted.
    pub(crate) until: u64,
}

// === impl Latest ===

impl<V: Clone> Latest<V> {
    /// What is known of the row under `key`, unless there were doubts since.
    pub(crate) fn row(&self, key: &str, doubts: Doubts) -> Option<Row<V>> {
        self.after(doubts).rows.get(&key.to_owned())
    }

    /// This row was found in the table.
    pub(crate) fn found(&self, row: Row<V>, bytes: usize, doubts: Doubts) {
        let known = self.after(doubts);
        if known.doubts == doubts {
            known.rows.put(row.key.clone(), row, bytes);
        }
    }

    /// Somebody else wrote this row: it has a later version than this.
    pub(crate) fn is_later(&self, key: String, version: u64) {
        self.known().rows.forget(key, version + 1);
    }

    /// These rows were saved, in the order of their cursors, and none else by anybody behind `before`. There had been
    /// these doubts by then.
    pub(crate) fn saved(&self, before: u64, rows: Vec<Changed<V>>, doubts: Doubts) {
        let mut known = self.after(doubts);
        if known.doubts != doubts {
            return;
        }
        for Changed { row, bytes, .. } in &rows {
            known.rows.put(row.key.clone(), row.clone(), *bytes);
        }
        known.changes.add(before, rows);
    }

    /// At most `limit` changes behind `cursor` that `filter` wants; `None` if the next one may be in the table only.
    pub(crate) fn behind(&self, cursor: u64, filter: &Filter, limit: usize, doubts: Doubts) -> Option<Behind<V>> {
        self.after(doubts).changes.behind(cursor, filter, limit)
    }

    /// What is known after these doubts.
    fn after(&self, doubts: Doubts) -> MutexGuard<'_, Known<V>> {
        let mut known = self.known();
        if known.doubts < doubts {
            *known = Known { doubts, ..Known::default() };
        }
        known
    }

    fn known(&self) -> MutexGuard<'_, Known<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Clone> Default for Latest<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

// === impl Changes ===

impl<V: Clone> Changes<V> {
    fn end(&self) -> u64 {
        self.rows.back().map_or(self.behind, |last| last.row.cursor)
    }

    fn add(&mut self, before: u64, rows: Vec<Changed<V>>) {
        if before < self.end() {
            // Whoever saved later has said so earlier: these are read from the table.
            return;
        }
        if before > self.end() {
            // Others wrote meanwhile.
            *self = Self { behind: before, rows: VecDeque::new() };
        }
        self.rows.extend(rows);
        while self.rows.len() > MOST
            && let Some(first) = self.rows.pop_front()
        {
            self.behind = first.row.cursor;
        }
    }

    fn behind(&self, cursor: u64, filter: &Filter, limit: usize) -> Option<Behind<V>> {
        if cursor < self.behind || cursor >= self.end() {
            return None;
        }
        let from = self.rows.partition_point(|changed| changed.row.cursor <= cursor);
        let mut newer = HashSet::new();
        // As in the table, a row has one place: that of its last change.
        let last: Vec<_> = self.rows.range(from..).rev().filter(|changed| newer.insert(&changed.row.key)).collect();
        let wanted = last.into_iter().rev().filter(|changed| filter.wants(&changed.index));
        Some(Behind { rows: wanted.take(limit).map(|changed| changed.row.clone()).collect(), until: self.end() })
    }
}

impl<V: Clone> Default for Known<V> {
    fn default() -> Self {
        let changes = Changes { behind: 0, rows: VecDeque::new() };
        Self { doubts: Doubts::default(), rows: Recent::default(), changes }
    }
}

#[cfg(test)]
mod tests {
    use highstreet_domain::kernel::Timestamp;
    use highstreet_foundation::newest::Newest;
    use uuid::Uuid;

    use super::*;

    fn changed(key: &str, cursor: u64) -> Changed<u64> {
        let row = Row {
            key: key.into(),
            view: cursor,
            version: cursor,
            cursor,
            place: Uuid::nil(),
            created: Timestamp::default(),
            updated: Timestamp::default(),
        };
        let index = Index { shop: key.into(), ..Index::default() };
        Changed { row, index, bytes: 1 }
    }

    /// The cursors behind one; none if they are to be read from the table.
    fn behind(latest: &Latest<u64>, cursor: u64, limit: usize) -> Option<Vec<u64>> {
        let found = latest.behind(cursor, &Filter::default(), limit, Doubts::default())?;
        Some(found.rows.into_iter().map(|row| row.cursor).collect())
    }

    #[test]
    fn changes_are_told_as_long_as_there_is_none_between_them() {
        let latest = Latest::default();
        latest.saved(5, vec![changed("a", 6), changed("b", 7)], Doubts::default());
        latest.saved(7, vec![changed("c", 8)], Doubts::default());
        assert_eq!(behind(&latest, 5, 10), Some(vec![6, 7, 8]));
        assert_eq!(behind(&latest, 6, 1), Some(vec![7]));
        assert_eq!(behind(&latest, 4, 10), None, "another may be before the first");
        assert_eq!(behind(&latest, 8, 10), None, "another may be behind the last");
        latest.saved(9, vec![changed("d", 10)], Doubts::default());
        assert_eq!(behind(&latest, 8, 10), None, "somebody else made the ninth");
        assert_eq!(behind(&latest, 9, 10), Some(vec![10]));
        latest.saved(8, vec![changed("e", 9)], Doubts::default());
        assert_eq!(behind(&latest, 9, 10), Some(vec![10]), "said late, and read from the table");
    }

    #[test]
    fn a_row_comes_at_its_last_change_and_only_to_whom_it_concerns() {
        let latest = Latest::default();
        latest.saved(0, vec![changed("a", 1), changed("b", 2), changed("a", 3)], Doubts::default());
        assert_eq!(behind(&latest, 0, 10), Some(vec![2, 3]));
        let filter = Filter { shop: Some("b".into()), ..Filter::default() };
        let found = latest.behind(2, &filter, 10, Doubts::default()).map(|found| (found.rows.len(), found.until));
        assert_eq!(found, Some((0, 3)), "none of it need be looked through again");
    }

    #[test]
    fn nothing_is_known_after_a_doubt() {
        let (latest, newest) = (Latest::default(), Newest::default());
        let before = newest.doubts();
        latest.saved(0, vec![changed("a", 1)], before);
        assert_eq!(latest.row("a", before).map(|row| row.cursor), Some(1));
        newest.doubt();
        assert!(latest.row("a", newest.doubts()).is_none());
        assert!(latest.behind(0, &Filter::default(), 10, newest.doubts()).is_none());
        latest.saved(1, vec![changed("a", 2)], before);
        assert!(latest.row("a", newest.doubts()).is_none(), "it was saved before the doubt, perhaps");
    }

    #[test]
    fn a_row_that_somebody_else_wrote_is_read_again() {
        let latest = Latest::default();
        latest.saved(0, vec![changed("a", 1)], Doubts::default());
        latest.is_later("a".into(), 1);
        assert!(latest.row("a", Doubts::default()).is_none());
    }

    #[test]
    fn no_more_is_kept_than_a_watcher_would_want() {
        let latest = Latest::default();
        for cursor in 1..=2 * MOST as u64 {
            latest.saved(cursor - 1, vec![changed(&cursor.to_string(), cursor)], Doubts::default());
        }
        assert_eq!(latest.known().changes.rows.len(), MOST);
        assert_eq!(behind(&latest, MOST as u64 - 1, 10), None);
        assert_eq!(behind(&latest, MOST as u64, 1), Some(vec![MOST as u64 + 1]));
    }
}
