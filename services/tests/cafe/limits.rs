//! What is too much is refused at once, and does not slow down what is not.

use std::num::NonZeroU32;

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet_wire::proto::ordering::ListOrdersRequest;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use tonic::Code;
use tonic_types::StatusExt;

use crate::shop::{Cafe, SHOP, eventually, reason};

/// CAP-7: beyond the rate, callers are told when to come back, and are let in then.
#[tokio::test]
async fn cap_7_too_many_calls_a_second_are_told_when_to_come_back() {
    let data = tempfile::tempdir().unwrap();
    let ground = GroundArgs { rate_limit: NonZeroU32::new(20), ..GroundArgs::embedded(data.path()) };
    let cafe = Cafe::on(ground, ShopArgs::standard()).await;
    let ask = || async {
        let request = ListOrdersRequest { shop_id: SHOP.into(), ..Default::default() };
        OrderingServiceClient::new(cafe.channel.clone()).list_orders(request).await
    };
    let mut refused = Vec::new();
    for _ in 0..200 {
        refused.extend(ask().await.err());
    }
    assert!((100..200).contains(&refused.len()), "{} of 200 in far less than ten seconds", refused.len());
    for status in &refused {
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(reason(status), "RATE_LIMITED");
        let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(!wait.is_zero() && wait.as_millis() <= 1000, "{wait:?}");
    }
    eventually("it is let in again", || async { ask().await.ok() }).await;
}

/// CAP-7: beyond what may be under way at once, too.
#[tokio::test]
async fn cap_7_too_many_calls_under_way_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let ground = GroundArgs { most_calls: 0, ..GroundArgs::embedded(data.path()) };
    let cafe = Cafe::on(ground, ShopArgs::standard()).await;
    let request = ListOrdersRequest { shop_id: SHOP.into(), ..Default::default() };
    let status = OrderingServiceClient::new(cafe.channel.clone()).list_orders(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
    assert!(status.get_details_retry_info().is_some());
}
