//! The coffee shop: its contexts, each a node with a durable store, on one bus.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use highstreet_domain::delivery::{Delivery, Dispatch};
use highstreet_domain::kernel::ports::{Bus, Clock, Deliveries, Perform, Subscription, Tasks};
use highstreet_domain::kernel::{
    Aggregate, Consumer, Handler, HandlerPorts, HandlerSettings, Id, Message, Projector, Publish, Relay, Signal,
    Undecodable, Worker,
};
use highstreet_domain::kitchen::Preparation;
use highstreet_domain::loyalty::Account;
use highstreet_domain::notification::{self, Locale, Notification};
use highstreet_domain::ordering::{self, Order};
use highstreet_domain::payment::{self, Payment};
use highstreet_domain::tracking::{self, Trace};
use highstreet_domain::{delivery, kitchen, loyalty};
use highstreet_wire::{self as wire, Hears};

use super::Flaw;
use super::chronicle::Chronicle;
use super::idle::{Idle, Misnaming};
use super::neighbours::{Carrier, Counter, Provider};
use super::network::Network;
use super::weather::{Exposed, Weather};
use crate::lock;
use crate::memory::{Counted, Flaws, MemoryBus, MemoryOutbox, Rows, SimClock, Store, Streams};
use crate::sim::{Node, Sim};

/// Short beside the delays of a storm, so that runs of one step overlap.
const SETTINGS: HandlerSettings =
    HandlerSettings { lease: Duration::from_secs(3), patience: Duration::from_secs(2), background: 64 };

/// Everything there is.
pub(super) struct Shop {
    pub(super) sim: Sim,
    pub(super) clock: Arc<SimClock>,
    pub(super) ids: Counted,
    pub(super) weather: Weather,
    pub(super) network: Network,
    pub(super) bus: MemoryBus,
    pub(super) chronicle: Chronicle,
    pub(super) ordering: Arc<Context<Order>>,
    pub(super) payment: Arc<Context<Payment>>,
    pub(super) kitchen: Arc<Context<Preparation>>,
    pub(super) delivery: Arc<Context<Delivery>>,
    pub(super) loyalty: Arc<Context<Account>>,
    pub(super) notification: Arc<Context<Notification>>,
    pub(super) tracking: Host,
    pub(super) traces: Rows<Trace>,
    pub(super) provider: Arc<Provider>,
    pub(super) carrier: Arc<Carrier>,
    flaw: Flaw,
}

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
type Heard<A> = Result<Vec<(Id<A>, <A as Aggregate>::Command)>, Undecodable>;

/// A handler, and where its work runs.
type Up<A> = (Handler<A>, Arc<dyn Tasks>);

/// A context that keeps streams.
pub(super) struct Context<A: Aggregate> {
    pub(super) host: Host,
    pub(super) streams: Streams<A>,
    up: Mutex<Option<Up<A>>>,
}

/// The notifications that a message leads to.
pub(super) fn notifications(message: &Message) -> Heard<Notification> {
    let react = |fact| notification::react(fact, Locale::Ko);
    Ok(wire::notification::hear(message)?.iter().flat_map(react).collect())
}

// === impl Shop ===

impl Shop {
    pub(super) fn new(sim: &Sim, flaw: Flaw, chronicle: Chronicle) -> Arc<Self> {
        let (clock, weather) = (sim.clock(), Weather::storm(sim.dice()));
        let copies = weather.clone();
        let bus = MemoryBus::routed(clock.clone(), Arc::new(move || copies.copies()));
        let network = Network::new(clock.clone(), weather.clone(), chronicle.clone());
        let host = |name| Host::new(name, sim, &weather, &bus);
        let tracking = host(tracking::CONTEXT);
        Arc::new(Self {
            ids: Counted::new(clock.clone()),
            ordering: Context::new(host(ordering::CONTEXT), wire::ordering::publish, flaw),
            payment: Context::new(host(payment::CONTEXT), wire::payment::publish, flaw),
            kitchen: Context::new(host(kitchen::CONTEXT), wire::kitchen::publish, flaw),
            delivery: Context::new(host(delivery::CONTEXT), wire::delivery::publish, flaw),
            loyalty: Context::new(host(loyalty::CONTEXT), wire::loyalty::publish, flaw),
            notification: Context::new(host(notification::CONTEXT), wire::notification::publish, flaw),
            traces: Rows::new(&tracking.store),
            tracking,
            provider: Provider::new(sim, network.clone(), &chronicle),
            carrier: Carrier::new(sim, network.clone()),
            sim: sim.clone(),
            clock,
            weather,
            network,
            bus,
            chronicle,
            flaw,
        })
    }

