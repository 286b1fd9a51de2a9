//! A bus in memory: durable consumers, redelivery, dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::select;
use highstreet_domain::kernel::ports::{
    Bus, Clock, DeadLetter, DeadLetters, Deliveries, Delivery, Durables, StoreError, Subscription, Verdict,
};
use highstreet_domain::kernel::{Message, Signal, Timestamp};
use uuid::Uuid;

use super::trouble::{Call, NoTrouble, Strike, Trouble};
use super::turns::step_aside;
use crate::lock;

/// What fails by its own fault this often becomes a dead letter.
const MOST_FAILURES: u32 = 5;

/// The copies of a message that a consumer gets, each by how late it comes.
type Route = Arc<dyn Fn() -> Vec<Duration> + Send + Sync>;

/// The bus of a mesh. Clones share it.
#[derive(Clone)]
pub struct MemoryBus {
    shared: Arc<Shared>,
    trouble: Arc<dyn Trouble>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    route: Route,
    kept: Mutex<Kept>,
    changed: Signal,
}

#[derive(Default)]
struct Kept {
    log: Vec<Arc<Message>>,
    ids: BTreeSet<Uuid>,
    consumers: BTreeMap<(String, String), Consumer>,
    dead: Vec<DeadLetter>,
    letters: u64,
}

#[derive(Default)]
struct Consumer {
    names: Vec<String>,
    read: usize,
    waiting: BTreeMap<(Timestamp, u64), Parcel>,
    out: BTreeMap<u64, Parcel>,
    tags: u64,
}

#[derive(Clone)]
struct Parcel {
    message: Arc<Message>,
    failures: u32,
}

struct MemoryDeliveries {
    bus: MemoryBus,
    consumer: (String, String),
    out: BTreeSet<u64>,
}

// === impl MemoryBus ===

impl MemoryBus {
    /// A bus that delivers every message once and in order, unless it has to deliver it again.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::routed(clock, Arc::new(|| vec![Duration::ZERO]))
    }

    /// A bus that delivers to each consumer as many copies as `route` says, as late as it says.
    pub fn routed(clock: Arc<dyn Clock>, route: Route) -> Self {
        let shared = Shared { clock, route, kept: Mutex::default(), changed: Signal::default() };
        Self { shared: Arc::new(shared), trouble: Arc::new(NoTrouble) }
    }

    /// The same bus, for somebody whose calls fare as `trouble` says.
    #[must_use]
    pub fn seen_through(&self, trouble: Arc<dyn Trouble>) -> Self {
        Self { shared: self.shared.clone(), trouble }
    }

    /// What was given up.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        lock(&self.shared.kept).dead.clone()
    }

    /// Everything that was ever published, each message once.
    pub fn log(&self) -> Vec<Arc<Message>> {
        lock(&self.shared.kept).log.clone()
    }

    fn take_letter(&self, listener: &str, place: u64) -> Option<DeadLetter> {
        let mut kept = lock(&self.shared.kept);
        let at = kept.dead.iter().position(|letter| letter.listener == listener && letter.place == place)?;
        Some(kept.dead.remove(at))
    }

    async fn call<T>(&self, call: Call, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        step_aside().await;
        match self.trouble.strike(call) {
            Strike::Spared => Ok(work()),
            Strike::Away => Err(StoreError::Unavailable("the bus is away".into())),
            Strike::Silenced => {
                work();
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        let keep = || {
            let mut kept = lock(&self.shared.kept);
            for message in messages {
                if kept.ids.insert(message.id) {
                    kept.log.push(Arc::new(message));
                }
            }
            drop(kept);
            self.shared.changed.ring();
        };
        self.call(Call::Write, keep).await
    }

    async fn subscribe(&self, subscription: &Subscription) -> Result<Box<dyn Deliveries>, StoreError> {
        let consumer = (subscription.consumer.clone(), subscription.source.clone());
        let join = || {
            let mut kept = lock(&self.shared.kept);
            kept.consumers.entry(consumer.clone()).or_default().names.clone_from(&subscription.names);
        };
        self.call(Call::Write, join).await?;
        Ok(Box::new(MemoryDeliveries { bus: self.clone(), consumer, out: BTreeSet::new() }))
    }
}

#[async_trait]
impl DeadLetters for MemoryBus {
    async fn behind(&self, listener: &str, place: u64, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        let behind = || {
            let kept = lock(&self.shared.kept);
            let found = kept.dead.iter().filter(|letter| letter.listener == listener && letter.place > place);
            found.take(limit).cloned().collect()
        };
        self.call(Call::Read, behind).await
    }

    async fn replay(&self, listener: &str, place: u64) -> Result<bool, StoreError> {
        let now = self.shared.clock.now();
        let replay = || {
            let Some(letter) = self.take_letter(listener, place) else { return false };
            let mut kept = lock(&self.shared.kept);
            let consumer = kept.consumers.entry((letter.listener, letter.source)).or_default();
            if let Some(message) = letter.message {
                consumer.tags += 1;
                consumer.put_back(consumer.tags, now, Parcel { message, failures: 0 });
            }
            drop(kept);
            self.shared.changed.ring();
            true
        };
        self.call(Call::Write, replay).await
    }

    async fn discard(&self, listener: &str, place: u64) -> Result<bool, StoreError> {
        self.call(Call::Write, || self.take_letter(listener, place).is_some()).await
    }
}

#[async_trait]
impl Durables for MemoryBus {
    async fn head(&self, _source: &str) -> Result<u64, StoreError> {
        self.call(Call::Read, || lock(&self.shared.kept).log.len() as u64).await
    }

    async fn settled(&self, subscription: &Subscription) -> Result<u64, StoreError> {
        let key = (subscription.consumer.clone(), subscription.source.clone());
        let settled = || {
            let kept = lock(&self.shared.kept);
            let idle = kept.consumers.get(&key).filter(|it| it.waiting.is_empty() && it.out.is_empty());
            idle.map_or(0, |consumer| consumer.read as u64)
        };
        self.call(Call::Read, settled).await
    }

    async fn forget(&self, subscription: &Subscription) -> Result<(), StoreError> {
        let key = (subscription.consumer.clone(), subscription.source.clone());
        let forget = || {
            let mut kept = lock(&self.shared.kept);
            kept.consumers.remove(&key);
            kept.dead.retain(|letter| (&letter.listener, &letter.source) != (&key.0, &key.1));
        };
        self.call(Call::Write, forget).await
    }
}

impl fmt::Debug for MemoryBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBus").finish_non_exhaustive()
    }
}

