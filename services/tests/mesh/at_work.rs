//! Messages that take long.

use std::time::Duration;

use highstreet_domain::kernel::ports::{Bus, Subscription, Verdict};
use highstreet_nats::{JetStreamBus, Settings};
use highstreet_testkit::servers::NatsServer;
use tokio::time::timeout;

use crate::common::order_paid;

const ACK_WAIT: Duration = Duration::from_secs(1);

/// CAP-4: the messages of a dead replica are missed soon; those of one that is at work for long are not, and no other
/// replica does the same.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_at_a_message_for_long_keeps_it() {
    let server = NatsServer::start().await;
    let join = || async {
        let bus = JetStreamBus::connect(Settings { ack_wait: ACK_WAIT, ..Settings::at(&server.url()) }).await.unwrap();
        let names = vec!["OrderPaid".into()];
        let subscription = Subscription { consumer: "kitchen".into(), source: "ordering".into(), names };
        let deliveries = bus.subscribe(&subscription).await.unwrap();
        (bus, deliveries)
    };
    let (bus, mut slow) = join().await;
    let message = order_paid(Vec::new());
    bus.publish(vec![message.clone()]).await.unwrap();
    let held = slow.next(1).await.unwrap();
    assert_eq!(held[0].message.id, message.id);

    let (_other_bus, mut other) = join().await;
    assert!(timeout(ACK_WAIT * 4, other.next(1)).await.is_err(), "the first one is still at it");
    slow.settle(vec![(held[0].tag, Verdict::Done)]).await.unwrap();
    assert!(timeout(ACK_WAIT * 2, other.next(1)).await.is_err(), "it is done");
}
