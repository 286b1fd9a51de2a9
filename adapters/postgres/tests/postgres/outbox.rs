//! Outboxes of replicas: one leads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::{Outbox, Outgoing};
use highstreet_testkit::servers::{PostgresServer, eventually};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::counting::{Replica, id};

/// What was given, by which relay.
type Given = (u8, Outgoing);

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_two_outboxes_is_given_anything() {
    let server = PostgresServer::start().await;
    let (first, second) = (Replica::open(&server, "one").await, Replica::open(&server, "one").await);
    first.add(id(1), 1).await.unwrap();
    let (leader, follower) = (first.outbox(), second.outbox());
    assert_eq!(leader.next(10).await.unwrap().len(), 1);
    let nothing = timeout(Duration::from_millis(1500), follower.next(10)).await;
    assert!(nothing.is_err(), "the other waits for its turn: {nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_cut_off_another_follows_and_nothing_is_lost_or_out_of_order() {
    const WRITERS: u8 = 6;
    let server = Arc::new(PostgresServer::start().await);
    let replicas = [Replica::open(&server, "lead").await, Replica::open(&server, "lead").await];
    let (sender, mut given) = unbounded_channel();
    let relays: Vec<_> = replicas.iter().zip(0..).map(|(replica, name)| relay(replica, name, sender.clone())).collect();
    let writers: Vec<_> = (0..WRITERS).map(|writer| write(&replicas[usize::from(writer % 2)], writer, 300)).collect();
    let mut order = BTreeMap::new();
    // Cut off three times in the middle of it.
    for _ in 0..3 {
        collect(&mut given, &mut order, 200).await;
        let leader = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
                      AND mode = 'ExclusiveLock' AND granted AND pid IN (SELECT pid FROM pg_stat_activity \
                      WHERE application_name = 'highstreet lead' AND state = 'idle')";
        eventually("a leader was cut off", || async { (server.run(leader) == "t").then_some(()) }).await;
    }
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    while order.len() < usize::from(WRITERS) || order.values().any(|seen: &Vec<Uuid>| seen.len() < 300) {
        let next = timeout(Duration::from_secs(10), given.recv()).await.expect("the rest comes").expect("open");
        see(&mut order, next);
    }
    for (subject, seen) in order {
        let expected: Vec<_> = (1..=300).map(|revision| Message::id_of(subject, revision)).collect();
        assert_eq!(seen, expected, "all of it, in the order in which it happened");
    }
    relays.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leaders_store_is_dropped_another_follows_within_two_seconds() {
    let server = PostgresServer::start().await;
    let (first, second) = (Replica::open(&server, "drop").await, Replica::open(&server, "drop").await);
    first.add(id(1), 1).await.unwrap();
    let leader = first.outbox();
    assert_eq!(leader.next(10).await.unwrap().len(), 1);
    let follower = second.outbox();
    let waiting = tokio::spawn(async move { follower.next(10).await });
    second.add(id(2), 1).await.unwrap();
    let dropped = Instant::now();
    drop((leader, first));
    let given = timeout(Duration::from_secs(5), waiting).await.expect("it follows").unwrap().unwrap();
    println!("followed after {:?}", dropped.elapsed());
    assert_eq!(given.len(), 2, "what was not published is given again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_replica_commits_is_given_at_once() {
    let server = PostgresServer::start().await;
    let (leading, writing) = (Replica::open(&server, "wake").await, Replica::open(&server, "wake").await);
    let (sender, mut given) = unbounded_channel();
    let relay = relay(&leading, 0, sender);
    let mut lags = Vec::new();
    for number in 1..=30 {
        writing.add(id(1), number).await.unwrap();
        let committed = Instant::now();
        timeout(Duration::from_secs(5), given.recv()).await.expect("it is given").expect("open");
        lags.push(committed.elapsed());
    }
    lags.sort();
    println!("given after {:?} (median), {:?} (most)", lags[15], lags[29]);
    assert!(lags[15] < Duration::from_millis(200), "{lags:?}");
    relay.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_republished_is_given_again_once_and_in_order() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "again").await;
    for number in 1..=50 {
        replica.add(id(u128::try_from(number).unwrap() % 3), number).await.unwrap();
    }
    let outbox = replica.outbox();
    let before = take_all(&outbox, 50).await;
    assert_eq!(replica.store.republish().await.unwrap(), 50);
    assert_eq!(replica.store.republish().await.unwrap(), 50, "what is in the outbox already stays there once");
    let again = take_all(&outbox, 50).await;
    assert_eq!(again, before);
    replica.add(id(1), 51).await.unwrap();
    assert_eq!(outbox.next(10).await.unwrap().len(), 1, "and then what is new");
}

/// The broker dies with what it was given a moment ago; the rows are still there, and would be deleted as published.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_and_not_yet_deleted_is_given_again_when_it_is_republished() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "dying").await;
    for number in 1..=10 {
        replica.add(id(1), number).await.unwrap();
    }
    let outbox = replica.outbox();
    let before = outbox.next(10).await.unwrap();
    // Three are published and not yet deleted, the others are on their way to the broker.
    outbox.published(before[2].position).await.unwrap();
    assert_eq!(replica.store.republish().await.unwrap(), 10);
    outbox.published(before[9].position).await.unwrap();
    assert_eq!(take_all(&outbox, 10).await, before, "all of it once more, and then no more");
    assert_eq!(server.run_in("highstreet", "SELECT count(*) FROM dying.outbox"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_waiting_for_the_next_has_not_forgotten_what_was_published() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "hasty").await;
    replica.add(id(1), 1).await.unwrap();
    let outbox = replica.outbox();
    let given = outbox.next(10).await.unwrap();
    outbox.published(given[0].position).await.unwrap();
    for _ in 0..20 {
        // Dropped at its first step.
        let _ = timeout(Duration::ZERO, outbox.next(10)).await;
    }
    let nothing = timeout(Duration::from_millis(300), outbox.next(10)).await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(server.run_in("highstreet", "SELECT count(*) FROM hasty.outbox"), "0");
}

async fn take_all(outbox: &impl Outbox, count: usize) -> Vec<Outgoing> {
    let mut all = Vec::new();
    while all.len() < count {
        let given = outbox.next(7).await.unwrap();
        outbox.published(given.last().unwrap().position).await.unwrap();
        all.extend(given);
    }
    // What is published leaves the outbox with the next look.
    let nothing = timeout(Duration::from_millis(300), outbox.next(7)).await;
    assert!(nothing.is_err(), "{nothing:?}");
    all
}

/// Publishes whatever the outbox of `replica` gives, as long as it gives anything.
fn relay(replica: &Replica, name: u8, sender: UnboundedSender<Given>) -> tokio::task::JoinHandle<()> {
    let outbox = replica.outbox();
    tokio::spawn(async move {
        loop {
            let Ok(outgoing) = outbox.next(16).await else { continue };
            let last = outgoing.last().map(|outgoing| outgoing.position);
            for outgoing in outgoing {
                sender.send((name, outgoing)).unwrap_or_default();
            }
            if let Some(last) = last {
                outbox.published(last).await.unwrap();
            }
        }
    })
}

fn write(replica: &Replica, writer: u8, appends: i64) -> tokio::task::JoinHandle<()> {
    let replica = replica.clone();
    tokio::spawn(async move {
        for number in 1..=appends {
            replica.add(id(u128::from(writer)), number).await.unwrap();
        }
    })
}

async fn collect(given: &mut UnboundedReceiver<Given>, order: &mut BTreeMap<Uuid, Vec<Uuid>>, count: usize) {
    for _ in 0..count {
        let next = timeout(Duration::from_secs(10), given.recv()).await.expect("more comes").expect("open");
        see(order, next);
    }
}

/// Keeps what is seen for the first time, as consumers do.
fn see(order: &mut BTreeMap<Uuid, Vec<Uuid>>, (_, outgoing): Given) {
    let seen = order.entry(outgoing.message.subject).or_default();
    if !seen.contains(&outgoing.message.id) {
        seen.push(outgoing.message.id);
    }
}
