//! The broker goes and comes back: nothing that was acknowledged is lost, and nobody has to be told.

mod common;

use std::time::Duration;

use async_nats::jetstream::{self, consumer::pull::Config};
use common::{connect, join, messages, next, numbers, publish, receive_until, settings, settle};
use highstreet_domain::kernel::ports::{Bus, Deliveries, StoreError, Verdict};
use highstreet_nats::{JetStreamBus, Settings, State};
use highstreet_testkit::servers::{NatsServer, eventually};

/// Patience, and a little for the machine.
const A_FEW_SECONDS: Duration = Duration::from_secs(5);

async fn operator(server: &NatsServer) -> jetstream::Context {
    jetstream::new(async_nats::connect(server.url()).await.expect("the broker is there"))
}

/// Joins, and has the broker read the consumers from its disk: nats-server 2.9 has another time of their making in
/// memory, earlier by as long as it took to write them, and one made at another time is taken for another.
async fn join_and_restart(server: &mut NatsServer, bus: &JetStreamBus) -> Box<dyn Deliveries> {
    let mut deliveries = join(bus).await;
    let operator = operator(server).await;
    let last = async || {
        let found = operator.get_consumer_from_stream::<Config, _, _>("loyalty-ordering", "HIGHSTREET_RETRIES").await;
        found.ok().map(drop)
    };
    tokio::select! {
        batch = next(&mut *deliveries, 10) => panic!("nothing was published: {batch:?}"),
        () = eventually("the consumers are there", last) => {}
    }
    server.restart().await;
    deliveries
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_loses_nothing_it_acknowledged() {
    let mut server = NatsServer::start().await;
    let bus = connect(settings(&server)).await;
    let mut deliveries = join(&bus).await;
    publish(&bus, &messages(1..=3)).await;
    assert_eq!(receive_until(&mut *deliveries, 1).await[0], 1);

    server.kill();
    let refused = tokio::time::timeout(A_FEW_SECONDS, bus.publish(messages(4..=5))).await.expect("an end");
    assert!(matches!(refused, Err(StoreError::Unavailable(why)) if why.contains("is away")));
    let nothing = tokio::time::timeout(A_FEW_SECONDS, deliveries.next(10)).await.expect("an end");
    assert!(matches!(nothing, Err(StoreError::Unavailable(_))));
    assert!(matches!(bus.state(), State::Away(_)));

    server.restart().await;
    publish(&bus, &messages(4..=5)).await;
    let seen = receive_until(&mut *deliveries, 5).await;
    assert!(seen.ends_with(&[4, 5]), "it goes on by itself: {seen:?}");
    assert_eq!(bus.state(), State::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_settled_while_the_broker_was_away_is_settled() {
    let mut server = NatsServer::start().await;
    let bus = connect(Settings { ack_wait: Duration::from_secs(8), ..settings(&server) }).await;
    let mut deliveries = join_and_restart(&mut server, &bus).await;
    publish(&bus, &messages(1..=1)).await;
    let batch = next(&mut *deliveries, 10).await;
    server.kill();
    eventually("the loss is known", async || (bus.state() != State::Connected).then_some(())).await;
    settle(&mut *deliveries, &batch, &Verdict::Done).await.expect_err("the broker cannot be told");
    server.restart().await;
    publish(&bus, &messages(2..=2)).await;
    assert_eq!(numbers(&next(&mut *deliveries, 10).await), [2], "only what is new");
    let more = tokio::time::timeout(Duration::from_secs(10), deliveries.next(10)).await;
    assert_eq!(
        more.map(|batch| numbers(&batch.expect("the broker is there"))).unwrap_or(vec![2]),
        [2],
        "not the first"
    );
}

/// A consumer that is made anew forgets what it gave out; the other one of the same listener does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_made_anew_leaves_the_answers_of_the_other() {
    let mut server = NatsServer::start().await;
    let bus = connect(Settings { ack_wait: Duration::from_secs(8), ..settings(&server) }).await;
    let mut deliveries = join_and_restart(&mut server, &bus).await;
    publish(&bus, &messages(1..=2)).await;
    let batch = next(&mut *deliveries, 10).await;
    assert_eq!(numbers(&batch), [1, 2]);
    let (_in_hand, settled) = batch.split_at(1);
    server.kill();
    eventually("the loss is known", async || (bus.state() != State::Connected).then_some(())).await;
    settle(&mut *deliveries, settled, &Verdict::Done).await.expect_err("the broker cannot be told");
    server.restart().await;
    let removed = operator(&server).await.delete_consumer_from_stream("loyalty-ordering", "HIGHSTREET_RETRIES").await;
    assert!(removed.expect("it is there").success);
    publish(&bus, &messages(3..=3)).await;
    assert_eq!(numbers(&next(&mut *deliveries, 10).await), [3], "what is settled and what is in hand do not come");
    let more = tokio::time::timeout(Duration::from_secs(9), deliveries.next(10)).await;
    assert!(more.is_err(), "not for as long as the broker waits, and longer: {more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_starts_while_the_broker_is_away() {
    let mut server = NatsServer::prepare("");
    let bus = connect(settings(&server)).await;
    let mut deliveries = join(&bus).await;
    let refused = tokio::time::timeout(A_FEW_SECONDS, bus.publish(messages(1..=1))).await.expect("an end");
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(matches!(bus.state(), State::Away(_)));

    server.restart().await;
    publish(&bus, &messages(1..=2)).await;
    assert_eq!(receive_until(&mut *deliveries, 2).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_lost_its_disk_is_filled_again() {
    let mut server = NatsServer::start().await;
    let bus = connect(settings(&server)).await;
    let mut deliveries = join(&bus).await;
    publish(&bus, &messages(1..=3)).await;
    assert_eq!(receive_until(&mut *deliveries, 3).await, [1, 2, 3]);
    publish(&bus, &messages(4..=4)).await;
    let in_hand = next(&mut *deliveries, 1).await;

    server.restart_empty().await;
    publish(&bus, &messages(1..=5)).await;
    // An answer for what the lost stream had is not taken for one to what has its place now.
    let _ = settle(&mut *deliveries, &in_hand, &Verdict::Done).await;
    assert_eq!(receive_until(&mut *deliveries, 5).await, [1, 2, 3, 4, 5], "stream and consumer are made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_goes_on_through_outages_without_loss() {
    let mut server = NatsServer::start().await;
    let bus = connect(settings(&server)).await;
    let mut deliveries = join(&bus).await;
    for round in 0..3u8 {
        let batch = messages(round * 50 + 1..=round * 50 + 50);
        let publishing = publish(&bus, &batch);
        let outage = async {
            server.kill();
            server.restart().await;
        };
        tokio::join!(publishing, outage);
    }
    let mut seen = receive_until(&mut *deliveries, 150).await;
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (1..=150).collect::<Vec<u8>>());
}
