//! What the store does when everything works.

use std::collections::BTreeMap;

use highstreet::config::ShopArgs;
use highstreet_wire::proto::delivery::{
    CancelDeliveryRequest, DeliveryStatus, ListDeliveriesRequest, cancel_delivery_request,
};
use highstreet_wire::proto::inventory::ListStockRequest;
use highstreet_wire::proto::replenishment::{ListOrdersRequest, OrderStatus};
use highstreet_wire::proto::sales::{CancelReason, PurchaseStatus};
use highstreet_wire::proto::tracking::{BoardSales, Trace};
use tonic::Code;
use uuid::Uuid;

use super::{COLA, SHOP, Store, of_order, of_purchase};
use crate::common::{count, eventually, reason, reference, stories};

stories![
    store_a1_from_order_to_shelf,
    store_x2_a_product_has_one_stock,
    store_a2_cancelled_before_shipping,
    store_a2_not_cancelled_after_shipping,
    store_a3_purchased_and_cancelled,
    store_a4_a_purchase_of_more_than_there_is,
    a_stranger_cancels_no_delivery_in_advance,
    store_a7_a_cancel_that_overtakes_the_order_wins,
    store_a7_cancellations_race_shipments,
    store_f9_the_owner_is_told_of_every_change_once,
    the_last_twenty_are_sold_once_each,
    store_f8_orders_are_listed_by_status
];

/// STORE-A1, and on the way STORE-F1 (ordering), STORE-F2 (head office ships), STORE-F3 (it is received into stock),
/// STORE-F8 (orders and stock are queried) and STORE-X6 (what one context tells is what the others hear: the board
/// and the trace show all of it).
#[tokio::test]
async fn store_a1_from_order_to_shelf() {
    let store = Store::open().await;
    let order = store.order(10).await;
    assert_eq!(order.status(), OrderStatus::Placed);
    assert_eq!(order.total.as_ref().unwrap().units, 8000);
    let delivery = store.scheduled(&order).await;
    assert_eq!(delivery.status(), DeliveryStatus::Preparing);
    assert_eq!((delivery.items[0].product_id.as_str(), delivery.items[0].quantity), (COLA, 10));
    store.on_board(&order, "PLACED", "PREPARING").await;
    assert_eq!(store.on_hand(COLA).await, None, "nothing comes before it is shipped");

    assert_eq!(store.ship(&delivery).await.unwrap().status(), DeliveryStatus::Shipped);
    store.stocked(COLA, 10).await;
    store.ordered(&order, OrderStatus::Received).await;
    let shown = store.on_board(&order, "RECEIVED", "SHIPPED").await;
    assert_eq!((shown.product_name.as_str(), shown.quantity), ("콜라", 10));
    let board = eventually("stock on the board", || async {
        Some(store.board("").await).filter(|board| !board.stock.is_empty())
    })
    .await;
    assert_eq!((board.stock[0].sku.as_str(), board.stock[0].on_hand, board.stock[0].low), (COLA, 10, false));
    assert_eq!(store.arrive(&delivery).await.status(), DeliveryStatus::Delivered);
    store.on_board(&order, "RECEIVED", "DELIVERED").await;

    store.traced(&of_order(&order), "RECEIVED").await;
    let events = ["OrderPlaced", "DeliveryScheduled", "Shipped", "OrderShipped", "StockReceived", "OrderReceived"];
    store.traced_once(&of_order(&order), &events).await;
    let list = ListOrdersRequest { shop_id: store.name(), status: OrderStatus::Received.into(), ..Default::default() };
    let orders = store.replenishment().list_orders(list).await.unwrap().into_inner().orders;
    assert_eq!(orders, [store.get_order(&order).await]);
}

/// STORE-X2: what is shipped again comes to the stock there is, by whichever way it came before.
#[tokio::test]
async fn store_x2_a_product_has_one_stock() {
    let store = Store::open().await;
    store.receive(COLA, 5).await;
    for round in 1..3 {
        store.order_and_ship(10).await;
        store.stocked(COLA, 5 + 10 * round).await;
    }
    let list = ListStockRequest { shop_id: store.name(), ..Default::default() };
    let stock = store.inventory().list_stock(list).await.unwrap().into_inner().stock;
    assert_eq!(stock.len(), 1);
    assert_eq!((stock[0].on_hand, stock[0].unit_price.as_ref().unwrap().units), (25, 800), "the price as told last");
}

