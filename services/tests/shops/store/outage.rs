//! What the store does when something is away.

use std::time::Duration;

use highstreet::ContextName;
use highstreet_wire::proto::delivery::DeliveryStatus;
use highstreet_wire::proto::inventory::ListStockRequest;
use highstreet_wire::proto::replenishment::{CancelOrderRequest, ListOrdersRequest, OrderStatus};
use highstreet_wire::proto::sales::{CancelReason, PurchaseStatus};
use uuid::Uuid;

use super::{COLA, SHOP, Store, of_order, of_purchase};
use crate::common::{count, eventually, stories};

stories![
    store_a5_a_cancellation_waits_for_delivery,
    store_a7_delivery_hears_of_an_order_and_its_cancellation_at_once,
    store_a6_stock_catches_up_once,
    store_n4_the_board_is_a_read_model,
    store_n5_messages_wait_for_notification
];

/// As long as a breaker lets a call take.
const AT_ONCE: Duration = Duration::from_secs(5);

/// STORE-A5, STORE-N3: while delivery is away a cancellation is taken at once, and carried out when it is back, without
/// anybody asking again. STORE-X1: until then nothing says that the order is cancelled.
#[tokio::test]
async fn store_a5_a_cancellation_waits_for_delivery() {
    let mut store = Store::open().await;
    let order = store.order(10).await;
    store.scheduled(&order).await;
    store.stop(ContextName::Delivery).await;

    let request = CancelOrderRequest {
        order_id: order.order_id.clone(),
        reason: "too many".into(),
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let (mut replenishment, asked) = (store.replenishment(), request.clone());
    let answer = tokio::time::timeout(AT_ONCE, replenishment.cancel_order(asked)).await.expect("it answers at once");
    let pending = answer.unwrap().into_inner().order.unwrap();
    assert_eq!(pending.status(), OrderStatus::CancellationPending);
    store.on_board(&order, "CANCELLATION_PENDING", "PREPARING").await;
    let trace = store.traced(&of_order(&order), "CANCELLATION_PENDING").await;
    assert_eq!(count(&trace, "OrderCancelled"), 0);
    assert!(store.notifications(SHOP).await.iter().all(|it| it.event != "OrderCancelled"));

    store.start(ContextName::Delivery).await;
    store.ordered(&order, OrderStatus::Cancelled).await;
    assert_eq!(store.delivery(&order).await.unwrap().status(), DeliveryStatus::Cancelled);
    assert_eq!(store.get_order(&order).await.cancel_note, "too many");
    store.traced_once(&of_order(&order), &["OrderCancelled", "DeliveryCancelled"]).await;
    let again = store.replenishment().cancel_order(request).await.unwrap().into_inner().order.unwrap();
    assert!(matches!(again.status(), OrderStatus::CancellationPending | OrderStatus::Cancelled), "{again:?}");
}

/// STORE-A7 on the way STORE-A5: ordered and cancelled while delivery is away. Whether it hears of the order or of the
/// cancellation first when it is back, the delivery never ships.
#[tokio::test]
async fn store_a7_delivery_hears_of_an_order_and_its_cancellation_at_once() {
    let mut store = Store::open().await;
    store.stop(ContextName::Delivery).await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        let order = store.order(10).await;
        assert_eq!(store.cancel_order(&order).await.unwrap().status(), OrderStatus::CancellationPending);
        orders.push(order);
    }
    store.start(ContextName::Delivery).await;
    let behind = store.order(1).await;
    store.scheduled(&behind).await;
    for order in &orders {
        store.ordered(order, OrderStatus::Cancelled).await;
        let delivery = store.delivery(order).await.unwrap();
        assert_eq!(delivery.status(), DeliveryStatus::Cancelled);
        store.ship(&delivery).await.unwrap_err();
    }
}

/// STORE-A6, STORE-N2: while inventory is away, orders, shipments and purchases go on; when it is back, each of them
/// moves the stock exactly once.
#[tokio::test]
async fn store_a6_stock_catches_up_once() {
    let mut store = Store::open().await;
    store.receive(COLA, 5).await;
    store.stop(ContextName::Inventory).await;
    let (first, second) = (store.order_and_ship(10).await, store.order_and_ship(20).await);
    store.ordered(&first, OrderStatus::Shipped).await;
    let (kept, dropped) = (store.buy(COLA, 3).await, store.buy(COLA, 4).await);
    assert_eq!(store.cancel_purchase(&dropped).await.status(), PurchaseStatus::Cancelled);
    for purchase in [&kept, &dropped] {
        let trace = eventually("the trace", || async { store.trace(&of_purchase(purchase)).await }).await;
        assert_eq!(count(&trace, "StockWithdrawn"), 0, "inventory is away");
    }

    store.start(ContextName::Inventory).await;
    // Behind all of it: what is in stock with these is what is left for good.
    let behind = store.order_and_ship(100).await;
    for order in [&first, &second, &behind] {
        store.ordered(order, OrderStatus::Received).await;
        store.traced_once(&of_order(order), &["Shipped", "StockReceived", "OrderReceived"]).await;
    }
    store.stocked(COLA, 5 + 10 + 20 + 100 - 3).await;
    let trace = store.traced_once(&of_purchase(&kept), &["Purchased", "StockWithdrawn"]).await;
    assert_eq!(count(&trace, "StockReturned"), 0);
    assert_eq!(store.get_purchase(&kept).await.status(), PurchaseStatus::Purchased);
    assert_eq!(store.get_purchase(&dropped).await.cancel_reason(), CancelReason::Customer);
}

/// STORE-N4: the board answers with everything away that it is made of, and shows what came about meanwhile later.
#[tokio::test]
async fn store_n4_the_board_is_a_read_model() {
    let mut store = Store::open().await;
    let order = store.order_and_ship(10).await;
    store.on_board(&order, "RECEIVED", "SHIPPED").await;
    let seen = |board: &highstreet_wire::proto::tracking::Board| board.stock.first().map(|it| it.on_hand);
    eventually("the stock on the board", || async { seen(&store.board("").await).filter(|it| *it == 10) }).await;
    let sources = [ContextName::Replenishment, ContextName::Delivery, ContextName::Inventory, ContextName::Sales];
    for context in sources {
        store.stop(context).await;
    }
    store.on_board(&order, "RECEIVED", "SHIPPED").await;
    assert_eq!(seen(&store.board("").await), Some(10));
    for context in sources {
        store.start(context).await;
    }
    store.buy(COLA, 4).await;
    eventually("the stock on the board", || async { seen(&store.board("").await).filter(|it| *it == 6) }).await;
    let list = ListStockRequest { shop_id: store.name(), ..Default::default() };
    assert_eq!(store.inventory().list_stock(list).await.unwrap().into_inner().stock.len(), 1);
    let list = ListOrdersRequest { shop_id: store.name(), ..Default::default() };
    assert_eq!(store.replenishment().list_orders(list).await.unwrap().into_inner().orders.len(), 1);
}

/// STORE-N5: the owner is told what happened while notification was away, once.
#[tokio::test]
async fn store_n5_messages_wait_for_notification() {
    let mut store = Store::open().await;
    store.receive(COLA, 10).await;
    store.stop(ContextName::Notification).await;
    store.buy(COLA, 1).await;
    store.stocked(COLA, 9).await;
    store.start(ContextName::Notification).await;
    store.told(1).await;
    store.buy(COLA, 1).await;
    let told = store.told(2).await;
    assert!(told.iter().all(|it| it.event == "Purchased" && it.text.starts_with("구매가 등록")), "{told:?}");
}
