//! What customers see while nobody works.

use highstreet::ContextName;
use highstreet_testkit::servers::eventually;
use tonic::Code;

use crate::harness::{Mesh, lattes};

/// CAP-8, CAFE-F5, CAFE-N4: the trace of an order is answered by tracking alone, with every other context down.
#[tokio::test(flavor = "multi_thread")]
async fn traces_are_answered_with_every_source_down() {
    let mut mesh = Mesh::open().await;
    let calls = mesh.calls();
    let order = calls.place(lattes(2, "010-4444-4444")).await.unwrap();
    calls.pay(&order).await.unwrap();
    // Until all that follows from it is told: six contexts have had their say.
    let seen = eventually("the whole trace", || async {
        calls.trace(&order).await.ok().filter(|trace| trace.status == "PAID" && trace.steps.len() >= 6)
    });
    let seen = seen.await;
    for context in ContextName::ALL.into_iter().filter(|context| *context != ContextName::Tracking) {
        mesh.of(context).kill();
    }
    assert_eq!(calls.order(&order.order_id).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(calls.trace(&order).await.unwrap(), seen);
}
