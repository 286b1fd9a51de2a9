//! A context's node and store, and how it is started on what the store holds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use highstreet_domain::inventory::Stock;
use highstreet_domain::kernel::ports::{Bus, Clock, Deliveries, Perform, Subscription, Tasks};
use highstreet_domain::kernel::{
    Aggregate, Consumer, Handler, HandlerPorts, HandlerSettings, Id, Message, Projector, Publish, Relay, Seeing,
    Signal, Undecodable, View, Worker,
};
use highstreet_domain::seating::Screening;
use highstreet_wire::Hears;

use super::Flaw;
use super::weather::{Exposed, Weather};
use crate::lock;
use crate::memory::{Flaws, MemoryBus, MemoryOutbox, Rows, SimClock, Store, Streams};
use crate::sim::{Node, Sim};

/// Short beside the delays of a storm, so that runs of one step overlap.
const SETTINGS: HandlerSettings =
    HandlerSettings { lease: Duration::from_secs(3), patience: Duration::from_secs(2), background: 64 };

/// A node and its store.
pub(super) struct Host {
    pub(super) name: &'static str,
    pub(super) node: Node,
    pub(super) store: Store,
    pub(super) fallen: Signal,
    bus: MemoryBus,
    clock: Arc<SimClock>,
}

/// What a context makes of a message.
pub(super) type Heard<A> = Result<Vec<(Id<A>, <A as Aggregate>::Command)>, Undecodable>;

/// A handler, and where its work runs.
type Up<A> = (Handler<A>, Arc<dyn Tasks>);

/// A context that keeps streams.
pub(super) struct Context<A: Aggregate> {
    pub(super) host: Host,
    pub(super) streams: Streams<A>,
    up: Mutex<Option<Up<A>>>,
}

// === impl Host ===

impl Host {
    pub(super) fn new(name: &'static str, sim: &Sim, weather: &Weather, bus: &MemoryBus) -> Self {
        let (clock, node, fallen) = (sim.clock(), sim.node(), Signal::default());
        let exposed = |weather: &Weather| {
            Arc::new(Exposed { weather: weather.clone(), node: node.clone(), fallen: fallen.clone() })
        };
        let store = Store::troubled(name, clock.clone(), exposed(weather));
        let bus = bus.seen_through(exposed(weather));
        Self { name, node, store, fallen, bus, clock }
    }

    /// Ends the node wherever it stands.
    pub(super) fn kill(&self) {
        self.node.kill();
        self.fallen.ring();
    }

    /// Folds what others publish into `rows`, listening as `listener`.
    pub(super) fn project<V: View>(&self, listener: &str, hears: Hears, seeing: Seeing<V>, rows: &Rows<V>) {
        let tasks = self.node.tasks();
        for (source, names) in hears {
            let deliveries = self.subscribe(listener, source, names);
            let views = Arc::new(rows.clone());
            let projector = Projector { seeing: seeing.clone(), views, clock: self.clock.clone() };
            tasks.spawn(Box::pin(async move { projector.run(deliveries.await).await }));
        }
    }

    fn subscribe(
        &self,
        listener: &str,
        source: &str,
        names: &[&str],
    ) -> impl Future<Output = Box<dyn Deliveries>> + Send + use<> {
        let names = names.iter().map(|name| (*name).into()).collect();
        let subscription = Subscription { consumer: listener.into(), source: source.into(), names };
        let (bus, clock) = (self.bus.clone(), self.clock.clone());
        async move {
            loop {
                match bus.subscribe(&subscription).await {
                    Ok(deliveries) => return deliveries,
                    Err(_) => clock.until(clock.now().after(Duration::from_millis(100))).await,
                }
            }
        }
    }
}

// === impl Context ===

impl<A: Aggregate> Context<A> {
    pub(super) fn new(host: Host, publish: Publish<A>, flaw: Flaw) -> Arc<Self> {
        let flaws = match flaw {
            Flaw::CausesForgotten => Flaws::CausesForgotten,
            Flaw::ClaimsIgnored => Flaws::ClaimsIgnored,
            Flaw::MovementsForgotten if A::NAME == Stock::NAME => Flaws::EntriesForgotten,
            Flaw::SeatingForgotten if A::NAME == Screening::NAME => Flaws::EntriesForgotten,
            Flaw::None
            | Flaw::KeysFollowRevision
            | Flaw::MovementsForgotten
            | Flaw::SeatingForgotten
            | Flaw::FlushesSkipped => Flaws::None,
        };
        let streams = Streams::flawed(&host.store, publish, flaws);
        Arc::new(Self { host, streams, up: Mutex::new(None) })
    }

    /// The handler, and where its work runs; whoever calls a dead node finds that out by getting no answer.
    pub(super) fn up(&self) -> Option<Up<A>> {
        lock(&self.up).clone().filter(|_| self.host.node.is_alive())
    }

    pub(super) fn close(&self) {
        *lock(&self.up) = None;
    }

    pub(super) fn boot(&self, perform: Arc<dyn Perform<A>>, hears: Hears, hear: fn(&Message) -> Heard<A>) {
        self.host.node.revive();
        let (tasks, clock): (_, Arc<dyn Clock>) = (self.host.node.tasks(), self.host.clock.clone());
        let streams = Arc::new(self.streams.clone());
        let ports = HandlerPorts {
            journal: streams.clone(),
            agenda: streams.clone(),
            perform,
            clock: clock.clone(),
            tasks: tasks.clone(),
        };
        let handler = Handler::new(ports, SETTINGS);
        let worker = Worker { handler: handler.clone(), agenda: streams, clock: clock.clone(), lease: SETTINGS.lease };
        tasks.spawn(Box::pin(worker.run()));
        let outbox = Arc::new(MemoryOutbox(self.host.store.clone()));
        let relay = Relay { outbox, bus: Arc::new(self.host.bus.clone()), clock: clock.clone() };
        tasks.spawn(Box::pin(relay.run()));
        for (source, names) in hears {
            let deliveries = self.host.subscribe(self.host.name, source, names);
            let refused = Arc::new(|_: &str, _: &_, _: &str| {});
            let consumer =
                Consumer { hearing: Arc::new(hear), handler: handler.clone(), clock: clock.clone(), refused };
            tasks.spawn(Box::pin(async move { consumer.run(deliveries.await).await }));
        }
        *lock(&self.up) = Some((handler, tasks));
    }
}