/// STORE-A2, STORE-F6, STORE-N1: the cancellation asks delivery, and what it says is done.
#[tokio::test]
async fn store_a2_cancelled_before_shipping() {
    let store = Store::open().await;
    store.receive(COLA, 5).await;
    let order = store.order(10).await;
    let delivery = store.scheduled(&order).await;
    assert_eq!(store.cancel_order(&order).await.unwrap().status(), OrderStatus::Cancelled);
    assert_eq!(store.delivery(&order).await.unwrap().status(), DeliveryStatus::Cancelled, "by the time of the answer");
    let refused = store.ship(&delivery).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ALREADY_CANCELLED"));
    store.on_board(&order, "CANCELLED", "CANCELLED").await;
    let trace = store.traced(&of_order(&order), "CANCELLED").await;
    assert_eq!((count(&trace, "Shipped"), count(&trace, "StockReceived")), (0, 0));
    assert_eq!(store.on_hand(COLA).await, Some(5));
}

/// STORE-A2: what head office has shipped cannot be cancelled, and nothing changes.
#[tokio::test]
async fn store_a2_not_cancelled_after_shipping() {
    let store = Store::open().await;
    let order = store.order_and_ship(10).await;
    for _ in 0..2 {
        // The first may come before replenishment has heard of the shipment: then it is delivery that refuses.
        let refused = store.cancel_order(&order).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "DELIVERY_ALREADY_SHIPPED"));
    }
    store.stocked(COLA, 10).await;
    store.on_board(&order, "RECEIVED", "SHIPPED").await;
    assert_eq!(store.delivery(&order).await.unwrap().status(), DeliveryStatus::Shipped);
}

/// STORE-A3, STORE-F4 (a customer purchases), STORE-F5 (that changes the stock), STORE-F7 (a cancellation changes it
/// back); and the sales of the day on the board.
#[tokio::test]
async fn store_a3_purchased_and_cancelled() {
    let store = Store::open().await;
    store.receive(COLA, 10).await;
    let purchase = store.buy(COLA, 3).await;
    assert_eq!((purchase.status(), purchase.total.as_ref().unwrap().units), (PurchaseStatus::Purchased, 3600));
    store.stocked(COLA, 7).await;
    let kept = store.buy(COLA, 2).await;
    store.stocked(COLA, 5).await;

    let cancelled = store.cancel_purchase(&purchase).await;
    assert_eq!((cancelled.status(), cancelled.cancel_reason()), (PurchaseStatus::Cancelled, CancelReason::Customer));
    store.stocked(COLA, 8).await;
    assert_eq!(store.cancel_purchase(&purchase).await, cancelled, "cancelling twice is no error");
    store.traced(&of_purchase(&purchase), "CANCELLED").await;
    let trace = store.traced_once(&of_purchase(&kept), &["Purchased", "StockWithdrawn"]).await;
    assert_eq!(trace.status, "PURCHASED");
    let sold = eventually("the sales", || async {
        let days = store.sales_since(&purchase).await;
        let sum = |of: fn(&BoardSales) -> i64| days.iter().map(of).sum::<i64>();
        let sold = (sum(|day| day.purchases), sum(|day| day.cancellations));
        let left = (sum(|day| day.pieces), sum(|day| day.amounts.iter().map(|amount| amount.units).sum()));
        (sold == (2, 1)).then_some(left)
    })
    .await;
    assert_eq!(sold, (2, 2400));
}

