//! The circuit breaker between ordering and payment.

use std::process::Command;
use std::time::Duration;

use highstreet::ContextName;
use highstreet_telemetry::Metrics;
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use highstreet_wire::proto::operations::{BreakerState, ListContextsRequest};
use tonic::Code;
use tonic_types::StatusExt;

use crate::binary::HIGHSTREET;
use crate::shop::{Cafe, eventually, lattes};

const OPEN: &str = "highstreet_breaker_open{caller=\"ordering\",callee=\"payment\"} 1";

/// CAFE-N3: while payment does not answer, customers are told at once to come back a little later, and operators see why;
/// when it answers again, orders go through again by themselves.
#[tokio::test(flavor = "multi_thread")]
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
    let mut operator = OperationsServiceClient::new(cafe.channel.clone());
    let seen = operator.list_contexts(ListContextsRequest::default()).await.unwrap().into_inner();
    assert_eq!(seen.unreachable_contexts, ["payment"], "it is stopped");
    let ordering = seen.contexts.iter().find(|it| it.context == "ordering").unwrap();
    let [breaker] = &ordering.breakers[..] else { panic!("{ordering:?}") };
    // It tries now and then.
    assert!(breaker.callee == "payment" && breaker.state() != BreakerState::Closed, "{breaker:?}");
    let table = Command::new(HIGHSTREET).args(["ops", "contexts", "--target", &cafe.url()]).output().unwrap();
    let (table, missing) = (String::from_utf8(table.stdout).unwrap(), String::from_utf8(table.stderr).unwrap());
    let row = table.lines().find(|line| line.starts_with("ordering")).unwrap_or(&table);
    assert!(row.contains("payment OPEN") || row.contains("payment tried"), "{table}");
    assert!(missing.contains("payment did not answer"), "{missing}");
    cafe.start(ContextName::Payment).await;
    eventually("orders go through again", || async { cafe.place(lattes(1)).await.ok() }).await;
    assert_eq!(cafe.all_orders().await.len(), 1);
    eventually("it is closed when a few more went well", || async {
        cafe.place(lattes(1)).await.unwrap();
        let only = ListContextsRequest { context: "ordering".into() };
        let seen = operator.clone().list_contexts(only).await.unwrap().into_inner();
        let [ordering] = &seen.contexts[..] else { panic!("{seen:?}") };
        (ordering.breakers[0].state() == BreakerState::Closed).then_some(())
    })
    .await;
}
