//! The replicas of a listener share its durable consumer.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream;
use common::{any_prefix, connect, join, message, messages, next, numbers, publish, settings, settle, subscription};
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::{Bus, Deliveries, Verdict};
use highstreet_nats::{JetStreamBus, Settings};
use highstreet_testkit::servers::{NatsServer, eventually};

const MOMENT: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_handle_each_message_once() {
    let server = NatsServer::start().await;
    let settings = any_prefix(settings(&server));
    let (here, there) = (connect(settings.clone()).await, connect(settings).await);
    let (mut one, mut other) = (join(&here).await, join(&there).await);
    publish(&here, &messages(1..=200)).await;
    let mut seen = Vec::new();
    while seen.len() < 200 {
        let (mine, theirs) =
            tokio::join!(tokio::time::timeout(MOMENT, one.next(10)), tokio::time::timeout(MOMENT, other.next(10)));
        for (deliveries, batch) in [(&mut one, mine), (&mut other, theirs)] {
            let Ok(batch) = batch else { continue };
            let batch = batch.expect("the broker is there");
            seen.extend(numbers(&batch));
            settle(&mut **deliveries, &batch, &Verdict::Done).await.expect("the broker is there");
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=200).collect::<Vec<u8>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_replica_hoards_nothing() {
    let server = NatsServer::start().await;
    let bus = connect(any_prefix(settings(&server))).await;
    let (mut slow, mut quick) = (join(&bus).await, join(&bus).await);
    publish(&bus, &messages(1..=1)).await;
    assert_eq!(numbers(&next(&mut *slow, 64).await), [1]);
    publish(&bus, &messages(2..=9)).await;
    assert_eq!(numbers(&next(&mut *quick, 64).await), [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replica_had_when_it_died_goes_to_another() {
    let server = NatsServer::start().await;
    let settings = any_prefix(Settings { ack_wait: Duration::from_secs(1), ..settings(&server) });
    let bus = connect(settings.clone()).await;
    publish(&bus, &messages(1..=3)).await;
    let had = std::thread::spawn(move || dies_with_what_it_has(settings)).join().expect("it got something");
    assert_eq!(had, [1, 2, 3]);
    let mut deliveries = join(&bus).await;
    // At least once, and in any order: one that is answered late comes again.
    let mut seen = BTreeSet::new();
    while seen.len() < 3 {
        let batch = next(&mut *deliveries, 10).await;
        assert!(batch.iter().all(|delivery| delivery.failures == 0), "it counts nothing against them");
        seen.extend(numbers(&batch));
        settle(&mut *deliveries, &batch, &Verdict::Done).await.expect("the broker is there");
    }
    assert_eq!(seen, BTreeSet::from([1, 2, 3]));
}

/// A process of its own, as far as the broker can see: it ends without a word.
fn dies_with_what_it_has(settings: Settings) -> Vec<u8> {
    let process = tokio::runtime::Runtime::new().expect("a runtime");
    let (bus, deliveries, had) = process.block_on(async {
        let bus = connect(settings).await;
        let mut deliveries = join(&bus).await;
        let had = numbers(&next(&mut *deliveries, 10).await);
        (bus, deliveries, had)
    });
    process.shutdown_background();
    drop((bus, deliveries));
    had
}

#[tokio::test(flavor = "multi_thread")]
async fn many_replicas_start_at_once() {
    let server = NatsServer::start().await;
    let settings = any_prefix(settings(&server));
    let starts = (0..8u8).map(|number| {
        let settings = settings.clone();
        tokio::spawn(async move {
            let bus = connect(settings).await;
            let mut deliveries = join(&bus).await;
            // A stream is found a moment before it hears what is published: an outage, and relays try again.
            let publish = eventually("no replica is in another's way", || async {
                bus.publish(vec![message(number)]).await.ok()
            });
            let _ = tokio::join!(publish, tokio::time::timeout(MOMENT, deliveries.next(1)));
        })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.expect("a replica that started");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_replica_leaves_to_a_newer_one_what_only_that_wants() {
    let server = NatsServer::start().await;
    let settings = any_prefix(settings(&server));
    let bus = connect(settings.clone()).await;
    publish(&bus, &messages(1..=1)).await;
    let mut old = join(&bus).await;
    let batch = next(&mut *old, 1).await;
    settle(&mut *old, &batch, &Verdict::Done).await.expect("the broker is there");
    let mut new = wants_more(&bus).await;
    publish(&bus, &messages(2..=2)).await;
    let batch = next(&mut *new, 1).await;
    settle(&mut *new, &batch, &Verdict::Done).await.expect("the broker is there");

    // The newer one is busy while the old one asks for all there is.
    let old = tokio::spawn(async move { old.next(10).await });
    publish(&bus, &[Message { name: "OrderCancelled".into(), ..message(3) }]).await;
    let operator = jetstream::new(async_nats::connect(server.url()).await.expect("the broker is there"));
    eventually("the old one had it", async || has_been_delivered(&operator, &settings.prefix).await).await;
    assert_eq!(numbers(&next(&mut *new, 1).await), [3]);
    old.abort();
}

/// Whether all three messages were given to somebody.
async fn has_been_delivered(operator: &jetstream::Context, prefix: &str) -> Option<()> {
    let stream = format!("{}_ORDERING", prefix.to_uppercase());
    let consumer = operator.get_consumer_from_stream::<jetstream::consumer::pull::Config, _, _>("loyalty", stream);
    let delivered = consumer.await.ok()?.cached_info().delivered.stream_sequence;
    (delivered == 3).then_some(())
}

async fn wants_more(bus: &JetStreamBus) -> Box<dyn Deliveries> {
    bus.subscribe(&subscription(&["OrderPaid", "OrderCancelled"])).await.expect("a subscription is only noted")
}
