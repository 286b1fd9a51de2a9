//! One kind of aggregate with the real handler and worker, in virtual time, and calls that go as a test says.
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::unwrap_used, reason = "a lock that a panic left behind fails its test anyway")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Agenda, Clock, Journal, Perform, Run, Tasks};
use highstreet_domain::kernel::{
    Aggregate, Cause, Claim, ClaimKey, Fingerprint, Handler, HandlerPorts, HandlerSettings, Id, Origin, Publish,
    Request, StepKey, Timestamp, Unanswered, Worker,
};
use highstreet_testkit::memory::{SimClock, Store, Streams};
use highstreet_testkit::sim::{Ended, Node, Sim};
use uuid::Uuid;

/// As long as a step belongs to the run that is at it.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// How one call goes: what comes back, and after how long.
pub(crate) type Act<A> = (Duration, Result<<A as Aggregate>::Command, Unanswered>);

/// A context of one aggregate on one node.
pub(crate) struct Bench<A: Aggregate> {
    pub(crate) sim: Sim,
    pub(crate) node: Node,
    pub(crate) streams: Streams<A>,
    pub(crate) calls: Arc<Calls<A>>,
}

/// Calls that go as written, one after the other; what is not written is never answered.
pub(crate) struct Calls<A: Aggregate> {
    clock: Arc<SimClock>,
    acts: Mutex<VecDeque<Act<A>>>,
    seen: Mutex<Vec<(Timestamp, StepKey)>>,
    /// Whether the callee is known to be away.
    away: AtomicBool,
}

// === impl Bench ===

impl<A: Aggregate> Bench<A> {
    /// A node on an empty store, whose calls go as `acts` say.
    pub(crate) fn new(acts: impl IntoIterator<Item = Act<A>>) -> Self {
        Self::seeded(7, acts)
    }

    /// The same, where `seed` says who goes first.
    pub(crate) fn seeded(seed: u64, acts: impl IntoIterator<Item = Act<A>>) -> Self {
        let publish: Publish<A> = |_| None;
        let sim = Sim::new(seed);
        let calls = Arc::new(Calls {
            clock: sim.clock(),
            acts: Mutex::new(acts.into_iter().collect()),
            seen: Mutex::default(),
            away: AtomicBool::default(),
        });
        let streams = Streams::new(&Store::new("bench", sim.clock()), publish);
        Self { node: sim.node(), sim, streams, calls }
    }

    /// A handler alone: nobody takes up what is left.
    pub(crate) fn handler(&self) -> Handler<A> {
        self.handler_among(self.node.tasks())
    }

    /// A handler, and a worker beside it.
    pub(crate) fn handler_and_worker(&self) -> Handler<A> {
        let (tasks, handler) = (self.node.tasks(), self.handler());
        let agenda: Arc<dyn Agenda<A>> = Arc::new(self.streams.clone());
        let worker = Worker { handler: handler.clone(), agenda, clock: self.sim.clock(), lease: LEASE };
        tasks.spawn(Box::pin(worker.run()));
        handler
    }

    fn handler_among(&self, tasks: Arc<dyn Tasks>) -> Handler<A> {
        let streams = Arc::new(self.streams.clone());
        let (perform, clock) = (self.calls.clone(), self.sim.clock());
        let ports = HandlerPorts { journal: streams.clone(), agenda: streams, perform, clock, tasks };
        Handler::new(ports, HandlerSettings { lease: LEASE, ..HandlerSettings::default() })
    }

    /// Lets everything happen that ever will.
    pub(crate) fn settle(&self) {
        assert_eq!(self.sim.run(100_000), Ended::Quiet, "it goes on for ever");
    }

    /// Lets `time` pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.sim.run_until(self.now().after(time));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.sim.clock().now()
    }

    /// How often what is due was tried in vain, and since which revision it is due.
    pub(crate) fn due(&self, id: Id<A>) -> (u32, u64) {
        let streams = self.streams.clone();
        let loaded = self.sim.block_on(async move { streams.load(id, &[]).await }).expect("the store is never away");
        (loaded.attempts, loaded.since)
    }
}

// === impl Calls ===

impl<A: Aggregate> Calls<A> {
    /// Writes down how the next call goes.
    pub(crate) fn then(&self, act: Act<A>) {
        self.acts.lock().unwrap().push_back(act);
    }

    /// From now on the callee is known to be away, or not any more.
    pub(crate) fn are_in_vain(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// The keys of all calls so far.
    pub(crate) fn keys(&self) -> Vec<StepKey> {
        self.seen.lock().unwrap().iter().map(|(_, key)| *key).collect()
    }

    /// When each call was made.
    pub(crate) fn times(&self) -> Vec<Timestamp> {
        self.seen.lock().unwrap().iter().map(|(time, _)| *time).collect()
    }
}

#[async_trait]
impl<A: Aggregate> Perform<A> for Calls<A> {
    async fn perform(&self, _id: Id<A>, _step: &A::Step, run: &Run) -> Result<A::Command, Unanswered> {
        self.seen.lock().unwrap().push((self.clock.now(), run.key));
        let act = self.acts.lock().unwrap().pop_front();
        let Some((late, answer)) = act else { return std::future::pending().await };
        self.clock.until(self.clock.now().after(late)).await;
        answer
    }

    fn unreachable(&self, _step: &A::Step) -> Option<Unanswered> {
        self.away.load(Ordering::SeqCst).then(|| Unanswered::not_sent("it did not answer lately"))
    }
}

// === Requests ===

/// A request nobody made before.
pub(crate) fn request<A: Aggregate>(number: u128, command: A::Command) -> Request<A> {
    Request::new(command, Cause::unique(Uuid::from_u128(number)), Arc::new(Origin::default()))
}

/// The same, under a `request_id`.
pub(crate) fn claimed<A: Aggregate>(request_id: u128, command: A::Command) -> Request<A> {
    let key = ClaimKey::new("mina", "Test", Uuid::from_u128(request_id));
    let fingerprint = Fingerprint::of(format!("{command:?}").as_bytes());
    let request = Request::new(command, Cause::of_claim(key), Arc::new(Origin::default()));
    Request { claim: Some(Claim { key, fingerprint }), ..request }
}

pub(crate) fn id<A>(number: u128) -> Id<A> {
    Id::new(Uuid::from_u128(number))
}
