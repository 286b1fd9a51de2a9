//! Messages that take long.

use std::time::Duration;

use highstreet_domain::kernel::ports::{Bus, Subscription, Verdict};
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_nats::{JetStreamBus, Settings};
use highstreet_testkit::servers::NatsServer;
use tokio::time::timeout;
use uuid::Uuid;

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
    let message = Message {
        id: Uuid::now_v7(),
        source: "ordering".into(),
        name: "OrderPaid".into(),
        subject: Uuid::now_v7(),
        time: Timestamp::default(),
        origin: Origin::default(),
        body: Vec::new(),
    };
    bus.publish(vec![message.clone()]).await.unwrap();
    let held = slow.next(1).await.unwrap();
    assert_eq!(held[0].message.id, message.id);

    let (_other_bus, mut other) = join().await;
    assert!(timeout(ACK_WAIT * 4, other.next(1)).await.is_err(), "the first one is still at it");
    slow.settle(vec![(held[0].tag, Verdict::Done)]).await.unwrap();
    assert!(timeout(ACK_WAIT * 2, other.next(1)).await.is_err(), "it is done");
}

#[tokio::test(flavor = "multi_thread")]
async fn zz_repro() {
    use highstreet_domain::kernel::ports::Deliveries;
    let mut server = NatsServer::start().await;
    let url = server.url();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(std::collections::HashMap::<
        String,
        std::collections::HashSet<Uuid>,
    >::new()));
    let names = ["kitchen", "loyalty", "notification", "tracking", "payment"];
    for name in names {
        let bus = JetStreamBus::connect(Settings::at(&url)).await.unwrap();
        let subscription =
            Subscription { consumer: name.into(), source: "ordering".into(), names: vec!["OrderPaid".into()] };
        let mut deliveries: Box<dyn Deliveries> = bus.subscribe(&subscription).await.unwrap();
        let seen = seen.clone();
        tokio::spawn(async move {
            let _bus = bus;
            loop {
                match deliveries.next(64).await {
                    Ok(batch) => {
                        for d in &batch {
                            seen.lock().unwrap().entry(name.into()).or_default().insert(d.message.id);
                        }
                        let _ = deliveries.settle(batch.iter().map(|d| (d.tag, Verdict::Done)).collect()).await;
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
    }
    let publisher = JetStreamBus::connect(Settings::at(&url)).await.unwrap();
    let message = || Message {
        id: Uuid::now_v7(),
        source: "ordering".into(),
        name: "OrderPaid".into(),
        subject: Uuid::now_v7(),
        time: Timestamp::default(),
        origin: Origin::default(),
        body: Vec::new(),
    };
    for round in 0..80 {
        for _ in 0..20 {
            let _ = publisher.publish(vec![message()]).await;
        }
        server.restart_empty().await;
        let begun = tokio::time::Instant::now();
        let mut all = Vec::new();
        for _ in 0..20 {
            let m = message();
            while publisher.publish(vec![m.clone()]).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            all.push(m.id);
        }
        for name in names {
            loop {
                if seen.lock().unwrap().get(name).is_some_and(|s| all.iter().all(|id| s.contains(id))) {
                    break;
                }
                if begun.elapsed() > Duration::from_secs(18) {
                    println!("round {round} {name}: NEVER");
                    let missing: Vec<_> = all
                        .iter()
                        .enumerate()
                        .filter(|(_, id)| !seen.lock().unwrap()[name].contains(*id))
                        .map(|(n, _)| n)
                        .collect();
                    println!("missing {missing:?}");
                    let p = url.rsplit(':').next().unwrap().to_owned();
                    let _ = std::process::Command::new("python3").args(["/tmp/diag.py", &p, "1"]).status();
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if begun.elapsed() > Duration::from_secs(2) {
                println!("round {round} {name}: {:?}", begun.elapsed());
            }
        }
    }
}
