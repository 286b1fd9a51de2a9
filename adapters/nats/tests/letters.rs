//! What fails by its own fault is tried again, laid aside in the end, and stops nobody.

mod common;

use common::{
    any_prefix, connect, join, message, messages, next, numbers, publish, receive_until, settings, settle, subscription,
};
use highstreet_domain::kernel::ports::{DeadLetter, Verdict};
use highstreet_domain::kernel::{Message, Origin};
use highstreet_nats::JetStreamBus;
use highstreet_testkit::servers::{NatsServer, eventually};

/// Fails every delivery until there are so many dead letters.
async fn fail_until_dead(bus: &JetStreamBus, count: usize, error: &str) -> Vec<DeadLetter> {
    let mut deliveries = join(bus).await;
    loop {
        let batch = tokio::time::timeout(std::time::Duration::from_millis(100), deliveries.next(10)).await;
        if let Ok(batch) = batch {
            let batch = batch.expect("the broker is there");
            let failed = Verdict::Failed(error.to_owned());
            settle(&mut *deliveries, &batch, &failed).await.expect("the broker is there");
        }
        let letters = bus.dead_letters().await.expect("the broker is there");
        if letters.len() == count {
            return letters;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_has_its_error_and_the_whole_message() {
    let server = NatsServer::start().await;
    let bus = connect(any_prefix(settings(&server))).await;
    let trace = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let origin = Origin { actor: "민아".into(), trace, ..message(1).origin };
    let whole = Message { origin, ..message(1) };
    publish(&bus, std::slice::from_ref(&whole)).await;
    let letters = fail_until_dead(&bus, 1, "100 % unreadable:\n field 7").await;
    assert_eq!(letters[0].message.as_deref(), Some(&whole));
    assert_eq!(letters[0].error, "100 % unreadable:\n field 7");
    assert_eq!((letters[0].listener.as_str(), letters[0].source.as_str()), ("loyalty", "ordering"));
    assert_eq!(letters[0].failures, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_counted_across_replicas_and_restarts() {
    let server = NatsServer::start().await;
    let settings = any_prefix(settings(&server));
    publish(&connect(settings.clone()).await, &messages(1..=1)).await;
    for failures in 0..5 {
        let bus = connect(settings.clone()).await;
        let mut deliveries = join(&bus).await;
        let batch = next(&mut *deliveries, 10).await;
        assert_eq!(batch[0].failures, failures);
        settle(&mut *deliveries, &batch, &Verdict::Failed("a bug".into())).await.expect("the broker is there");
    }
    let bus = connect(settings).await;
    eventually("a dead letter", async || bus.dead_letters().await.ok().filter(|letters| letters.len() == 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_at_all_is_a_dead_letter_at_once() {
    let server = NatsServer::start().await;
    let settings = any_prefix(settings(&server));
    let bus = connect(settings.clone()).await;
    publish(&bus, &messages(1..=1)).await;
    let stranger = async_nats::connect(server.url()).await.expect("the broker is there");
    let subject = format!("{}.ordering.v1.OrderPaid.nonsense", settings.prefix);
    let jetstream = async_nats::jetstream::new(stranger);
    jetstream.publish(subject, "hello".into()).await.expect("it is sent").await.expect("it is kept");
    publish(&bus, &messages(2..=2)).await;
    let mut deliveries = join(&bus).await;
    assert_eq!(numbers(&next(&mut *deliveries, 10).await), [1, 2], "it stops nobody");
    let letters =
        eventually("a dead letter", async || bus.dead_letters().await.ok().filter(|letters| !letters.is_empty()));
    let letters = letters.await;
    assert_eq!(letters[0].message, None);
    assert_eq!(letters[0].error, "the header ce-id is missing or cannot be read");
}

/// CAP-17: what a listener has before it is counted, and what it could not handle.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_listener_is_counted() {
    let server = NatsServer::start().await;
    let bus = connect(any_prefix(settings(&server))).await;
    let mine = subscription(&["OrderPaid"]);
    assert_eq!(bus.lag(&mine).await, Ok(0), "there is none yet");
    assert_eq!(bus.dead_letter_count("loyalty").await, Ok(0), "there are none yet");
    let mut deliveries = join(&bus).await;
    publish(&bus, &messages(1..=3)).await;
    let first = next(&mut *deliveries, 1).await;
    eventually("three lie before it", async || (bus.lag(&mine).await == Ok(3)).then_some(())).await;
    settle(&mut *deliveries, &first, &Verdict::Done).await.expect("the broker is there");
    receive_until(&mut *deliveries, 3).await;
    eventually("nothing lies before it", async || (bus.lag(&mine).await == Ok(0)).then_some(())).await;
    drop(deliveries);
    publish(&bus, &messages(4..=4)).await;
    fail_until_dead(&bus, 1, "a bug").await;
    assert_eq!(bus.dead_letter_count("loyalty").await, Ok(1));
    assert_eq!(bus.dead_letter_count("kitchen").await, Ok(0));
}
