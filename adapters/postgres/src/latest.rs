//! The rows of a view that this process saved or loaded lately: its projectors need not ask for them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use highstreet_domain::kernel::ports::Row;
use highstreet_foundation::newest::Doubts;
use highstreet_foundation::recent::Recent;

/// What is known of one view's rows. Another replica may have written newer ones: then what is made of these is not saved.
pub(crate) struct Latest<V>(Mutex<Known<V>>);

struct Known<V> {
    /// The doubts there had been: what is known from before a doubt may be rewritten, or lost.
    doubts: Doubts,
    rows: Recent<String, Row<V>>,
}

// === impl Latest ===

impl<V: Clone> Latest<V> {
    /// What is known of the row under `key`, unless there were doubts since.
    pub(crate) fn row(&self, key: &str, doubts: Doubts) -> Option<Row<V>> {
        self.after(doubts).rows.get(&key.to_owned())
    }

    /// This row is there, as long as it is written; there had been these doubts before it was asked for, or saved.
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

    /// What is known after these doubts.
    fn after(&self, doubts: Doubts) -> MutexGuard<'_, Known<V>> {
        let mut known = self.known();
        if known.doubts < doubts {
            *known = Known { doubts, rows: Recent::default() };
        }
        known
    }

    fn known(&self) -> MutexGuard<'_, Known<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Clone> Default for Latest<V> {
    fn default() -> Self {
        Self(Mutex::new(Known { doubts: Doubts::default(), rows: Recent::default() }))
    }
}

#[cfg(test)]
mod tests {
    use highstreet_domain::kernel::Timestamp;
    use highstreet_foundation::newest::Newest;
    use uuid::Uuid;

    use super::*;

    fn row(version: u64) -> Row<u64> {
        Row {
            key: "a".into(),
            view: version,
            version,
            cursor: version,
            place: Uuid::nil(),
            created: Timestamp::default(),
            updated: Timestamp::default(),
        }
    }

    #[test]
    fn nothing_is_known_after_a_doubt() {
        let (latest, newest) = (Latest::default(), Newest::default());
        let before = newest.doubts();
        latest.found(row(1), 1, before);
        assert_eq!(latest.row("a", before).map(|row| row.version), Some(1));
        newest.doubt();
        assert!(latest.row("a", newest.doubts()).is_none());
        latest.found(row(2), 1, before);
        assert!(latest.row("a", newest.doubts()).is_none(), "it was saved before the doubt, perhaps");
    }

    #[test]
    fn a_row_that_somebody_else_wrote_is_read_again() {
        let latest = Latest::default();
        latest.found(row(1), 1, Doubts::default());
        latest.is_later("a".into(), 1);
        latest.found(row(1), 1, Doubts::default());
        assert!(latest.row("a", Doubts::default()).is_none(), "whoever read it was slow");
        latest.found(row(2), 1, Doubts::default());
        assert!(latest.row("a", Doubts::default()).is_some());
    }
}