/// STORE-A4, STORE-X3: what there is not enough of is not sold, and nothing comes back that was never taken.
/// STORE-X5: what nobody ever received is not sold either.
#[tokio::test]
async fn store_a4_a_purchase_of_more_than_there_is() {
    let store = Store::open().await;
    store.receive(COLA, 10).await;
    for (sku, left) in [(COLA, 10), ("no-such-thing", 0)] {
        let purchase = store.buy(sku, 11).await;
        assert_eq!(purchase.status(), PurchaseStatus::Purchased, "taken first, and checked then");
        assert_eq!(store.given_up(&purchase).await.cancel_reason(), CancelReason::OutOfStock);
        // Another purchase behind it: by the time it has what it wants, the first one's cancellation was heard.
        let after = store.buy(sku, 1).await;
        match left {
            0 => assert_eq!(store.given_up(&after).await.cancel_reason(), CancelReason::OutOfStock),
            _ => store.stocked(sku, left - 1).await,
        }
        let trace = store.traced_once(&of_purchase(&purchase), &["StockShort", "PurchaseCancelled"]).await;
        assert_eq!(count(&trace, "StockReturned"), 0);
    }
    assert_eq!((store.on_hand(COLA).await, store.on_hand("no-such-thing").await), (Some(9), Some(0)));
    let told = eventually("the owner is told", || async {
        let told = store.notifications(SHOP).await;
        (told.iter().filter(|it| it.event == "StockShort").count() == 3).then_some(told)
    })
    .await;
    let short: Vec<_> = told.iter().filter(|it| it.event == "StockShort").map(|it| it.text.as_str()).collect();
    assert!(short.iter().all(|text| text.starts_with("재고가 부족합니다")), "{short:?}");
}

/// Only the mesh itself cancels what delivery has not heard of: nobody else keeps a delivery from ever coming about.
#[tokio::test]
async fn a_stranger_cancels_no_delivery_in_advance() {
    let store = Store::open().await;
    let order = reference("replenishment", &Uuid::now_v7().to_string());
    let target = Some(cancel_delivery_request::Target::Order(order.clone()));
    let mut request =
        tonic::Request::new(CancelDeliveryRequest { target, shop_id: store.name(), ..Default::default() });
    request.metadata_mut().insert("x-highstreet-caller", "context:replenishment".parse().unwrap());
    let refused = store.head_office().cancel_delivery(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "DELIVERY_NOT_FOUND"));
    let list = ListDeliveriesRequest { shop_id: store.name(), order: Some(order), ..Default::default() };
    assert!(store.head_office().list_deliveries(list).await.unwrap().into_inner().deliveries.is_empty());
}

/// STORE-A7: an order is cancelled before delivery has heard of it: the delivery was cancelled and never scheduled, and
/// stays so when it hears of the order.
#[tokio::test]
async fn store_a7_a_cancel_that_overtakes_the_order_wins() {
    let store = Store::open().await;
    let at_once = async {
        let order = store.order(10).await;
        assert_eq!(store.cancel_order(&order).await.unwrap().status(), OrderStatus::Cancelled);
        order
    };
    let order = store.without_news(at_once).await;
    let cancelled = |trace: &Trace| count(trace, "DeliveryCancelled") == 1;
    let look = || async { store.trace(&of_order(&order)).await.filter(cancelled) };
    let trace = eventually("its delivery on the trace", look).await;
    assert_eq!(count(&trace, "DeliveryScheduled"), 0);
    // Behind it: by the time this one is scheduled, delivery has heard of the other.
    let behind = store.order(1).await;
    store.scheduled(&behind).await;
    let delivery = store.delivery(&order).await.unwrap();
    assert_eq!((delivery.status(), delivery.order.as_ref()), (DeliveryStatus::Cancelled, trace.order.as_ref()));
    assert_eq!(reason(&store.ship(&delivery).await.unwrap_err()), "ALREADY_CANCELLED");
}

/// STORE-A7, STORE-N1, STORE-X1, STORE-X4: thirty orders are cancelled the moment they are placed, in a store that
/// ships at once. Whoever is first wins, and order, delivery and stock agree on who that was.
#[tokio::test]
async fn store_a7_cancellations_race_shipments() {
    let store = Store::with(ShopArgs { auto_ship: true, ..ShopArgs::standard() }).await;
    let racing = (0..30).map(|_| async {
        let order = store.order(10).await;
        let answer = store.cancel_order(&order).await;
        (order, answer)
    });
    let mut shipped = 0;
    for (order, answer) in futures_util::future::join_all(racing).await {
        match answer {
            Ok(cancelled) => {
                assert_eq!(cancelled.status(), OrderStatus::Cancelled);
                let trace = store.traced(&of_order(&order), "CANCELLED").await;
                assert_eq!((count(&trace, "Shipped"), count(&trace, "StockReceived")), (0, 0));
                assert_eq!(store.delivery(&order).await.unwrap().status(), DeliveryStatus::Cancelled);
            }
            Err(refused) => {
                assert_eq!(reason(&refused), "DELIVERY_ALREADY_SHIPPED");
                store.on_board(&order, "RECEIVED", "SHIPPED").await;
                let trace = store.traced(&of_order(&order), "RECEIVED").await;
                assert_eq!(count(&trace, "OrderCancelled"), 0);
                shipped += 1;
            }
        }
    }
    // One more, which nobody cancels: what is in stock is what was shipped.
    store.order(1).await;
    store.stocked(COLA, 10 * shipped + 1).await;
}

