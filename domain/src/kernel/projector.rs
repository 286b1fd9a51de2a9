//! Folds what contexts publish into the rows of a view.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use futures_util::future::{Either, select};

use super::ports::{Clock, Deliveries, Delivery, Save, StoreError, Verdict, Views};
use super::{Message, Timestamp, Undecodable, View};

const AT_ONCE: usize = 512;
const AWAY: Duration = Duration::from_millis(200);
/// How long what is done may wait for the disk, for others to wait with it.
const SETTLED_WITHIN: Duration = Duration::from_millis(100);

/// What a view makes of a message; `None` if it is of no concern.
pub type Seeing<V> = Arc<dyn Fn(&Message) -> Result<Option<<V as View>::Fact>, Undecodable> + Send + Sync>;

/// Facts by the row they belong to, with the deliveries they came in.
type Rows<F> = BTreeMap<String, (Vec<u64>, Vec<F>)>;

/// One per pair of view and context.
pub struct Projector<V: View> {
    /// Makes facts of messages.
    pub seeing: Seeing<V>,
    /// Where the rows are kept.
    pub views: Arc<dyn Views<V>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Deliveries whose rows are saved and may be lost with the power.
#[derive(Default)]
struct Unsettled {
    tags: Vec<u64>,
    /// When they are flushed and settled, if there are any.
    until: Option<Timestamp>,
}

// === impl Projector ===

impl<V: View> Projector<V> {
    /// Projects until it is dropped.
    pub async fn run(self, mut deliveries: Box<dyn Deliveries>) {
        let mut unsettled = Unsettled::default();
        loop {
            let done = match self.next(&mut *deliveries, unsettled.until).await {
                Ok(batch) => {
                    let verdicts = self.project(&batch).await;
                    self.settle(&mut *deliveries, verdicts, &mut unsettled).await
                }
                Err(_) => false,
            };
            if !done {
                self.clock.until(self.clock.now().after(AWAY)).await;
            }
        }
    }

    /// The next messages; none if there is something to settle first.
    async fn next(
        &self,
        deliveries: &mut dyn Deliveries,
        until: Option<Timestamp>,
    ) -> Result<Vec<Delivery>, StoreError> {
        let Some(until) = until else { return deliveries.next(AT_ONCE).await };
        match select(deliveries.next(AT_ONCE), self.clock.until(until)).await {
            Either::Left((batch, _)) => batch,
            Either::Right(_) => Ok(Vec::new()),
        }
    }

    /// Settles what survives a loss of power; the rest is flushed now and then, with whatever else was saved, so that
    /// nobody who asks for a row waits for the disk. False if something is not done.
    async fn settle(
        &self,
        deliveries: &mut dyn Deliveries,
        verdicts: Vec<(u64, Verdict)>,
        unsettled: &mut Unsettled,
    ) -> bool {
        let (done, mut now): (Vec<_>, Vec<_>) =
            verdicts.into_iter().partition(|(_, verdict)| *verdict == Verdict::Done);
        unsettled.add(done, self.clock.now());
        if !self.views.is_unflushed() || unsettled.is_due(self.clock.now()) {
            let flushed = self.views.flush().await.is_ok();
            // What is not kept is made anew.
            let verdict = if flushed { Verdict::Done } else { Verdict::Later };
            now.extend(unsettled.take().into_iter().map(|tag| (tag, verdict.clone())));
        }
        let later = now.iter().any(|(_, verdict)| *verdict == Verdict::Later);
        let settled = now.is_empty() || deliveries.settle(now).await.is_ok();
        settled && !later
    }

    async fn project(&self, batch: &[Delivery]) -> Vec<(u64, Verdict)> {
        let mut verdicts = Vec::with_capacity(batch.len());
        let mut rows: Rows<V::Fact> = BTreeMap::new();
        for delivery in batch {
            match (self.seeing)(&delivery.message) {
                Ok(Some(fact)) => {
                    let (tags, facts) = rows.entry(V::key(&fact)).or_default();
                    tags.push(delivery.tag);
                    facts.push(fact);
                }
                Ok(None) => verdicts.push((delivery.tag, Verdict::Done)),
                Err(undecodable) => verdicts.push((delivery.tag, Verdict::Failed(undecodable.0))),
            }
        }
        let mut waiting = Vec::from([rows]);
        while let Some(mut rows) = waiting.pop() {
            match self.fold(&rows).await {
                Ok(written) => {
                    // Rows that another projector wrote meanwhile are read and folded again.
                    rows.retain(|key, (tags, _)| {
                        let done = written.contains(key);
                        if done {
                            verdicts.extend(tags.iter().map(|tag| (*tag, Verdict::Done)));
                        }
                        !done
                    });
                    waiting.extend((!rows.is_empty()).then_some(rows));
                }
                // One row that cannot be read must not hold up the others: each for itself.
                Err(StoreError::Unreadable(_)) if rows.len() > 1 => {
                    waiting.extend(rows.into_iter().map(|row| BTreeMap::from([row])));
                }
                Err(StoreError::Unreadable(why)) => verdicts.extend(settle(rows, &Verdict::Failed(why))),
                Err(StoreError::Unavailable(_)) => verdicts.extend(settle(rows, &Verdict::Later)),
            }
        }
        verdicts
    }

    /// Folds the facts into their rows; returns the keys of those that were written, or had nothing new.
    async fn fold(&self, rows: &Rows<V::Fact>) -> Result<Vec<String>, StoreError> {
        let keys: Vec<String> = rows.keys().cloned().collect();
        let stored = self.views.load(&keys).await?;
        let time = self.clock.now();
        let mut written = Vec::new();
        let mut saves = Vec::new();
        for (key, (row, (_, facts))) in keys.into_iter().zip(stored.into_iter().zip(rows.values())) {
            let (before, version) = row.map_or((V::default(), 0), |row| (row.view, row.version));
            let view = facts.iter().fold(before.clone(), V::apply);
            if version > 0 && view == before {
                written.push(key);
            } else {
                let index = view.index();
                saves.push(Save { key, version, view, index, time });
            }
        }
        let keys: Vec<String> = saves.iter().map(|save| save.key.clone()).collect();
        let done = self.views.save(saves).await?;
        written.extend(keys.into_iter().zip(done).filter_map(|(key, done)| done.then_some(key)));
        Ok(written)
    }
}

// === impl Unsettled ===

impl Unsettled {
    fn add(&mut self, done: Vec<(u64, Verdict)>, now: Timestamp) {
        if !done.is_empty() {
            self.until.get_or_insert_with(|| now.after(SETTLED_WITHIN));
        }
        self.tags.extend(done.into_iter().map(|(tag, _)| tag));
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.tags.len() >= AT_ONCE || self.until.is_some_and(|until| until <= now)
    }

    fn take(&mut self) -> Vec<u64> {
        self.until = None;
        mem::take(&mut self.tags)
    }
}

/// The same verdict on everything that belongs to `rows`.
fn settle<F>(rows: Rows<F>, verdict: &Verdict) -> Vec<(u64, Verdict)> {
    rows.into_values().flat_map(|(tags, _)| tags).map(|tag| (tag, verdict.clone())).collect()
}
