//! The states that were read or written lately, so that most loads touch no file.
//!
//! Coherent because a data folder belongs to one process, and every append goes through the journal that keeps this.
//! Should a state be stale all the same, the append's revision check finds out, and the state is forgotten.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use highstreet_domain::kernel::ports::Loaded;
use highstreet_domain::kernel::{Aggregate, Id};

/// How many states a generation holds; two generations are kept.
const GENERATION: usize = 2048;

/// Two generations of states: what was not touched for a whole generation goes.
pub(crate) struct RecentStates<A: Aggregate>(Mutex<Generations<A>>);

struct Generations<A: Aggregate> {
    young: HashMap<Id<A>, Loaded<A>>,
    old: HashMap<Id<A>, Loaded<A>>,
}

// === impl RecentStates ===

impl<A: Aggregate> RecentStates<A> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }

    pub(crate) fn get(&self, id: Id<A>) -> Option<Loaded<A>> {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.get(&id).or_else(|| generations.old.get(&id)).cloned()
    }

    pub(crate) fn put(&self, id: Id<A>, loaded: Loaded<A>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A reader who was slow must not bring back what a writer has replaced.
        let known = generations.young.get(&id).or_else(|| generations.old.get(&id));
        if known.is_some_and(|known| known.standing.revision > loaded.standing.revision) {
            return;
        }
        if generations.young.len() >= GENERATION {
            generations.old = mem::take(&mut generations.young);
        }
        generations.young.insert(id, loaded);
    }

    pub(crate) fn forget(&self, id: Id<A>) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.remove(&id);
        generations.old.remove(&id);
    }
}
