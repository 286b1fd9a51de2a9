//! What callers of the store may rely on: errors, request ids, revisions, pages.

use highstreet_wire::proto::delivery::{GetDeliveryRequest, get_delivery_request};
use highstreet_wire::proto::inventory::{AdjustStockRequest, GetStockRequest, ListStockRequest, ReceiveStockRequest};
use highstreet_wire::proto::replenishment::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, PlaceOrderRequest,
};
use highstreet_wire::proto::sales::{CancelPurchaseRequest, GetPurchaseRequest, RecordPurchaseRequest};
use tonic::Code;
use uuid::Uuid;

use super::{COLA, Store};
use crate::common::{bad_fields, reason, reference, stories, won};

stories![
    every_bad_field_is_named_at_once,
    what_is_not_there_is_not_found,
    a_repeat_gets_the_first_answer_and_moves_nothing_again,
    a_stale_revision_is_refused,
    lists_come_in_pages_newest_first
];

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let store = Store::open().await;
    let order = PlaceOrderRequest {
        shop_id: "g s".into(),
        sku: String::new(),
        product_name: String::new(),
        quantity: 0,
        unit_price: None,
        request_id: "7".into(),
    };
    let refused = store.replenishment().place_order(order).await.unwrap_err();
    let expected = ["product_name", "quantity", "request_id", "shop_id", "sku", "unit_price"];
    assert_eq!(bad_fields(&refused), expected);

    let stock = ReceiveStockRequest { quantity: -1, reorder_point: Some(-1), ..Default::default() };
    let refused = store.inventory().receive_stock(stock).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["product_name", "quantity", "reorder_point", "shop_id", "sku"]);
    let count = AdjustStockRequest { delta: 1_000_001, reason: "\n".into(), ..Default::default() };
    let refused = store.inventory().adjust_stock(count).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["delta", "reason", "shop_id", "sku"]);

    let price = Some(highstreet_wire::proto::Money { currency_code: "KRW".into(), units: -1, nanos: 0 });
    let purchase = RecordPurchaseRequest { quantity: 1_000_001, unit_price: price, ..Default::default() };
    let refused = store.sales().record_purchase(purchase).await.unwrap_err();
    assert_eq!(bad_fields(&refused), ["quantity", "shop_id", "sku", "unit_price"]);
    let priceless = RecordPurchaseRequest { unit_price: Some(won(i64::MAX)), ..store.purchase_of(COLA, 2) };
    let refused = store.sales().record_purchase(priceless).await.unwrap_err();
    assert_eq!((reason(&refused).as_str(), bad_fields(&refused)), ("INVALID_TOTAL", vec!["quantity".to_owned()]));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let store = Store::open().await;
    let id = || Uuid::now_v7().to_string();
    let order = store.replenishment().get_order(GetOrderRequest { order_id: id() }).await.unwrap_err();
    let cancel = CancelOrderRequest { order_id: id(), ..Default::default() };
    let cancel = store.replenishment().cancel_order(cancel).await.unwrap_err();
    let purchase = store.sales().get_purchase(GetPurchaseRequest { purchase_id: id() }).await.unwrap_err();
    let give_up = CancelPurchaseRequest { purchase_id: id(), ..Default::default() };
    let give_up = store.sales().cancel_purchase(give_up).await.unwrap_err();
    let stock = GetStockRequest { shop_id: store.name(), sku: COLA.into() };
    let stock = store.inventory().get_stock(stock).await.unwrap_err();
    let count = AdjustStockRequest { shop_id: store.name(), sku: COLA.into(), delta: 1, ..Default::default() };
    let count = store.inventory().adjust_stock(count).await.unwrap_err();
    let target = Some(get_delivery_request::Target::Order(reference("replenishment", &id())));
    let delivery = store.head_office().get_delivery(GetDeliveryRequest { target }).await.unwrap_err();
    for (refused, expected) in [
        (order, "ORDER_NOT_FOUND"),
        (cancel, "ORDER_NOT_FOUND"),
        (purchase, "PURCHASE_NOT_FOUND"),
        (give_up, "PURCHASE_NOT_FOUND"),
        (stock, "STOCK_NOT_FOUND"),
        (count, "STOCK_NOT_FOUND"),
        (delivery, "DELIVERY_NOT_FOUND"),
    ] {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, expected));
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_moves_nothing_again() {
    let store = Store::open().await;
    let request_id = Uuid::now_v7().to_string();
    let receive = ReceiveStockRequest {
        shop_id: store.name(),
        sku: COLA.into(),
        product_name: "콜라".into(),
        quantity: 10,
        request_id: request_id.clone(),
        ..Default::default()
    };
    let first = store.inventory().receive_stock(receive.clone()).await.unwrap().into_inner();
    store.receive(COLA, 5).await;
    assert_eq!(store.inventory().receive_stock(receive.clone()).await.unwrap().into_inner(), first);
    assert_eq!(store.on_hand(COLA).await, Some(15));
    let other = ReceiveStockRequest { quantity: 11, ..receive };
    assert_eq!(reason(&store.inventory().receive_stock(other).await.unwrap_err()), "REQUEST_ID_REUSED");

    // The same id under another call is another id.
    let purchase = RecordPurchaseRequest { request_id: request_id.clone(), ..store.purchase_of(COLA, 3) };
    let first = store.sales().record_purchase(purchase.clone()).await.unwrap().into_inner();
    assert_eq!(store.sales().record_purchase(purchase.clone()).await.unwrap().into_inner(), first);
    store.stocked(COLA, 12).await;
    let other = RecordPurchaseRequest { quantity: 4, ..purchase };
    assert_eq!(reason(&store.sales().record_purchase(other).await.unwrap_err()), "REQUEST_ID_REUSED");
    let order = PlaceOrderRequest { request_id, ..store.colas(10) };
    let first = store.replenishment().place_order(order.clone()).await.unwrap().into_inner();
    assert_eq!(store.replenishment().place_order(order).await.unwrap().into_inner(), first);
}

