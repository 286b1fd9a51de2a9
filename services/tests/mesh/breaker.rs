//! The circuit breaker between two processes.

use std::time::Duration;

use highstreet::ContextName::{Ordering, Payment};
use highstreet_testkit::servers::within;
use tokio::time::Instant;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::harness::{Load, Mesh, lattes};

/// CAP-6, CAFE-N3: while payment is dead, callers are told so at once, and when to come back; when it is back, orders go
/// through within five seconds, and none is there that was refused.
#[tokio::test(flavor = "multi_thread")]
async fn callers_are_refused_quickly_while_payment_is_dead() {
    let mut mesh = Mesh::open().await;
    let load = Load::start(&mesh.calls(), 2);
    load.busy(5).await;
    let notes = load.stop().await;
    let orders = mesh.settle(&notes).await.orders.len();

    mesh.of(Payment).kill();
    let calls = mesh.calls();
    within(Duration::from_secs(5), "the breaker opens", || async {
        let refused = calls.place(lattes(1, "010-1111-1111")).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
        assert!(refused.get_details_retry_info().is_some(), "{refused:?}");
        let metrics = mesh.replicas[mesh.places(Ordering)[0]].metrics().await;
        metrics.contains("highstreet_breaker_open{caller=\"ordering\",callee=\"payment\"} 1").then_some(())
    })
    .await;
    let written = || mesh.ask(Ordering, "SELECT count(*) FROM events").parse::<usize>().unwrap();
    let before = written();
    let (mut refusals, mut looks) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let begun = Instant::now();
        calls.place(lattes(1, "010-1111-1111")).await.unwrap_err();
        refusals.push(begun.elapsed());
        let begun = Instant::now();
        calls.order(&Uuid::now_v7().to_string()).await.unwrap_err();
        looks.push(begun.elapsed());
    }
    refusals.sort_unstable();
    looks.sort_unstable();
    assert!(written() - before < 50, "what is refused is not begun: only the few that try are written down");
    // Nobody is waited for and nothing is written: it takes what a look takes, on a machine that is as busy as this
    // one. The bench looks at how long that is.
    let at_once = Duration::from_millis(50).max(looks[25] * 10);
    assert!(
        refusals[25] < at_once,
        "half of the refusals took more than {:?}, looking took {:?}",
        refusals[25],
        looks[25]
    );

    mesh.of(Payment).started().await;
    let order = within(Duration::from_secs(5), "orders go through again", || async {
        calls.place(lattes(1, "010-1111-1111")).await.ok()
    });
    let order = order.await;
    let books = mesh.settle(&notes).await;
    assert_eq!(books.orders.len(), orders + 1, "only {} is new", order.order_id);
}
