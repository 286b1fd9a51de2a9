//! A durable consumer: how far it has come, what is out with its members, and what is parked.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Deliveries, Delivery, StoreError, Subscription, Verdict};
use highstreet_domain::kernel::{Message, Signal, Timestamp};
use metrics::Counter;
use rusqlite::{Connection, params};

use super::{Shared, latest, lock, place};
use crate::store::Store;
use highstreet_foundation::SystemClock;
use highstreet_foundation::codec::{count, decode_origin, time, uuid};
use highstreet_foundation::tally;

/// After this many failures a message is a dead letter.
const MOST_FAILURES: u32 = 5;
/// Parked messages are this far apart.
const APART: Duration = Duration::from_millis(20);
/// The cursor is kept when this many messages were settled since, or when nothing happened for a while.
const KEEP_EVERY: u64 = 1000;
const QUIET: Duration = Duration::from_millis(200);

/// The state of a durable consumer, shared by its members.
pub(super) struct Consumer {
    subscription: Subscription,
    progress: Mutex<Progress>,
    /// Rung when a member gave something back.
    returned: Signal,
}

#[derive(Default)]
struct Progress {
    /// Everything up to here was handed out or skipped.
    read: u64,
    /// The cursor as it was kept last.
    kept: u64,
    /// Handed out and not settled.
    out: BTreeMap<u64, Delivery>,
    /// To be handed out again at once.
    again: BTreeMap<u64, Delivery>,
    /// To be handed out again later: failures, and not before when.
    parked: BTreeMap<u64, (u32, Timestamp)>,
}

/// A member of a durable consumer. What it has not settled when it is dropped goes to the others.
pub(super) struct Membership {
    shared: Arc<Shared>,
    consumer: Arc<Consumer>,
    /// Rung when there may be something new.
    published: Signal,
    holds: HashSet<u64>,
    redeliveries: Counter,
}

// === impl Consumer ===

impl Consumer {
    pub(super) fn join(store: &Store, subscription: &Subscription) -> Result<Self, StoreError> {
        let Subscription { consumer, source, .. } = subscription;
        let (position, parked) = store.read(|connection| {
            let position = connection.query_row(
                "SELECT coalesce(max(position), 0) FROM consumers WHERE consumer = ?1 AND source = ?2",
                [consumer, source],
                |row| row.get(0).map(count),
            )?;
            let parked = connection
                .prepare("SELECT position, failures, not_before FROM parked WHERE consumer = ?1 AND source = ?2")?
                .query_map([consumer, source], |row| Ok((count(row.get(0)?), (row.get(1)?, time(row.get(2)?)))))?
                .collect::<Result<_, _>>()?;
            Ok((position, parked))
        })?;
        let progress = Progress { read: position, kept: position, parked, ..Progress::default() };
        Ok(Self { subscription: subscription.clone(), progress: Mutex::new(progress), returned: Signal::default() })
    }

    /// Gives out once more what was a dead letter, as if it had never failed.
    pub(super) fn replay(&self, position: u64, now: Timestamp) {
        lock(&self.progress).parked.insert(position, (0, now));
        self.returned.ring();
    }

    /// Everything up to here is settled, or parked.
    pub(super) fn settled(&self) -> u64 {
        lock(&self.progress).settled()
    }

    fn wants(&self, message: &Message) -> bool {
        self.subscription.names.contains(&message.name)
    }
}

// === impl Progress ===

impl Progress {
    /// Everything up to here is settled, or parked.
    fn settled(&self) -> u64 {
        let first = self.out.keys().chain(self.again.keys()).min();
        first.map_or(self.read, |first| first - 1)
    }

    /// When the next parked message may be handed out that nobody has.
    fn next_ripe(&self) -> Option<Timestamp> {
        let free = self.parked.iter().filter(|(tag, _)| !self.out.contains_key(tag) && !self.again.contains_key(tag));
        free.map(|(_, (_, not_before))| *not_before).min()
    }

    fn hand_out(&mut self, deliveries: &[Delivery]) {
        self.out.extend(deliveries.iter().map(|delivery| (delivery.tag, delivery.clone())));
    }

    fn take_again(&mut self, limit: usize) -> Vec<Delivery> {
        let again: Vec<u64> = self.again.keys().copied().take(limit).collect();
        again.iter().filter_map(|tag| self.again.remove(tag)).collect()
    }
}

// === impl Membership ===

impl Membership {
    pub(super) fn new(shared: Arc<Shared>, consumer: Arc<Consumer>) -> Self {
        let published = shared.published(&consumer.subscription.source);
        let redeliveries = tally::redeliveries(&consumer.subscription);
        Self { shared, consumer, published, holds: HashSet::new(), redeliveries }
    }

