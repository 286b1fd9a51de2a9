//! `kill -9` at any moment, of anything.

use highstreet::ContextName;
use highstreet_testkit::Dice;
use uuid::Uuid;

use crate::harness::{Load, Mesh};

/// CAP-3, CAP-14: every process of the mesh is killed once, in any order, while customers order; what was answered is
/// there, and nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_lose_nothing() {
    let mut mesh = Mesh::open().await;
    let load = Load::everywhere(&mesh.calls(), 6);
    let dice = Dice::new(Uuid::now_v7().as_u64_pair().1);
    let mut left: Vec<usize> = (0..mesh.replicas.len()).collect();
    while !left.is_empty() {
        let place = left.swap_remove(dice.below(left.len()));
        load.busy(8).await;
        mesh.replicas[place].kill();
        mesh.replicas[place].started().await;
    }
    mesh.recovers().await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

/// CAP-3: PostgreSQL dies twice with all its sessions, and comes back with what it kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_is_killed_loses_nothing() {
    let mut mesh = Mesh::open().await;
    let load = Load::everywhere(&mesh.calls(), 6);
    for _ in 0..2 {
        load.busy(20).await;
        mesh.postgres.restart().await;
        mesh.recovers().await;
    }
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

/// CAP-3: nats-server is killed three times; orders are taken all the while, and what follows from them comes later.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_loses_nothing() {
    let mut mesh = Mesh::open().await;
    let load = Load::everywhere(&mesh.calls(), 6);
    for _ in 0..3 {
        load.busy(15).await;
        mesh.nats.kill();
        load.busy(15).await;
        mesh.nats.restart().await;
        mesh.recovers().await;
    }
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

/// CAP-3: whoever listens is away for a while; what it missed is processed when it is back, none lost, none twice.
#[tokio::test(flavor = "multi_thread")]
async fn listeners_that_were_away_catch_up() {
    const AWAY: [ContextName; 7] = [
        ContextName::Inventory,
        ContextName::Ticketing,
        ContextName::Kitchen,
        ContextName::Delivery,
        ContextName::Loyalty,
        ContextName::Notification,
        ContextName::Tracking,
    ];
    let mut mesh = Mesh::open().await;
    let load = Load::everywhere(&mesh.calls(), 6);
    load.busy(20).await;
    for context in AWAY {
        mesh.of(context).kill();
    }
    load.busy(30).await;
    mesh.start_all().await;
    mesh.recovers().await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}
