//! Streams and their agenda in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use highstreet_domain::kernel::ports::{
    Agenda, Append, AppendError, Claimed, Journal, Loaded, Lookup, Pending, Sought, StoreError, Task, Wake,
};
use highstreet_domain::kernel::{
    Aggregate, Cause, ClaimKey, Happened, Id, Index, Message, Origin, Publish, Standing, Timestamp,
};

use super::Store;
use super::store::{Contents, Holder};
use super::trouble::Call;
use crate::lock;

/// The streams of one kind of aggregate. Clones share them.
pub struct Streams<A: Aggregate> {
    pub(super) store: Store,
    pub(super) kept: Arc<Mutex<BTreeMap<Id<A>, Stream<A>>>>,
    publish: Publish<A>,
    flaws: Flaws,
}

/// Guards switched off, to show that something notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaws {
    /// All guards are on.
    #[default]
    None,
    /// Whether a cause was answered is forgotten.
    CausesForgotten,
    /// Nobody holds a claim.
    ClaimsIgnored,
    /// Whether a stream has moved on since it was loaded is not looked at.
    ConflictsIgnored,
    /// What is kept by key beside a state is never found again.
    EntriesForgotten,
}

/// One stream and what is kept with it.
pub(super) struct Stream<A: Aggregate> {
    pub(super) standing: Standing<A>,
    pub(super) index: Option<Index>,
    pub(super) entries: BTreeMap<String, Entry<A>>,
    events: Vec<(Timestamp, A::Event)>,
    causes: BTreeMap<Cause, u64>,
    claim: Option<ClaimKey>,
    due: Due,
}

pub(super) struct Entry<A: Aggregate> {
    pub(super) place: u64,
    pub(super) contents: A::Entry,
    pub(super) updated: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Due {
    since: u64,
    wake: Option<Timestamp>,
    leased: bool,
    attempts: u32,
    error: String,
    origin: Arc<Origin>,
}

// === impl Streams ===

impl<A: Aggregate> Streams<A> {
    /// Streams in `store`, whose events are published as `publish` says.
    pub fn new(store: &Store, publish: Publish<A>) -> Self {
        Self::flawed(store, publish, Flaws::None)
    }

    /// Streams that fail to keep a promise.
    pub fn flawed(store: &Store, publish: Publish<A>, flaws: Flaws) -> Self {
        Self { store: store.clone(), kept: Arc::default(), publish, flaws }
    }

    /// Every stream as it stands, for a test to look at.
    pub fn all(&self) -> Vec<(Id<A>, Standing<A>)> {
        lock(&self.kept).iter().map(|(id, stream)| (*id, stream.standing.clone())).collect()
    }

    /// One stream as it stands, for a test to look at.
    pub fn standing(&self, id: Id<A>) -> Standing<A> {
        lock(&self.kept).get(&id).map_or_else(|| Loaded::default().standing, |stream| stream.standing.clone())
    }

    /// The events of a stream, for a test to look at.
    pub fn events(&self, id: Id<A>) -> Vec<A::Event> {
        let kept = lock(&self.kept);
        kept.get(&id).map_or_else(Vec::new, |stream| stream.events.iter().map(|(_, event)| event.clone()).collect())
    }

    /// What waits: streams with the error that was met last, for a test to look at.
    pub fn waiting(&self) -> Vec<(Id<A>, String)> {
        let kept = lock(&self.kept);
        let waiting = kept.iter().filter(|(_, stream)| stream.due.wake.is_some());
        waiting.map(|(id, stream)| (*id, stream.due.error.clone())).collect()
    }

    fn find(&self, id: Id<A>, lookups: &[Lookup]) -> Loaded<A> {
        let kept = lock(&self.kept);
        let stream = kept.get(&id);
        let answer = |lookup: &Lookup| match self.flaws {
            Flaws::CausesForgotten => None,
            _ => stream?.causes.get(&lookup.cause?).copied(),
        };
        let entry = |lookup: &Lookup| match self.flaws {
            Flaws::EntriesForgotten => None,
            _ => stream?.entries.get(lookup.key.as_ref()?).map(|kept| kept.contents.clone()),
        };
        let answers = lookups.iter().map(answer).collect();
        let entries = lookups.iter().map(entry).collect();
        let Some(stream) = stream else { return Loaded { answers, entries, ..Loaded::default() } };
        let Due { since, attempts, .. } = stream.due;
        Loaded { standing: stream.standing.clone(), since, attempts, answers, entries, era: 0 }
    }

