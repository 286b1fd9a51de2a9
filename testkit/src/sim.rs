//! A seeded scheduler in virtual time.
//!
//! One thread polls every task. Whenever several are ready, the seed says which goes next; when none is, the clock
//! goes on to the next time anybody waits for. Tasks belong to [`Node`]s: killing one drops its tasks wherever they
//! stand, which is a crash between any two steps.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use highstreet_domain::kernel::ports::Tasks;
use highstreet_domain::kernel::{BoxFuture, Timestamp};

use crate::memory::SimClock;
use crate::{Dice, lock};

/// 2026-01-01T00:00:00Z, when every story begins.
const BEGINNING: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// The scheduler. Clones share it.
#[derive(Clone)]
pub struct Sim(Arc<Shared>);

/// A process that can be killed. Clones are the same process.
#[derive(Clone)]
pub struct Node {
    sim: Sim,
    life: Arc<AtomicU64>,
    dead: Arc<AtomicBool>,
    name: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nobody has anything to do, nor waits for a time.
    Quiet,
    /// There was no end to it.
    Exhausted,
}

struct Shared {
    clock: Arc<SimClock>,
    dice: Dice,
    ready: Arc<Mutex<Vec<u64>>>,
    tasks: Mutex<BTreeMap<u64, Task>>,
    spawned: AtomicU64,
    polled: AtomicU64,
    nodes: AtomicU64,
    panics: AtomicU64,
    /// What was killed, to be dropped when nothing is being polled and no lock is held.
    buried: Mutex<Vec<BoxFuture>>,
}

struct Task {
    node: u64,
    work: Option<BoxFuture>,
    bell: Arc<Bell>,
}

struct Bell {
    task: u64,
    rung: AtomicBool,
    ready: Arc<Mutex<Vec<u64>>>,
}

/// Spawns for one life of a node: what it left behind cannot spawn for the next.
struct Living {
    node: Node,
    life: u64,
}

// === impl Sim ===

