//! What this process committed just now and is to be published: handed to the relay in memory, so that a relay that
//! keeps up asks the server for nothing.
//!
//! No event overtakes those before it in its stream, and those another replica committed are only in the table. So
//! nothing is handed over but what follows upon something that was: the first event of a stream, or the next behind one
//! that went this way or was looked up. For anything else the table is looked at, and all there is is taken from there.

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use highstreet_domain::kernel::Origin;
use highstreet_foundation::encoded::EncodedAppend;
use uuid::Uuid;

/// With more than this a relay is not keeping up, or there is none.
const MOST: usize = 4096;
/// How many streams a generation remembers; two generations are kept.
const GENERATION: usize = 8192;

/// What waits to be published, of one schema in one process.
#[derive(Default)]
pub(crate) struct Fresh(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Whether this process leads the outbox: otherwise nobody asks.
    leading: bool,
    /// Whether something is to be published that is only in the table.
    look: bool,
    queue: VecDeque<FreshEvent>,
    /// What was looked up last: some of it may have been committed here, and be said to be so only afterwards.
    looked_up: HashSet<i64>,
    streams: Streams,
}

/// Up to which revision everything in a stream goes to the relay before what comes next: for those that changed lately.
#[derive(Default)]
struct Streams {
    young: HashMap<Uuid, i64>,
    old: HashMap<Uuid, i64>,
}

/// An event to be published.
pub(crate) struct FreshEvent {
    pub(crate) position: i64,
    pub(crate) subject: Uuid,
    pub(crate) revision: i64,
    pub(crate) time: i64,
    pub(crate) origin: Arc<Origin>,
    pub(crate) name: &'static str,
    pub(crate) body: Arc<[u8]>,
}

/// What the relay is to do next.
pub(crate) enum Next {
    /// Publish these.
    Publish(Vec<FreshEvent>),
    /// Look into the table.
    Look,
    /// Wait.
    Wait,
}

// === impl Fresh ===

impl Fresh {
    /// From now on this process leads: what there is is in the table.
    pub(crate) fn lead(&self) {
        *self.kept() = Kept { leading: true, look: true, ..Kept::default() };
    }

    /// Somebody else leads.
    pub(crate) fn stand_back(&self) {
        *self.kept() = Kept::default();
    }

    /// There may be something in the table that was not handed over here.
    pub(crate) fn look(&self) {
        let mut kept = self.kept();
        kept.look = true;
        kept.queue.clear();
    }

    /// These were committed, in this order; their events to be published are at these positions, in the same order.
    pub(crate) fn committed<'a>(&self, appends: impl Iterator<Item = &'a EncodedAppend>, positions: &[i64]) {
        let mut kept = self.kept();
        if !kept.leading {
            return;
        }
        let mut positions = positions.iter();
        for append in appends {
            kept.committed(append, &mut positions);
        }
        if kept.queue.len() > MOST {
            kept.look = true;
            kept.queue.clear();
        }
    }

    /// What is to be done next; at most `limit` events.
    pub(crate) fn next(&self, limit: usize) -> Next {
        let mut kept = self.kept();
        if kept.look {
            return Next::Look;
        }
        let Kept { queue, looked_up, .. } = &mut *kept;
        queue.retain(|event| !looked_up.contains(&event.position));
        if queue.is_empty() {
            return Next::Wait;
        }
        // Groups that were committed side by side say so in any order; positions are in that of each stream.
        queue.make_contiguous().sort_unstable_by_key(|event| event.position);
        let some = limit.min(queue.len());
        Next::Publish(queue.drain(..some).collect())
    }

    /// The table is about to be looked at: what was committed up to now will be found there.
    pub(crate) fn begin_look(&self) {
        let mut kept = self.kept();
        kept.look = false;
        kept.queue.clear();
    }

    /// This was found there, and is all there was.
    pub(crate) fn looked_up(&self, positions: impl Iterator<Item = i64>) {
        self.kept().looked_up = positions.collect();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Kept ===

impl Kept {
    fn committed<'a>(&mut self, append: &EncodedAppend, positions: &mut impl Iterator<Item = &'a i64>) {
        let follows = append.after == 0 || self.streams.get(&append.id) == Some(append.after);
        let published = append.events.iter().filter_map(|event| event.published.as_ref().map(|it| (event, it)));
        let mut publishes = false;
        for (event, (name, body)) in published {
            publishes = true;
            let position = positions.next().filter(|_| follows && !self.look);
            let Some(position) = position else {
                // What comes before it may be in the table only; it is there, too.
                self.look = true;
                self.queue.clear();
                continue;
            };
            self.queue.push_back(FreshEvent {
                position: *position,
                subject: append.id,
                revision: event.revision,
                time: append.updated,
                origin: event.told_of.clone(),
                name,
                body: body.clone(),
            });
        }
        // Whatever came before is on its way, or is about to be looked up.
        if follows || publishes {
            self.streams.put(append.id, append.revision);
        }
    }
}

// === impl Streams ===

impl Streams {
    fn get(&self, stream: &Uuid) -> Option<i64> {
        self.young.get(stream).or_else(|| self.old.get(stream)).copied()
    }

    fn put(&mut self, stream: Uuid, revision: i64) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(stream, revision);
    }
}