    fn commit(&self, append: Append<A>) -> Result<(), AppendError> {
        let mut kept = lock(&self.kept);
        self.store.with(|contents| {
            if let Some(key) = self.taken(&append, contents) {
                return Err(AppendError::Claimed(key));
            }
            let moved_on = kept.get(&append.id).map_or(0, |stream| stream.standing.revision) != append.after;
            if moved_on && self.flaws != Flaws::ConflictsIgnored {
                return Err(AppendError::Conflict);
            }
            self.publish(&append, contents);
            kept.entry(append.id).or_insert_with(Stream::new).write(append, contents);
            Ok(())
        })
    }

    fn taken(&self, append: &Append<A>, contents: &Contents) -> Option<ClaimKey> {
        if self.flaws == Flaws::ClaimsIgnored {
            return None;
        }
        append.claims.iter().map(|(claim, _)| claim.key).find(|key| contents.claims.contains_key(key))
    }

    fn publish(&self, append: &Append<A>, contents: &mut Contents) {
        for (recorded, revision) in append.events.iter().zip(append.after + 1..) {
            let (state, event, origin) = (&recorded.state, &recorded.event, &*recorded.origin);
            let happened = Happened { id: append.id, revision, state, event, origin };
            let Some(published) = (self.publish)(&happened) else { continue };
            contents.publish(Message {
                id: Message::id_of(append.id.uuid(), revision),
                source: self.store.source(),
                name: published.name.into(),
                subject: append.id.uuid(),
                time: append.standing.updated,
                origin: origin.clone(),
                body: published.body,
            });
        }
    }

    /// What is due now, leased; or when to look again.
    fn lease(&self, limit: usize, lease: Duration) -> Result<Vec<Task<A>>, Option<Timestamp>> {
        let now = self.store.clock().now();
        let mut kept = lock(&self.kept);
        let mut due: Vec<_> = kept.iter_mut().filter(|(_, stream)| stream.due.wake.is_some()).collect();
        due.sort_by_key(|(id, stream)| (stream.due.wake, **id));
        let next = due.first().and_then(|(_, stream)| stream.due.wake);
        let task = |(id, stream): (&Id<A>, &mut Stream<A>)| stream.due.lease(*id, now.after(lease));
        let tasks: Vec<_> =
            due.into_iter().take_while(|(_, stream)| stream.due.wake <= Some(now)).take(limit).map(task).collect();
        if tasks.is_empty() { Err(next) } else { Ok(tasks) }
    }

    fn sought(&self, sought: &Sought) -> Vec<Pending<A>> {
        let now = self.store.clock().now();
        let kept = lock(&self.kept);
        let wanted = |(id, stream): &(&Id<A>, &Stream<A>)| {
            sought.after.is_none_or(|after| id.uuid() > after)
                && sought.only.is_none_or(|only| id.uuid() == only)
                && (stream.due.attempts > 0 || !sought.tried)
        };
        let pending = |(id, stream): (&Id<A>, &Stream<A>)| stream.pending(*id, now);
        kept.iter().filter(wanted).filter_map(pending).take(sought.limit).collect()
    }
}

#[async_trait]
impl<A: Aggregate> Journal<A> for Streams<A> {
    async fn load(&self, id: Id<A>, lookups: &[Lookup]) -> Result<Loaded<A>, StoreError> {
        self.store.call(Call::Read, || self.find(id, lookups)).await
    }

    async fn append(&self, append: Append<A>) -> Result<(), AppendError> {
        let publishing = !append.events.is_empty();
        self.store
            .call(Call::Write, || {
                self.commit(append)?;
                if publishing {
                    self.store.published().ring();
                }
                self.store.due().ring();
                Ok(())
            })
            .await?
    }

    async fn claimed(&self, key: ClaimKey) -> Result<Option<Claimed<A>>, StoreError> {
        let holder = || self.store.with(|contents| contents.claims.get(&key).copied());
        let holder = self.store.call(Call::Read, holder).await?.filter(|_| self.flaws != Flaws::ClaimsIgnored);
        Ok(holder.map(|Holder { stream, revision, fingerprint }| Claimed {
            id: Id::new(stream),
            revision,
            fingerprint,
        }))
    }

    async fn history(&self, id: Id<A>) -> Result<Vec<(Timestamp, A::Event)>, StoreError> {
        let events = || lock(&self.kept).get(&id).map_or_else(Vec::new, |stream| stream.events.clone());
        self.store.call(Call::Read, events).await
    }
}

#[async_trait]
impl<A: Aggregate> Agenda<A> for Streams<A> {
    async fn take(&self, limit: usize, lease: Duration) -> Result<Vec<Task<A>>, StoreError> {
        loop {
            let rings = self.store.due().rings();
            let changed = self.store.due().after(rings);
            match self.store.call(Call::Write, || self.lease(limit, lease)).await? {
                Ok(tasks) => return Ok(tasks),
                Err(None) => changed.await,
                Err(Some(next)) => {
                    let changed = std::pin::pin!(changed);
                    match select(changed, self.store.clock().until(next)).await {
                        Either::Left(_) | Either::Right(_) => {}
                    }
                }
            }
        }
    }