impl Sim {
    /// A scheduler that chooses as `seed` says.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Shared {
            clock: Arc::new(SimClock::starting(BEGINNING)),
            dice: Dice::new(seed),
            ready: Arc::default(),
            tasks: Mutex::default(),
            spawned: AtomicU64::new(0),
            polled: AtomicU64::new(0),
            nodes: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            buried: Mutex::default(),
        }))
    }

    /// Its time.
    pub fn clock(&self) -> Arc<SimClock> {
        self.0.clock.clone()
    }

    /// Its chance.
    pub fn dice(&self) -> Dice {
        self.0.dice.clone()
    }

    /// A new process.
    pub fn node(&self) -> Node {
        let name = self.0.nodes.fetch_add(1, Ordering::SeqCst);
        Node { sim: self.clone(), life: Arc::default(), dead: Arc::default(), name }
    }

    /// How many tasks ended by panicking.
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::SeqCst)
    }

    /// How many steps were taken.
    pub fn polled(&self) -> u64 {
        self.0.polled.load(Ordering::SeqCst)
    }

    /// Lets one ready task go on; puts the clock forward if none is. False if there is nothing to do, ever.
    pub fn step(&self) -> bool {
        let next = {
            let mut ready = lock(&self.0.ready);
            let place = if ready.is_empty() { None } else { Some(self.0.dice.below(ready.len())) };
            place.map(|place| ready.swap_remove(place))
        };
        match next {
            Some(task) => {
                self.poll(task);
                true
            }
            None => self.0.clock.go_on(),
        }
    }

    /// Runs until everything is quiet, in at most `most` steps.
    pub fn run(&self, most: u64) -> Ended {
        let end = self.polled() + most;
        while self.step() {
            if self.polled() >= end {
                return Ended::Exhausted;
            }
        }
        Ended::Quiet
    }

    /// Runs until nobody has anything to do before `time`.
    pub fn run_until(&self, time: Timestamp) {
        let timer = self.node();
        let clock = self.clock();
        self.block_on_as(&timer, async move {
            use highstreet_domain::kernel::ports::Clock;
            clock.until(time).await;
        });
    }

    /// Runs until `work` is done. Everybody else runs beside it.
    pub fn block_on<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.block_on_as(&self.node(), work)
    }

    fn block_on_as<T: Send + 'static>(&self, node: &Node, work: impl Future<Output = T> + Send + 'static) -> T {
        let result = Arc::new(Mutex::new(None));
        let slot = result.clone();
        node.tasks().spawn(Box::pin(async move {
            let done = work.await;
            *lock(&slot) = Some(done);
        }));
        loop {
            if let Some(done) = lock(&result).take() {
                return done;
            }
            assert!(self.step(), "what was waited for can never happen: everybody waits");
        }
    }

    /// Ends everything, so that no task keeps alive what keeps it alive.
    pub fn end(&self) {
        let tasks = std::mem::take(&mut *lock(&self.0.tasks));
        drop(tasks);
    }

    fn spawn(&self, node: u64, work: BoxFuture) {
        let task = self.0.spawned.fetch_add(1, Ordering::SeqCst);
        let bell = Arc::new(Bell { task, rung: AtomicBool::new(false), ready: self.0.ready.clone() });
        lock(&self.0.tasks).insert(task, Task { node, work: Some(work), bell: bell.clone() });
        bell.wake();
    }

    fn poll(&self, id: u64) {
        let taken = lock(&self.0.tasks).get_mut(&id).and_then(|task| Some((task.work.take()?, task.bell.clone())));
        let Some((mut work, bell)) = taken else { return };
        self.0.polled.fetch_add(1, Ordering::SeqCst);
        bell.rung.store(false, Ordering::SeqCst);
        let waker = Waker::from(bell);
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(&waker))));
        if polled.is_err() {
            self.0.panics.fetch_add(1, Ordering::SeqCst);
        }
        if matches!(polled, Ok(Poll::Pending)) {
            // Killed while it was running: the task is gone, and its work goes with it.
            match lock(&self.0.tasks).get_mut(&id) {
                Some(task) => task.work = Some(work),
                None => lock(&self.0.buried).push(work),
            }
        } else {
            lock(&self.0.tasks).remove(&id);
            drop(work);
        }
        let buried = std::mem::take(&mut *lock(&self.0.buried));
        drop(buried);
    }

    fn bury(&self, node: u64) {
        let mut tasks = lock(&self.0.tasks);
        let dead: Vec<u64> = tasks.iter().filter(|(_, task)| task.node == node).map(|(id, _)| *id).collect();
        let work = dead.iter().filter_map(|id| tasks.remove(id)?.work);
        lock(&self.0.buried).extend(work);
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("polled", &self.polled()).finish_non_exhaustive()
    }
}

// === impl Node ===

impl Node {
    /// Spawns tasks for the life the node is in; refused once that is over.
    pub fn tasks(&self) -> Arc<dyn Tasks> {
        Arc::new(Living { node: self.clone(), life: self.life.load(Ordering::SeqCst) })
    }

    /// Drops every task wherever it stands.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.life.fetch_add(1, Ordering::SeqCst);
        self.sim.bury(self.name);
    }

    /// Begins its next life.
    pub fn revive(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }

    /// Whether it lives.
    pub fn is_alive(&self) -> bool {
        !self.dead.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("name", &self.name).finish_non_exhaustive()
    }
}

// === impl Living ===

impl Tasks for Living {
    fn spawn(&self, work: BoxFuture) {
        if self.node.life.load(Ordering::SeqCst) == self.life {
            self.node.sim.spawn(self.node.name, work);
        } else {
            lock(&self.node.sim.0.buried).push(work);
        }
    }

    fn contain(&self, step: &mut dyn FnMut()) -> bool {
        let done = catch_unwind(AssertUnwindSafe(step)).is_ok();
        if !done {
            self.node.sim.0.panics.fetch_add(1, Ordering::SeqCst);
        }
        done
    }
}

// === impl Bell ===

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            lock(&self.ready).push(self.task);
        }
    }
}
