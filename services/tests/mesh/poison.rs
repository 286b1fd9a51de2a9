//! Messages that nobody can read.

use highstreet_domain::kernel::ports::{Bus, DeadLetters};
use highstreet_testkit::servers::within;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::common::poison;
use crate::harness::{Load, Mesh};

/// Who hears that an order is paid.
const LISTENERS: [&str; 4] = ["kitchen", "loyalty", "notification", "tracking"];
/// Five tries, each a while after the one before.
const TRIES: Duration = Duration::from_secs(20);

/// CAP-3: what cannot be decoded is laid aside with its error after five tries, and what comes behind it is handled
/// meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_message_stops_nobody() {
    let mesh = Mesh::open().await;
    let load = Load::start(&mesh.calls(), 4);
    load.busy(10).await;
    let bus = mesh.bus().await;
    let poison = poison();
    bus.publish(vec![poison.clone()]).await.unwrap();
    publish_by_hand(&mesh, "highstreet.ordering.v1.OrderPaid.x", "nobody wrote this").await;
    load.busy(10).await;
    mesh.recovers().await;

    let letters = within(TRIES, "each listener lays both aside", || async {
        let letters = bus.dead_letters().await.ok()?;
        let of = |listener: &&str| letters.iter().filter(|letter| letter.listener == **listener).count();
        LISTENERS.iter().all(|listener| of(listener) == 2).then_some(letters)
    });
    let letters = letters.await;
    for listener in LISTENERS {
        let of: Vec<_> = letters.iter().filter(|letter| letter.listener == listener).collect();
        let tried = of.iter().find(|letter| letter.message.as_deref().is_some_and(|it| it.id == poison.id)).unwrap();
        assert_eq!((tried.failures, tried.source.as_str()), (5, "ordering"), "{tried:?}");
        assert!(!tried.error.is_empty());
        assert!(of.iter().any(|letter| letter.message.is_none()), "{of:?}");
    }
    for letter in letters {
        assert!(bus.discard(&letter.listener, letter.place).await.unwrap());
    }
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

/// As somebody does who has a broker's address and nothing else: no headers, no event.
async fn publish_by_hand(mesh: &Mesh, subject: &str, body: &str) {
    let mut broker = TcpStream::connect(("127.0.0.1", mesh.nats.port())).await.unwrap();
    let said = format!("CONNECT {{\"verbose\":false}}\r\nPUB {subject} {}\r\n{body}\r\nPING\r\n", body.len());
    broker.write_all(said.as_bytes()).await.unwrap();
    broker.flush().await.unwrap();
    let mut heard = String::new();
    within(TRIES, "the broker has it", || {
        let mut some = [0; 1024];
        let length = broker.try_read(&mut some).unwrap_or(0);
        heard.push_str(&String::from_utf8_lossy(&some[..length]));
        let done = heard.contains("PONG").then_some(());
        async move { done }
    })
    .await;
}
