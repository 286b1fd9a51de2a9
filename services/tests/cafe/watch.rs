//! Watching, and taking a watch up again.

use highstreet_wire::proto::tracking::{ListTracesRequest, TraceKind, WatchTracesRequest};

use crate::common::stories;
use crate::shop::{CUSTOMER, Cafe, SHOP};

stories![cafe_f5_a_watch_is_taken_up_where_it_was_left, traces_are_listed_by_shop_customer_and_kind];

/// CAFE-F5: customer and manager follow the progress; whoever was cut off goes on where they were.
#[tokio::test]
async fn cafe_f5_a_watch_is_taken_up_where_it_was_left() {
    let cafe = Cafe::open().await;
    let request = WatchTracesRequest { shop_id: cafe.shop(SHOP), customer: CUSTOMER.into(), since: String::new() };
    let mut watching = cafe.tracking().watch_traces(request.clone()).await.unwrap().into_inner();
    let order = cafe.order(1).await;
    let cursor = loop {
        let change = watching.message().await.unwrap().unwrap();
        if change.trace.is_some_and(|trace| trace.status == "ORDERED") {
            break change.cursor;
        }
    };
    drop(watching);

    cafe.pay(&order).await.unwrap();
    cafe.traced(&order, "PAID").await;
    let mut watching =
        cafe.tracking().watch_traces(WatchTracesRequest { since: cursor, ..request }).await.unwrap().into_inner();
    loop {
        let change = watching.message().await.unwrap().unwrap();
        if change.trace.is_some_and(|trace| trace.status == "PAID") {
            break;
        }
    }
}

#[tokio::test]
async fn traces_are_listed_by_shop_customer_and_kind() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.traced(&order, "ORDERED").await;
    let request = |customer: &str, kind: TraceKind| ListTracesRequest {
        shop_id: cafe.shop(SHOP),
        customer: customer.into(),
        kind: kind.into(),
        ..Default::default()
    };
    let mut tracking = cafe.tracking();
    let mut list = async |request| tracking.list_traces(request).await.unwrap().into_inner().traces.len();
    assert_eq!(list(request("", TraceKind::Unspecified)).await, 1);
    assert_eq!(list(request("+821012345678", TraceKind::Order)).await, 1);
    assert_eq!(list(request("010-0000-0000", TraceKind::Order)).await, 0);
    assert_eq!(list(request("", TraceKind::Booking)).await, 0);
}