    /// What can be handed out now.
    fn available(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let mut progress = lock(&self.consumer.progress);
        let mut deliveries = progress.take_again(limit);
        let again = deliveries.len();
        let read = self.read_on(&mut progress, &mut deliveries, limit);
        let failed = deliveries[again..].iter().filter(|delivery| delivery.failures > 0).count();
        self.redeliveries.increment(u64::try_from(again + failed).unwrap_or(0));
        progress.hand_out(&deliveries);
        // What was taken up is handed out even if reading on failed; the next call meets the error again.
        if deliveries.is_empty() { read.map(|()| deliveries) } else { Ok(deliveries) }
    }

    fn read_on(&self, progress: &mut Progress, deliveries: &mut Vec<Delivery>, limit: usize) -> Result<(), StoreError> {
        self.unpark(progress, deliveries, limit)?;
        // Reads on over what nobody wants.
        while deliveries.len() < limit {
            let messages = self.behind(progress.read, limit - deliveries.len())?;
            let Some((last, _)) = messages.last() else { break };
            progress.read = *last;
            let wanted = messages.into_iter().filter(|(_, message)| self.consumer.wants(message));
            deliveries.extend(wanted.map(|(tag, message)| Delivery { tag, message, failures: 0 }));
        }
        Ok(())
    }

    fn unpark(&self, progress: &mut Progress, deliveries: &mut Vec<Delivery>, limit: usize) -> Result<(), StoreError> {
        let now = SystemClock.now();
        let ripe: Vec<(u64, u32)> = progress
            .parked
            .iter()
            .filter(|(tag, (_, not_before))| {
                *not_before <= now && !progress.out.contains_key(tag) && !progress.again.contains_key(tag)
            })
            .map(|(tag, (failures, _))| (*tag, *failures))
            .take(limit.saturating_sub(deliveries.len()))
            .collect();
        for (tag, failures) in ripe {
            let message = self.shared.store.read(|connection| {
                connection
                    .prepare_cached(&format!("SELECT {MESSAGE} FROM messages WHERE position = ?1"))?
                    .query_row([place(tag)], read_message)
            })?;
            deliveries.push(Delivery { tag, message: message.1, failures });
        }
        Ok(())
    }

    fn behind(&self, after: u64, limit: usize) -> Result<Vec<(u64, Arc<Message>)>, StoreError> {
        let source = &self.consumer.subscription.source;
        if let Some(messages) = lock(&self.shared.recent).behind(source, after, limit) {
            return Ok(messages);
        }
        self.shared.store.read(|connection| {
            // Looked at first: the index over sources is not read in vain.
            if latest(connection, source)? <= place(after) {
                return Ok(Vec::new());
            }
            connection
                .prepare_cached(&format!(
                    "SELECT {MESSAGE} FROM messages WHERE source = ?1 AND position > ?2 ORDER BY position LIMIT ?3"
                ))?
                .query_map(params![source, place(after), i64::try_from(limit).unwrap_or(i64::MAX)], read_message)?
                .collect()
        })
    }

