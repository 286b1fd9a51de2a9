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
    /// What was looked up last, and before that: some of it may have been committed here, and be said to be so only afterwards.
    looked_up: HashSet<i64>,
    looked_up_before: HashSet<i64>,
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

/// A look into the table that is under way.
pub(crate) struct Looking<'a>(Option<&'a Fresh>);

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
        let Kept { queue, looked_up, looked_up_before, .. } = &mut *kept;
        queue.retain(|event| [&*looked_up, &*looked_up_before].iter().all(|found| !found.contains(&event.position)));
        if queue.is_empty() {
            return Next::Wait;
        }
        // Groups that were committed side by side say so in any order; positions are in that of each stream.
        queue.make_contiguous().sort_unstable_by_key(|event| event.position);
        let some = limit.min(queue.len());
        Next::Publish(queue.drain(..some).collect())
    }

    /// The table is about to be looked at: what was committed up to now will be found there. Unless all there is is
    /// found, it is to be looked at again.
    pub(crate) fn begin_look(&self) -> Looking<'_> {
        let mut kept = self.kept();
        kept.look = false;
        kept.queue.clear();
        Looking(Some(self))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Looking ===

impl Looking<'_> {
    /// This was there, and nothing else.
    pub(crate) fn found_all(mut self, positions: impl Iterator<Item = i64>) {
        if let Some(fresh) = self.0.take() {
            let mut kept = fresh.kept();
            kept.looked_up_before = mem::replace(&mut kept.looked_up, positions.collect());
        }
    }
}

impl Drop for Looking<'_> {
    /// There is more, or whoever looked went away.
    fn drop(&mut self) {
        if let Some(fresh) = self.0 {
            fresh.look();
        }
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

#[cfg(test)]
mod tests {
    use highstreet_domain::kernel::ports::Wake;
    use highstreet_foundation::encoded::EncodedEvent;

    use super::*;

    /// A leader's, that has looked once.
    fn fresh() -> Fresh {
        let fresh = Fresh::default();
        fresh.lead();
        look(&fresh, &[]);
        fresh
    }

    /// Looks into a table in which there is nothing else than this.
    fn look(fresh: &Fresh, found: &[i64]) {
        assert!(matches!(fresh.next(10), Next::Look));
        fresh.begin_look().found_all(found.iter().copied());
    }

    /// An append of one event behind `after`, told to others or not.
    fn append(stream: u128, after: i64, published: bool) -> EncodedAppend {
        let event = EncodedEvent {
            revision: after + 1,
            cause: None,
            told_of: Arc::default(),
            origin: String::new(),
            data: Vec::new(),
            published: published.then(|| ("Added", Arc::from([]))),
        };
        EncodedAppend {
            id: Uuid::from_u128(stream),
            aggregate: "counter",
            after,
            era: 0,
            revision: after + 1,
            version: 1,
            state: Vec::new(),
            index: [const { None }; 4],
            created: 0,
            updated: 0,
            wake: Wake::Keep,
            origin: String::new(),
            events: vec![event],
            claims: Vec::new(),
            release: false,
            entries: Vec::new(),
        }
    }

    fn commit(fresh: &Fresh, stream: u128, after: i64, position: i64) {
        fresh.committed([append(stream, after, true)].iter(), &[position]);
    }

    /// The positions that are given; none if it is to be looked.
    fn given(fresh: &Fresh, limit: usize) -> Option<Vec<i64>> {
        match fresh.next(limit) {
            Next::Publish(events) => Some(events.into_iter().map(|event| event.position).collect()),
            Next::Look => None,
            Next::Wait => Some(Vec::new()),
        }
    }

    #[test]
    fn what_follows_upon_what_was_handed_over_is_handed_over() {
        let fresh = fresh();
        commit(&fresh, 1, 0, 10);
        fresh.committed([append(1, 1, false)].iter(), &[]);
        commit(&fresh, 1, 2, 12);
        assert_eq!(given(&fresh, 10), Some(vec![10, 12]));
        assert_eq!(given(&fresh, 10), Some(vec![]), "once");
    }

    #[test]
    fn what_others_may_have_committed_before_is_looked_up_first() {
        let fresh = fresh();
        commit(&fresh, 1, 0, 10);
        commit(&fresh, 1, 2, 12);
        assert_eq!(given(&fresh, 10), None, "somebody else committed the second event of it");
        look(&fresh, &[10, 11, 12]);
        commit(&fresh, 1, 3, 13);
        assert_eq!(given(&fresh, 10), Some(vec![13]), "what was before it has been looked up");
        fresh.committed([append(2, 5, false)].iter(), &[]);
        commit(&fresh, 2, 6, 14);
        assert_eq!(given(&fresh, 10), None, "what was not told to others proves nothing");
    }

    #[test]
    fn what_was_looked_up_is_not_given_again_if_its_commit_is_heard_of_late() {
        let fresh = fresh();
        let looking = fresh.begin_look();
        commit(&fresh, 1, 0, 10);
        looking.found_all([10, 11].into_iter());
        fresh.begin_look().found_all([].into_iter());
        commit(&fresh, 3, 0, 11);
        commit(&fresh, 2, 0, 12);
        assert_eq!(given(&fresh, 10), Some(vec![12]));
    }

    #[test]
    fn a_look_that_is_given_up_is_made_again() {
        let fresh = fresh();
        drop(fresh.begin_look());
        assert_eq!(given(&fresh, 10), None);
    }

    #[test]
    fn what_is_committed_while_a_look_is_due_is_found_by_it() {
        let fresh = fresh();
        fresh.look();
        commit(&fresh, 1, 0, 10);
        look(&fresh, &[10]);
        assert_eq!(given(&fresh, 10), Some(vec![]));
    }

    #[test]
    fn groups_that_were_committed_side_by_side_are_given_in_the_order_of_their_positions() {
        let fresh = fresh();
        commit(&fresh, 2, 0, 12);
        commit(&fresh, 1, 0, 10);
        commit(&fresh, 3, 0, 11);
        assert_eq!(given(&fresh, 2), Some(vec![10, 11]));
        assert_eq!(given(&fresh, 2), Some(vec![12]));
    }

    #[test]
    fn nothing_is_kept_for_a_relay_that_does_not_lead_or_does_not_keep_up() {
        let fresh = fresh();
        for stream in 0..=MOST as u128 {
            commit(&fresh, stream, 0, 1);
        }
        assert_eq!(given(&fresh, 10), None, "all of it is in the table");
        fresh.stand_back();
        commit(&fresh, 1, 1, 1);
        assert!(fresh.kept().queue.is_empty());
        fresh.lead();
        assert_eq!(given(&fresh, 10), None, "whoever led before may have left something");
    }
}