    /// Every node, by its host.
    pub(super) fn hosts(&self) -> [&Host; 7] {
        [
            &self.ordering.host,
            &self.payment.host,
            &self.kitchen.host,
            &self.delivery.host,
            &self.loyalty.host,
            &self.notification.host,
            &self.tracking,
        ]
    }

    /// Starts the context called `name` on what its store holds.
    pub(super) fn boot(&self, name: &str) {
        match name {
            ordering::CONTEXT => {
                let counter = Counter { payment: self.payment.clone(), network: self.network.clone() };
                self.ordering.boot(Arc::new(ordering::Performing(Arc::new(counter))), wire::ordering::HEARS, |message| {
                    Ok(wire::ordering::hear(message)?.iter().flat_map(ordering::react).collect())
                });
            }
            payment::CONTEXT => {
                let performing = payment::Performing(self.provider.clone());
                let perform: Arc<dyn Perform<Payment>> = match self.flaw {
                    Flaw::KeysFollowRevision => Arc::new(Misnaming(performing, self.payment.streams.clone())),
                    _ => Arc::new(performing),
                };
                self.payment.boot(perform, wire::payment::HEARS, |message| {
                    Ok(wire::payment::hear(message)?.iter().flat_map(payment::react).collect())
                });
            }
            kitchen::CONTEXT => self.kitchen.boot(Arc::new(Idle), wire::kitchen::HEARS, |message| {
                Ok(wire::kitchen::hear(message)?.iter().flat_map(kitchen::react).collect())
            }),
            delivery::CONTEXT => self.delivery.boot(Arc::new(Idle), wire::delivery::HEARS, |message| {
                let react = |fact| delivery::react(fact, Dispatch::ByHand);
                Ok(wire::delivery::hear(message)?.iter().flat_map(react).collect())
            }),
            loyalty::CONTEXT => self.loyalty.boot(Arc::new(Idle), wire::loyalty::HEARS, |message| {
                Ok(wire::loyalty::hear(message)?.iter().flat_map(loyalty::react).collect())
            }),
            notification::CONTEXT => {
                let performing = notification::Performing(self.carrier.clone());
                self.notification.boot(Arc::new(performing), wire::notification::HEARS, notifications);
            }
            _ => self.boot_tracking(),
        }
    }

    /// Forgets every handler, so that nothing keeps the world alive.
    pub(super) fn close(&self) {
        self.ordering.close();
        self.payment.close();
        self.kitchen.close();
        self.delivery.close();
        self.loyalty.close();
        self.notification.close();
    }

    fn boot_tracking(&self) {
        self.tracking.node.revive();
        let tasks = self.tracking.node.tasks();
        for (source, names) in wire::tracking::HEARS {
            let deliveries = self.tracking.subscribe(source, names);
            let views = Arc::new(self.traces.clone());
            let projector = Projector { seeing: Arc::new(wire::tracking::hear), views, clock: self.clock.clone() };
            tasks.spawn(Box::pin(async move { projector.run(deliveries.await).await }));
        }
    }
}

// === impl Host ===

impl Host {
    fn new(name: &'static str, sim: &Sim, weather: &Weather, bus: &MemoryBus) -> Self {
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

    fn subscribe(&self, source: &str, names: &[&str]) -> impl Future<Output = Box<dyn Deliveries>> + Send + use<> {
        let names = names.iter().map(|name| (*name).into()).collect();
        let subscription = Subscription { consumer: self.name.into(), source: source.into(), names };
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
    fn new(host: Host, publish: Publish<A>, flaw: Flaw) -> Arc<Self> {
        let flaws = match flaw {
            Flaw::CausesForgotten => Flaws::CausesForgotten,
            Flaw::ClaimsIgnored => Flaws::ClaimsIgnored,
            Flaw::None | Flaw::KeysFollowRevision => Flaws::None,
        };
        let streams = Streams::flawed(&host.store, publish, flaws);
        Arc::new(Self { host, streams, up: Mutex::new(None) })
    }

    /// The handler, and where its work runs; whoever calls a dead node finds that out by getting no answer.
    pub(super) fn up(&self) -> Option<Up<A>> {
        lock(&self.up).clone().filter(|_| self.host.node.is_alive())
    }

    fn close(&self) {
        *lock(&self.up) = None;
    }

    fn boot(&self, perform: Arc<dyn Perform<A>>, hears: Hears, hear: fn(&Message) -> Heard<A>) {
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
            let deliveries = self.host.subscribe(source, names);
            let refused = Arc::new(|_: &str, _: &_, _: &str| {});
            let consumer = Consumer { hearing: Arc::new(hear), handler: handler.clone(), clock: clock.clone(), refused };
            tasks.spawn(Box::pin(async move { consumer.run(deliveries.await).await }));
        }
        *lock(&self.up) = Some((handler, tasks));
    }
}
