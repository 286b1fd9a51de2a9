//! Which change of a view is the newest, as long as this process knows without asking the store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The newest changes of the views of one store, by their cursors. Whoever watches looks whenever something was saved,
/// and mostly it was nothing of theirs, or they have seen it.
#[derive(Debug, Default)]
pub struct Newest(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    cursors: HashMap<String, u64>,
    /// How often somebody else wrote, or may have.
    doubts: u64,
}

/// How often there had been a doubt at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubts(u64);

// === impl Newest ===

impl Newest {
    /// The doubts up to now: to be asked before something is saved.
    pub fn doubts(&self) -> Doubts {
        Doubts(self.known().doubts)
    }

    /// Something may have been written that no `saved` tells of. To be said before whoever watches is rung for.
    pub fn doubt(&self) {
        let mut known = self.known();
        known.doubts += 1;
        known.cursors.clear();
    }

    /// The change with this cursor is committed, and so are all before it; there had been these doubts before it was
    /// saved. If there are more by now, what others wrote may be behind it.
    pub fn saved(&self, view: &str, cursor: u64, doubts: Doubts) {
        let mut known = self.known();
        if known.doubts != doubts.0 {
            return;
        }
        match known.cursors.get_mut(view) {
            // Whoever saved later may say so earlier.
            Some(newest) => *newest = cursor.max(*newest),
            None => drop(known.cursors.insert(view.to_owned(), cursor)),
        }
    }

    /// The cursor of the newest change of `view`, if nobody else may have written since it was saved.
    pub fn of(&self, view: &str) -> Option<u64> {
        self.known().cursors.get(view).copied()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Newest;

    #[test]
    fn what_was_saved_last_is_the_newest_whoever_says_so_first() {
        let newest = Newest::default();
        assert_eq!(newest.of("traces"), None);
        let before = newest.doubts();
        newest.saved("traces", 8, before);
        newest.saved("traces", 7, before);
        newest.saved("boards", 9, before);
        assert_eq!(newest.of("traces"), Some(8));
    }

    #[test]
    fn once_somebody_else_may_have_written_the_store_is_asked_until_something_is_saved() {
        let newest = Newest::default();
        let before = newest.doubts();
        newest.saved("traces", 7, before);
        newest.doubt();
        assert_eq!(newest.of("traces"), None);
        newest.saved("traces", 8, before);
        assert_eq!(newest.of("traces"), None, "theirs may be behind it");
        newest.saved("traces", 9, newest.doubts());
        newest.saved("traces", 8, before);
        assert_eq!(newest.of("traces"), Some(9));
    }
}
