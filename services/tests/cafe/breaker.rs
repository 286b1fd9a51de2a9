//! The circuit breaker between ordering and payment.

use std::time::Duration;

use highstreet::ContextName;
use highstreet_telemetry::Metrics;
use tonic::Code;
use tonic_types::StatusExt;

use crate::shop::{Cafe, eventually, lattes};

const OPEN: &str = "highstreet_breaker_open{caller=\"ordering\",callee=\"payment\"} 1";

/// CAFE-N3: while payment does not answer, customers are told at once to come back a little later; when it answers
/// again, orders go through again by themselves.
#[tokio::test]
async fn cafe_n3_customers_are_held_off_while_payment_is_overloaded() {
    let metrics = Metrics::install().unwrap();
    let mut cafe = Cafe::open().await;
    cafe.stop(ContextName::Payment).await;
    eventually("the breaker opens", || async {
        let refused = cafe.place(lattes(1)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        let retry = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(retry > Duration::ZERO);
        metrics.render().contains(OPEN).then_some(())
    })
    .await;
    cafe.start(ContextName::Payment).await;
    eventually("orders go through again", || async { cafe.place(lattes(1)).await.ok() }).await;
    assert_eq!(cafe.all_orders().await.len(), 1);
}