// === impl MemoryDeliveries ===

impl MemoryDeliveries {
    /// What is to be delivered now; or when to look again.
    fn collect(&mut self, limit: usize) -> Result<Vec<Delivery>, Option<Timestamp>> {
        let now = self.bus.shared.clock.now();
        let mut kept = lock(&self.bus.shared.kept);
        let Kept { log, consumers, .. } = &mut *kept;
        let consumer = consumers.entry(self.consumer.clone()).or_default();
        consumer.read_on(log, &self.consumer.1, now, &self.bus.shared.route);
        let mut batch = Vec::new();
        while batch.len() < limit
            && let Some(first) = consumer.waiting.first_entry()
            && first.key().0 <= now
        {
            let parcel = first.remove();
            consumer.tags += 1;
            let tag = consumer.tags;
            batch.push(Delivery { tag, message: parcel.message.clone(), failures: parcel.failures });
            consumer.out.insert(tag, parcel);
            self.out.insert(tag);
        }
        let next = consumer.waiting.first_key_value().map(|(&(at, _), _)| at);
        if batch.is_empty() { Err(next) } else { Ok(batch) }
    }

    fn settled(&mut self, verdicts: Vec<(u64, Verdict)>) {
        let now = self.bus.shared.clock.now();
        let mut kept = lock(&self.bus.shared.kept);
        let Kept { consumers, dead, letters, .. } = &mut *kept;
        let consumer = consumers.entry(self.consumer.clone()).or_default();
        for (tag, verdict) in verdicts {
            self.out.remove(&tag);
            let Some(mut parcel) = consumer.out.remove(&tag) else { continue };
            match verdict {
                Verdict::Done => {}
                Verdict::Later => consumer.put_back(tag, now, parcel),
                Verdict::Failed(error) if parcel.failures + 1 >= MOST_FAILURES => {
                    *letters += 1;
                    let (listener, source) = self.consumer.clone();
                    let (place, failures) = (*letters, parcel.failures + 1);
                    let message = Some(parcel.message);
                    dead.push(DeadLetter { place, listener, source, message, error, failures, time: now });
                }
                Verdict::Failed(_) => {
                    parcel.failures += 1;
                    consumer.put_back(tag, now, parcel);
                }
            }
        }
    }
}

#[async_trait]
impl Deliveries for MemoryDeliveries {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        loop {
            let bus = self.bus.clone();
            let rings = bus.shared.changed.rings();
            let changed = std::pin::pin!(bus.shared.changed.after(rings));
            match bus.call(Call::Read, || self.collect(limit)).await? {
                Ok(batch) => return Ok(batch),
                Err(None) => changed.await,
                Err(Some(next)) => drop(select(changed, bus.shared.clock.until(next)).await),
            }
        }
    }

    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
        let bus = self.bus.clone();
        let settled = bus.call(Call::Write, || self.settled(verdicts)).await;
        // What could not be settled comes again: nobody else will say what became of it.
        if settled.is_err() {
            self.give_back();
        }
        bus.shared.changed.ring();
        settled
    }
}

impl MemoryDeliveries {
    fn give_back(&mut self) {
        let now = self.bus.shared.clock.now();
        let mut kept = lock(&self.bus.shared.kept);
        let Some(consumer) = kept.consumers.get_mut(&self.consumer) else { return };
        for tag in std::mem::take(&mut self.out) {
            if let Some(parcel) = consumer.out.remove(&tag) {
                consumer.put_back(tag, now, parcel);
            }
        }
        drop(kept);
        self.bus.shared.changed.ring();
    }
}

impl Drop for MemoryDeliveries {
    fn drop(&mut self) {
        self.give_back();
    }
}

// === impl Consumer ===

impl Consumer {
    /// Takes up what was published since it looked last.
    fn read_on(&mut self, log: &[Arc<Message>], source: &str, now: Timestamp, route: &Route) {
        for message in &log[self.read..] {
            if *message.source == *source && self.names.contains(&message.name) {
                for late in route() {
                    self.tags += 1;
                    let parcel = Parcel { message: message.clone(), failures: 0 };
                    self.waiting.insert((now.after(late), self.tags), parcel);
                }
            }
        }
        self.read = log.len();
    }

    fn put_back(&mut self, tag: u64, now: Timestamp, parcel: Parcel) {
        self.waiting.insert((now, tag), parcel);
    }
}