    /// Waits for a publication, for something given back, or for something parked to be ripe.
    async fn wait(&self, published: u64, returned: u64) {
        let ripe = lock(&self.consumer.progress).next_ripe();
        let ripe = async {
            match ripe {
                Some(at) => SystemClock.until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.published.after(published) => {}
            () = self.consumer.returned.after(returned) => {}
            () = ripe => {}
            () = tokio::time::sleep(QUIET), if self.behind_kept() => self.keep(),
        }
    }

    fn behind_kept(&self) -> bool {
        let progress = lock(&self.consumer.progress);
        progress.settled() != progress.kept
    }

    /// Keeps the cursor, with nobody waiting: what a crash forgets is delivered again.
    fn keep(&self) {
        let position = {
            let mut progress = lock(&self.consumer.progress);
            progress.kept = progress.settled();
            progress.kept
        };
        let Subscription { consumer, source, .. } = self.consumer.subscription.clone();
        self.shared.store.write_behind(move |connection| keep_cursor(connection, &consumer, &source, position));
    }

    /// Parks what failed, or lays it with the dead letters. Each for a time of its own, so that one that takes its
    /// neighbours along does not meet all of them again.
    async fn park(&self, failed: Vec<(u64, u32, String)>) -> Result<(), StoreError> {
        let Subscription { consumer, source, .. } = self.consumer.subscription.clone();
        let now = SystemClock.now();
        let parked: Vec<_> = failed
            .into_iter()
            .zip(0..)
            .map(|((tag, failures, error), at)| (tag, failures, now.after(pause(failures) + APART * at), error))
            .collect();
        let rows = parked.clone();
        let work = move |connection: &Connection| {
            rows.iter().try_for_each(|(tag, failures, not_before, error)| {
                park(connection, [&consumer, &source], *tag, *failures, *not_before, error)
            })
        };
        let kept = self.shared.store.write(work, |()| {}).await;
        let mut progress = lock(&self.consumer.progress);
        for (tag, failures, not_before, error) in parked {
            let Some(delivery) = progress.out.remove(&tag) else { continue };
            if kept.is_err() {
                progress.again.insert(tag, delivery);
            } else if failures < MOST_FAILURES {
                progress.parked.insert(tag, (failures, not_before));
            } else {
                progress.parked.remove(&tag);
                let Subscription { consumer, source, .. } = &self.consumer.subscription;
                tracing::error!(%consumer, %source, position = tag, %error, "a message became a dead letter");
            }
        }
        kept
    }

    /// Forgets what was parked and is done now. If that is not kept, it is delivered once more after a restart.
    fn unparked(&self, done: Vec<u64>) {
        let Subscription { consumer, source, .. } = self.consumer.subscription.clone();
        self.shared.store.write_behind(move |connection| {
            let mut delete = connection
                .prepare_cached("DELETE FROM parked WHERE consumer = ?1 AND source = ?2 AND position = ?3")?;
            done.iter().try_for_each(|tag| delete.execute(params![consumer, source, place(*tag)]).map(drop))
        });
    }
}

#[async_trait]
impl Deliveries for Membership {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        loop {
            let (published, returned) = (self.published.rings(), self.consumer.returned.rings());
            let deliveries = self.available(limit)?;
            if !deliveries.is_empty() {
                self.holds.extend(deliveries.iter().map(|delivery| delivery.tag));
                return Ok(deliveries);
            }
            self.wait(published, returned).await;
        }
    }

    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
        let (mut failed, mut unparked) = (Vec::new(), Vec::new());
        let keep = {
            let mut progress = lock(&self.consumer.progress);
            for (tag, verdict) in verdicts {
                let Some(delivery) = progress.out.get(&tag).cloned() else { continue };
                match verdict {
                    Verdict::Done => {
                        progress.out.remove(&tag);
                        unparked.extend(progress.parked.remove(&tag).map(|_| tag));
                    }
                    Verdict::Later => {
                        progress.out.remove(&tag);
                        progress.again.insert(tag, delivery);
                    }
                    Verdict::Failed(error) => failed.push((tag, delivery.failures + 1, error)),
                }
                self.holds.remove(&tag);
            }
            progress.settled() >= progress.kept + KEEP_EVERY
        };
        if keep {
            self.keep();
        }
        if !unparked.is_empty() {
            self.unparked(unparked);
        }
        if !failed.is_empty() {
            self.park(failed).await?;
        }
        Ok(())
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut progress = lock(&self.consumer.progress);
        for tag in self.holds.drain() {
            if let Some(delivery) = progress.out.remove(&tag) {
                progress.again.insert(tag, delivery);
            }
        }
        drop(progress);
        self.consumer.returned.ring();
    }
}

pub(super) const MESSAGE: &str = "position, source, id, name, subject, time, origin, body";

pub(super) fn read_message(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, Arc<Message>)> {
    let source: String = row.get(1)?;
    let origin: String = row.get(6)?;
    let message = Message {
        id: uuid(row.get(2)?),
        source: source.into(),
        name: row.get(3)?,
        subject: uuid(row.get(4)?),
        time: time(row.get(5)?),
        origin: decode_origin(&origin),
        body: row.get(7)?,
    };
    Ok((count(row.get(0)?), Arc::new(message)))
}

fn keep_cursor(connection: &Connection, consumer: &str, source: &str, position: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO consumers (consumer, source, position) VALUES (?1, ?2, ?3)")?
        .execute(params![consumer, source, place(position)])
        .map(drop)
}

fn park(
    connection: &Connection,
    [consumer, source]: [&String; 2],
    position: u64,
    failures: u32,
    not_before: Timestamp,
    error: &str,
) -> rusqlite::Result<()> {
    let position = place(position);
    if failures < MOST_FAILURES {
        return connection
            .prepare_cached("INSERT OR REPLACE INTO parked VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![consumer, source, position, failures, not_before.as_micros(), error])
            .map(drop);
    }
    connection
        .prepare_cached("DELETE FROM parked WHERE consumer = ?1 AND source = ?2 AND position = ?3")?
        .execute(params![consumer, source, position])?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO dead_letters VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![consumer, source, position, failures, error, SystemClock.now().as_micros()])
        .map(drop)
}

/// 200 ms, doubling.
fn pause(failures: u32) -> Duration {
    Duration::from_millis(100 << failures.min(MOST_FAILURES))
}
