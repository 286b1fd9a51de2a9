//! The circuit breaker between two processes.

use std::time::Duration;

use highstreet::ContextName::{Ordering, Payment};
use highstreet_testkit::servers::within;
use tokio::time::Instant;
use tonic::Code;
use tonic_types::StatusExt;

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
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        calls.place(lattes(1, "010-1111-1111")).await.unwrap_err();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    // An optimised build takes a fifth of it; the bench looks at that.
    assert!(times[25] < Duration::from_millis(50), "half of the refusals took more than {:?}", times[25]);

    mesh.of(Payment).started().await;
    let order = within(Duration::from_secs(5), "orders go through again", || async {
        calls.place(lattes(1, "010-1111-1111")).await.ok()
    });
    let order = order.await;
    let books = mesh.settle(&notes).await;
    assert_eq!(books.orders.len(), orders + 1, "only {} is new", order.order_id);
}