#[tokio::test]
async fn a_stale_revision_is_refused() {
    let store = Store::open().await;
    let stock = store.receive(COLA, 10).await;
    let adjust = |delta, expected_revision| AdjustStockRequest {
        shop_id: store.name(),
        sku: COLA.into(),
        delta,
        reason: "counted".into(),
        expected_revision: Some(expected_revision),
        ..Default::default()
    };
    let refused = store.inventory().adjust_stock(adjust(-1, stock.revision + 1)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "REVISION_MISMATCH"));
    let refused = store.inventory().adjust_stock(adjust(-11, stock.revision)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "NOT_ENOUGH_STOCK"));
    let counted = store.inventory().adjust_stock(adjust(-1, stock.revision)).await.unwrap().into_inner();
    assert_eq!(counted.stock.unwrap().on_hand, 9);

    let order = store.order(1).await;
    let cancel = |revision| CancelOrderRequest {
        order_id: order.order_id.clone(),
        expected_revision: Some(revision),
        ..Default::default()
    };
    let refused = store.replenishment().cancel_order(cancel(order.revision + 1)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "REVISION_MISMATCH"));
    store.replenishment().cancel_order(cancel(order.revision)).await.unwrap();
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let store = Store::open().await;
    let (mut skus, mut orders) = (Vec::new(), Vec::new());
    for number in 0..5 {
        skus.insert(0, store.receive(&format!("sku-{number}"), number * 3).await.sku);
        orders.insert(0, store.order(1).await.order_id);
    }
    let mut list = ListStockRequest { shop_id: store.name(), page_size: 2, ..Default::default() };
    let mut listed = Vec::new();
    loop {
        let page = store.inventory().list_stock(list.clone()).await.unwrap().into_inner();
        assert!(page.stock.len() <= 2);
        listed.extend(page.stock.into_iter().map(|stock| stock.sku));
        list.page_token = page.next_page_token;
        if list.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, skus);
    list.low_only = true;
    let low = store.inventory().list_stock(list).await.unwrap().into_inner();
    assert_eq!(low.stock.iter().map(|stock| stock.on_hand).collect::<Vec<_>>(), [3, 0], "at or below 5, newest first");

    let mut list = ListOrdersRequest { shop_id: store.name(), page_size: 3, ..Default::default() };
    let page = store.replenishment().list_orders(list.clone()).await.unwrap().into_inner();
    list.page_token = page.next_page_token;
    let rest = store.replenishment().list_orders(list.clone()).await.unwrap().into_inner();
    assert_eq!((page.orders.len(), rest.orders.len(), rest.next_page_token.as_str()), (3, 2, ""));
    let listed: Vec<_> = page.orders.into_iter().chain(rest.orders).map(|order| order.order_id).collect();
    assert_eq!(listed, orders);
    list.page_token = "nonsense".into();
    assert_eq!(bad_fields(&store.replenishment().list_orders(list).await.unwrap_err()), ["page_token"]);
}
