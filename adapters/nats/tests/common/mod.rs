//! What the tests of the bus have in common.

#![allow(dead_code, reason = "each test uses some of it")]

use std::time::Duration;

use highstreet_domain::kernel::ports::{Bus, Deliveries, Delivery, StoreError, Subscription, Verdict};
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_nats::{JetStreamBus, Settings};
use highstreet_testkit::servers::{NatsServer, eventually};
use uuid::Uuid;

/// What does not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The settings for a server that runs for a test.
pub(crate) fn settings(server: &NatsServer) -> Settings {
    Settings { patience: Duration::from_secs(2), ..Settings::at(&server.url()) }
}

/// The same with a prefix of its own, so that tests share a server.
pub(crate) fn any_prefix(settings: Settings) -> Settings {
    let prefix = format!("t{}", Uuid::now_v7().simple());
    Settings { prefix, ..settings }
}

pub(crate) async fn connect(settings: Settings) -> JetStreamBus {
    JetStreamBus::connect(settings).await.expect("settings that can be used")
}

pub(crate) fn message(number: u8) -> Message {
    let subject = Uuid::from_u128(u128::from(number) + 1000);
    Message {
        id: Message::id_of(subject, 1),
        source: "ordering".into(),
        name: "OrderPaid".into(),
        subject,
        time: Timestamp::from_micros(1_795_221_498_123_456 + i64::from(number)),
        origin: Origin { actor: "mina".into(), correlation: "story".into(), causation: "request".into(), trace: None },
        body: vec![number],
    }
}

pub(crate) fn messages(numbers: impl IntoIterator<Item = u8>) -> Vec<Message> {
    numbers.into_iter().map(message).collect()
}

pub(crate) fn subscription(names: &[&str]) -> Subscription {
    let names = names.iter().map(|name| (*name).into()).collect();
    Subscription { consumer: "loyalty".into(), source: "ordering".into(), names }
}

pub(crate) async fn join(bus: &JetStreamBus) -> Box<dyn Deliveries> {
    bus.subscribe(&subscription(&["OrderPaid"])).await.expect("a subscription is only noted")
}

/// Publishes as a relay does: again and again until it is accepted.
pub(crate) async fn publish(bus: &JetStreamBus, messages: &[Message]) {
    eventually("it is published", async || bus.publish(messages.to_vec()).await.ok()).await;
}

/// The next messages, asking again after every outage.
pub(crate) async fn next(deliveries: &mut dyn Deliveries, limit: usize) -> Vec<Delivery> {
    let next = async {
        loop {
            if let Ok(batch) = deliveries.next(limit).await {
                return batch;
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.expect("a message")
}

/// The numbers of the next messages up to and including `last`, each settled as done.
pub(crate) async fn receive_until(deliveries: &mut dyn Deliveries, last: u8) -> Vec<u8> {
    let mut seen = Vec::new();
    while !seen.contains(&last) {
        let batch = next(deliveries, 10).await;
        seen.extend(numbers(&batch));
        settle(deliveries, &batch, &Verdict::Done).await.expect("the broker is there");
    }
    seen
}

pub(crate) async fn settle(
    deliveries: &mut dyn Deliveries,
    of: &[Delivery],
    verdict: &Verdict,
) -> Result<(), StoreError> {
    deliveries.settle(of.iter().map(|delivery| (delivery.tag, verdict.clone())).collect()).await
}

pub(crate) fn numbers(deliveries: &[Delivery]) -> Vec<u8> {
    deliveries.iter().filter_map(|delivery| delivery.message.body.first().copied()).collect()
}