    async fn put_off(&self, id: Id<A>, since: u64, at: Timestamp, error: &str) -> Result<(), StoreError> {
        let put_off = || {
            if let Some(stream) = lock(&self.kept).get_mut(&id) {
                stream.due.put_off(since, at, error);
            }
            self.store.due().ring();
        };
        self.store.call(Call::Write, put_off).await
    }

    async fn pending(&self, sought: &Sought) -> Result<Vec<Pending<A>>, StoreError> {
        self.store.call(Call::Read, || self.sought(sought)).await
    }

    async fn seize(&self, id: Id<A>, since: u64, lease: Duration) -> Result<Option<Task<A>>, StoreError> {
        let now = self.store.clock().now();
        let seize = || {
            let mut kept = lock(&self.kept);
            let due = &mut kept.get_mut(&id)?.due;
            let free = due.since == since && due.wake.is_some() && !due.is_leased(now);
            free.then(|| due.lease(id, now.after(lease)))
        };
        self.store.call(Call::Write, seize).await
    }
}

impl<A: Aggregate> Clone for Streams<A> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), kept: self.kept.clone(), publish: self.publish, flaws: self.flaws }
    }
}

impl<A: Aggregate> fmt::Debug for Streams<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("of", &A::NAME).field("store", &self.store).finish_non_exhaustive()
    }
}

// === impl Stream ===

impl<A: Aggregate> Stream<A> {
    fn new() -> Self {
        Self {
            standing: Loaded::default().standing,
            index: None,
            entries: BTreeMap::new(),
            events: Vec::new(),
            causes: BTreeMap::new(),
            claim: None,
            due: Due::default(),
        }
    }

    /// What it waits for.
    fn pending(&self, id: Id<A>, now: Timestamp) -> Option<Pending<A>> {
        let Due { since, wake, attempts, error, origin, .. } = self.due.clone();
        let event = usize::try_from(since).unwrap_or(usize::MAX).checked_sub(1).and_then(|at| self.events.get(at));
        let became_due = event.map_or(self.standing.updated, |(time, _)| *time);
        Some(Pending { id, since, became_due, wake: wake?, running: self.due.is_leased(now), attempts, error, origin })
    }

    fn write(&mut self, append: Append<A>, contents: &mut Contents) {
        let time = append.standing.updated;
        for (recorded, revision) in append.events.into_iter().zip(append.after + 1..) {
            self.events.push((time, recorded.event));
            self.causes.extend(recorded.cause.map(|cause| (cause, revision)));
        }
        for (key, entry) in append.entries {
            let place = u64::try_from(self.entries.len()).unwrap_or(u64::MAX) + 1;
            let place = self.entries.get(&key).map_or(place, |kept| kept.place);
            self.entries.insert(key, Entry { place, contents: entry, updated: time });
        }
        // Once: by the next time somebody else may hold it.
        if append.release
            && let Some(claim) = self.claim.take()
        {
            contents.claims.remove(&claim);
        }
        for (claim, revision) in append.claims {
            let holder = Holder { stream: append.id.uuid(), revision, fingerprint: claim.fingerprint };
            contents.claims.insert(claim.key, holder);
            self.claim = Some(claim.key);
        }
        self.standing = append.standing;
        self.index = append.index;
        self.due.set(append.wake, append.origin);
    }
}

// === impl Due ===

impl Due {
    fn set(&mut self, wake: Wake, origin: Arc<Origin>) {
        let (wake, leased, since) = match wake {
            Wake::Keep => return,
            Wake::Leased { until, since } => (Some(until), true, since),
            Wake::At { at, since } => (Some(at), false, since),
            Wake::Nothing => (None, false, 0),
        };
        *self = Self { since, wake, leased, attempts: 0, error: String::new(), origin };
    }

    fn lease<A>(&mut self, id: Id<A>, until: Timestamp) -> Task<A> {
        (self.wake, self.leased) = (Some(until), true);
        Task { id, since: self.since, origin: self.origin.clone() }
    }

    fn is_leased(&self, now: Timestamp) -> bool {
        self.leased && self.wake > Some(now)
    }

    fn put_off(&mut self, since: u64, at: Timestamp, error: &str) {
        if self.since == since && self.wake.is_some() {
            (self.wake, self.leased) = (Some(at), false);
            self.attempts += 1;
            self.error = error.into();
        }
    }
}
