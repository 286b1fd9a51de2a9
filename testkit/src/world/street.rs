//! The street: its contexts, each a node with a durable store, on one bus.

use std::sync::Arc;

use highstreet_domain::delivery::{Delivery, Dispatch};
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::Perform;
use highstreet_domain::kitchen::Preparation;
use highstreet_domain::loyalty::Account;
use highstreet_domain::notification::{self, Locale, Notification};
use highstreet_domain::ordering::{self, Order};
use highstreet_domain::payment::{self, Payment};
use highstreet_domain::tracking::{self, Trace};
use highstreet_domain::{delivery, kitchen, loyalty};
use highstreet_wire as wire;

use super::Flaw;
use super::chronicle::Chronicle;
use super::host::{Context, Heard, Host};
use super::idle::{Idle, Misnaming};
use super::neighbours::{Carrier, Counter, Provider};
use super::network::Network;
use super::weather::Weather;
use crate::memory::{Counted, MemoryBus, Rows, SimClock};
use crate::sim::Sim;

/// Everything there is.
pub(super) struct Street {
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

/// The notifications that a message leads to.
pub(super) fn notifications(message: &Message) -> Heard<Notification> {
    let react = |fact| notification::react(fact, Locale::Ko);
    Ok(wire::notification::hear(message)?.iter().flat_map(react).collect())
}

// === impl Street ===

impl Street {
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
                self.ordering.boot(
                    Arc::new(ordering::Performing(Arc::new(counter))),
                    wire::ordering::HEARS,
                    |message| Ok(wire::ordering::hear(message)?.iter().flat_map(ordering::react).collect()),
                );
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
        self.tracking.project(tracking::CONTEXT, wire::tracking::HEARS, Arc::new(wire::tracking::hear), &self.traces);
    }
}
