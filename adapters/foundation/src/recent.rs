//! What was read or written lately, so that most reads ask no store.
//!
//! Coherent where a folder belongs to one process, and every write goes through whatever keeps this. Where something may
//! be stale, the write's revision check finds out, and it is forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use highstreet_domain::kernel::Aggregate;
use highstreet_domain::kernel::ports::{Loaded, Row};

/// How many values a generation holds at most; two generations are kept.
const GENERATION: usize = 2048;
/// How many bytes the values of a generation have at most, as they are written: a hall of 2,500 seats takes as much room
/// as hundreds of orders.
const GENERATION_BYTES: usize = 4 << 20;

/// Two generations of values: what was not touched for a whole generation goes.
pub struct Recent<K, V>(Mutex<Generations<K, V>>);

struct Generations<K, V> {
    young: HashMap<K, Entry<V>>,
    /// How many bytes the young ones have.
    bytes: usize,
    old: HashMap<K, Entry<V>>,
}

/// A value; or, once forgotten, how old a value must be at least to be taken again.
#[derive(Clone)]
struct Entry<V> {
    age: u64,
    value: Option<V>,
    bytes: usize,
}

/// A value that is replaced by newer ones only.
pub trait Aged: Clone {
    /// Of two values the one with the greater age is newer.
    fn age(&self) -> u64;
}

// === impl Recent ===

impl<K: Eq + Hash, V: Aged> Recent<K, V> {
    /// What is known by this key.
    pub fn get(&self, key: &K) -> Option<V> {
        self.generations().find(key)?.value.clone()
    }

    /// Remembers a value, unless a newer one is known. `bytes` is how long it is as it is written.
    pub fn put(&self, key: K, value: V, bytes: usize) {
        self.enter(key, Entry { age: value.age(), value: Some(value), bytes });
    }

    /// Forgets what was before `age`: it was replaced by something that is not kept here.
    pub fn forget(&self, key: K, age: u64) {
        self.enter(key, Entry { age, value: None, bytes: 0 });
    }

    /// Forgets everything. Nobody may be writing meanwhile.
    pub fn clear(&self) {
        let mut generations = self.generations();
        generations.young.clear();
        generations.bytes = 0;
        generations.old.clear();
    }

    fn enter(&self, key: K, entry: Entry<V>) {
        let mut generations = self.generations();
        // A reader who was slow must not bring back what a writer has replaced.
        if generations.find(&key).is_some_and(|known| known.age > entry.age) {
            return;
        }
        if generations.young.len() >= GENERATION || generations.bytes >= GENERATION_BYTES {
            generations.old = mem::take(&mut generations.young);
            generations.bytes = 0;
        }
        generations.bytes += entry.bytes;
        if let Some(replaced) = generations.young.insert(key, entry) {
            generations.bytes -= replaced.bytes;
        }
    }

    fn generations(&self) -> MutexGuard<'_, Generations<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), bytes: 0, old: HashMap::new() }))
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    fn find(&self, key: &K) -> Option<&Entry<V>> {
        self.young.get(key).or_else(|| self.old.get(key))
    }
}

/// Of the same era the one with more events is newer; of a newer era any is.
pub fn age(era: u64, revision: u64) -> u64 {
    era << 40 | revision
}

impl<A: Aggregate> Aged for Loaded<A> {
    fn age(&self) -> u64 {
        age(self.era, self.standing.revision)
    }
}

impl<V: Clone> Aged for Row<V> {
    fn age(&self) -> u64 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Aged for u64 {
        fn age(&self) -> u64 {
            *self
        }
    }

    #[test]
    fn a_slow_reader_does_not_bring_back_what_was_replaced() {
        let recent = Recent::default();
        recent.put("a", 5, 1);
        recent.forget("a", 6);
        recent.put("a", 5, 1);
        assert_eq!(recent.get(&"a"), None);
        recent.put("a", 7, 1);
        recent.put("a", 6, 1);
        assert_eq!(recent.get(&"a"), Some(7));
    }

    #[test]
    fn what_is_large_goes_sooner() {
        let kept = |bytes: usize| {
            let recent = Recent::default();
            for key in 0..10_000_u64 {
                recent.put(key, 1, bytes);
            }
            (0..10_000).filter(|key| recent.get(key).is_some()).count()
        };
        assert!(kept(100) > GENERATION, "small ones go by their number");
        assert!((4..=8).contains(&kept(1 << 20)), "two generations of four");
    }
}
