//! The ports in memory keep the contract.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_testkit::contract::{self, BusPorts, Buses, StorePorts, Stores};
use highstreet_testkit::counter;
use highstreet_testkit::memory::{Flaws, MemoryBus, MemoryOutbox, Rows, SimClock, Store, Streams};
use highstreet_testkit::sim::Sim;

struct Memory {
    flaws: Flaws,
    clock: Arc<SimClock>,
}

#[async_trait]
impl Stores for Memory {
    async fn store(&self) -> StorePorts {
        let store = Store::new("counting", self.clock.clone());
        let streams = Arc::new(Streams::flawed(&store, counter::publish, self.flaws));
        let views = Arc::new(Rows::new(&store));
        StorePorts {
            journal: streams.clone(),
            listing: streams.clone(),
            agenda: streams,
            outbox: Arc::new(MemoryOutbox(store.clone())),
            views: views.clone(),
            renewal: views,
            clock: self.clock.clone(),
            guard: Box::new(()),
        }
    }
}

#[async_trait]
impl Buses for Memory {
    async fn bus(&self) -> BusPorts {
        let bus = Arc::new(MemoryBus::new(self.clock.clone()));
        BusPorts {
            bus: bus.clone(),
            letters: bus.clone(),
            durables: bus,
            clock: self.clock.clone(),
            guard: Box::new(()),
        }
    }
}

/// Runs a contract under a few seeds: the order in which its calls interleave differs with each.
fn run<F: Future<Output = ()> + Send + 'static>(contract: impl Fn(Memory) -> F) {
    for seed in 0..20 {
        let sim = Sim::new(seed);
        sim.block_on(contract(Memory { flaws: Flaws::None, clock: sim.clock() }));
    }
}

/// Runs the journal's contract on one that does not keep it.
fn run_flawed(flaws: Flaws) {
    let sim = Sim::new(1);
    let memory = Memory { flaws, clock: sim.clock() };
    sim.block_on(async move { contract::journal(&memory).await });
}

#[test]
fn journals_keep_their_promises() {
    run(|memory| async move { contract::journal(&memory).await });
}

#[test]
fn agendas_keep_their_promises() {
    run(|memory| async move { contract::agenda(&memory).await });
}

#[test]
fn outboxes_keep_their_promises() {
    run(|memory| async move { contract::outbox(&memory).await });
}

#[test]
fn listings_keep_their_promises() {
    run(|memory| async move { contract::listing(&memory).await });
}

#[test]
fn views_keep_their_promises() {
    run(|memory| async move { contract::views(&memory).await });
}

#[test]
fn renewals_keep_their_promises() {
    run(|memory| async move { contract::renewal(&memory).await });
}

#[test]
fn buses_keep_their_promises() {
    run(|memory| async move { contract::bus(&memory).await });
}

#[test]
#[should_panic(expected = "can never happen")]
fn a_journal_that_forgets_causes_is_noticed() {
    run_flawed(Flaws::CausesForgotten);
}

#[test]
#[should_panic(expected = "can never happen")]
fn a_journal_that_ignores_claims_is_noticed() {
    run_flawed(Flaws::ClaimsIgnored);
}

#[test]
#[should_panic(expected = "can never happen")]
fn a_journal_that_ignores_revisions_is_noticed() {
    run_flawed(Flaws::ConflictsIgnored);
}