/// STORE-F9, STORE-N5: the owner is told of every change of order, delivery, stock and purchase, once each.
#[tokio::test]
async fn store_f9_the_owner_is_told_of_every_change_once() {
    let store = Store::open().await;
    let order = store.order_and_ship(10).await;
    store.arrive(&store.delivery(&order).await.unwrap()).await;
    store.stocked(COLA, 10).await;
    let dropped = store.order(1).await;
    store.scheduled(&dropped).await;
    store.cancel_order(&dropped).await.unwrap();
    let purchase = store.buy(COLA, 6).await;
    store.stocked(COLA, 4).await;
    store.cancel_purchase(&purchase).await;
    store.stocked(COLA, 10).await;
    store.given_up(&store.buy(COLA, 11).await).await;

    let expected = [
        ("Delivered", "배송이 완료", 1),
        ("DeliveryScheduled", "배송이 준비", 2),
        ("OrderCancelled", "발주가 취소", 1),
        ("OrderPlaced", "발주가 접수", 2),
        ("OrderReceived", "발주하신 상품이 입고", 1),
        ("OrderShipped", "발주하신 상품이 출고", 1),
        ("PurchaseCancelled", "구매가 ", 2),
        ("Purchased", "구매가 등록", 2),
        ("StockLow", "재고가 얼마 남지", 1),
        ("StockShort", "재고가 부족", 1),
    ];
    let told = store.told(expected.iter().map(|(_, _, times)| times).sum()).await;
    let mut counted = BTreeMap::new();
    for letter in &told {
        let (_, begins, _) = expected.iter().find(|(event, ..)| *event == letter.event).unwrap();
        assert!(letter.text.starts_with(begins), "{}: {}", letter.event, letter.text);
        *counted.entry(letter.event.as_str()).or_insert(0) += 1;
    }
    assert_eq!(counted, expected.iter().map(|(event, _, times)| (*event, *times)).collect());
}

/// Two hundred customers buy the last twenty at once: twenty purchases stand, and the stock is not oversold.
#[tokio::test]
async fn the_last_twenty_are_sold_once_each() {
    let store = Store::open().await;
    store.receive(COLA, 20).await;
    let buying = (0..200).map(|_| async {
        store.sales().record_purchase(store.purchase_of(COLA, 1)).await.unwrap().into_inner().purchase.unwrap()
    });
    let purchases = futures_util::future::join_all(buying).await;
    let decided = |trace: &Trace| count(trace, "StockWithdrawn") + count(trace, "PurchaseCancelled") == 1;
    let mut stand = 0;
    for purchase in &purchases {
        let root = of_purchase(purchase);
        eventually("stock has answered", || async { store.trace(&root).await.filter(decided) }).await;
        stand += usize::from(store.get_purchase(purchase).await.status() == PurchaseStatus::Purchased);
    }
    assert_eq!((stand, store.on_hand(COLA).await), (20, Some(0)));
}

/// STORE-F8: the owner queries orders by status, newest first.
#[tokio::test]
async fn store_f8_orders_are_listed_by_status() {
    let store = Store::open().await;
    let (first, second, third) = (store.order(1).await, store.order(2).await, store.order(3).await);
    store.cancel_order(&second).await.unwrap();
    for (status, expected) in [(OrderStatus::Placed, vec![&third, &first]), (OrderStatus::Cancelled, vec![&second])] {
        let request = ListOrdersRequest { shop_id: store.name(), status: status.into(), ..Default::default() };
        let orders = store.replenishment().list_orders(request).await.unwrap().into_inner().orders;
        let listed: Vec<_> = orders.iter().map(|order| &order.order_id).collect();
        assert_eq!(listed, expected.iter().map(|order| &order.order_id).collect::<Vec<_>>());
    }
}
