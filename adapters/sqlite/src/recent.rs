//! What was read or written lately, so that most reads touch no file.
//!
//! Coherent because a data folder belongs to one process, and every write goes through whatever keeps this. Should
//! something be stale all the same, the write's revision check finds out, and it is forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use highstreet_domain::kernel::Aggregate;
use highstreet_domain::kernel::ports::{Loaded, Row};

/// How many values a generation holds; two generations are kept.
const GENERATION: usize = 2048;

/// Two generations of values: what was not touched for a whole generation goes.
pub(crate) struct Recent<K, V>(Mutex<Generations<K, V>>);

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

/// A value that is replaced by newer ones only.
pub(crate) trait Aged: Clone {
    fn age(&self) -> u64;
}

// === impl Recent ===

impl<K: Eq + Hash, V: Aged> Recent<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let generations = self.generations();
        generations.young.get(key).or_else(|| generations.old.get(key)).cloned()
    }

    pub(crate) fn put(&self, key: K, value: V) {
        let mut generations = self.generations();
        // A reader who was slow must not bring back what a writer has replaced.
        let known = generations.young.get(&key).or_else(|| generations.old.get(&key));
        if known.is_some_and(|known| known.age() > value.age()) {
            return;
        }
        if generations.young.len() >= GENERATION {
            generations.old = mem::take(&mut generations.young);
        }
        generations.young.insert(key, value);
    }

    pub(crate) fn forget(&self, key: &K) {
        let mut generations = self.generations();
        generations.young.remove(key);
        generations.old.remove(key);
    }

    fn generations(&self) -> MutexGuard<'_, Generations<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Aggregate> Aged for Loaded<A> {
    fn age(&self) -> u64 {
        self.standing.revision
    }
}

impl<V: Clone> Aged for Row<V> {
    fn age(&self) -> u64 {
        self.version
    }
}
