//! A day at the convenience store: goods from head office to the shelf, what is sold, what cannot be, and what is called
//! off.

use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::inventory::{AdjustStockRequest, GetStockRequest};
use highstreet_wire::proto::replenishment::replenishment_service_client::ReplenishmentServiceClient;
use highstreet_wire::proto::replenishment::{CancelOrderRequest, Order, OrderStatus, PlaceOrderRequest};
use highstreet_wire::proto::sales::sales_service_client::SalesServiceClient;
use highstreet_wire::proto::sales::{
    CancelPurchaseRequest, CancelReason, GetPurchaseRequest, Purchase, PurchaseStatus, RecordPurchaseRequest,
};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{Board, GetBoardRequest};
use prost_types::Timestamp;
use tonic::Status;

use super::visitor::{Played, Visitor, eventually, expect, expect_refusal, fresh_id, fresh_name, won};
use super::{errands, tell};
use crate::client::Channel;

/// In seconds.
const DAY: i64 = 24 * 60 * 60;
const SKU: &str = "milk";
const NAME: &str = "Milk";
/// What the store pays for one, in won.
const COST: i64 = 1200;
/// What customers pay for one, in won.
const PRICE: i64 = 1800;
const CUSTOMER: &str = "Mina";

struct Store {
    visitor: Visitor,
}

pub(super) async fn play(channel: Channel) -> Played {
    let shop = fresh_name("gs25");
    tell::story(&format!("Convenience store {shop}"));
    // A store of this play's own: everything that happens in it belongs to the story.
    let mut store = Store { visitor: Visitor::enter(channel, &shop, "").await? };

    tell::chapter("Ten milks, from head office to the shelf");
    store.replenish().await?;

    tell::chapter("Six are sold; the next customer wants more than there are");
    let sold = store.sell(6).await?;
    store.visitor.hear(&sold.purchase_id, "StockWithdrawn").await?;
    store.count_stock(4).await?;
    store.sell_too_many(20).await?;

    tell::chapter("The six come back, and the next order is called off");
    store.take_back(&sold).await?;
    store.call_off_an_order().await?;

    tell::chapter("What the owner sees of it");
    store.look_at_the_board().await?;
    let told = [
        ["OrderPlaced", "DeliveryScheduled", "OrderShipped", "OrderReceived"].as_slice(),
        &["Purchased", "StockLow", "Purchased", "StockShort", "PurchaseCancelled"],
        &["PurchaseCancelled", "OrderPlaced", "DeliveryScheduled", "OrderCancelled"],
    ];
    store.visitor.read_messages("owner", "owner", &told.concat()).await
}

// === impl Store ===

impl Store {
    async fn replenish(&mut self) -> Played {
        let order = self.order(10).await?;
        let reference = Reference { context: "replenishment".into(), id: order.order_id.clone() };
        errands::ship(&self.visitor, "head office", reference).await?;
        let events = ["OrderPlaced", "DeliveryScheduled", "Shipped", "OrderShipped", "StockReceived", "OrderReceived"];
        self.visitor.conclude(&order.order_id, "RECEIVED", &events).await?;
        self.count_stock(10).await?;
        self.set_reorder_point(5).await?;
        let answer = self.cancel(&order).await;
        expect_refusal("owner", "CancelOrder, too late", answer, "DELIVERY_ALREADY_SHIPPED")
    }

    async fn sell_too_many(&mut self, quantity: i32) -> Played {
        let wanted = self.sell(quantity).await?;
        let events = ["Purchased", "StockShort", "PurchaseCancelled"];
        self.visitor.conclude(&wanted.purchase_id, "CANCELLED", &events).await?;
        let request = GetPurchaseRequest { purchase_id: wanted.purchase_id };
        let getting = self
            .visitor
            .ask(request, async |channel, request| SalesServiceClient::new(channel).get_purchase(request).await);
        let purchase = getting.await?.purchase.unwrap_or_default();
        let reason = purchase.cancel_reason().as_str_name().trim_start_matches("CANCEL_REASON_");
        tell::call("cashier", "GetPurchase", &format!("{}, {reason}", tell::name(purchase.status().as_str_name())));
        expect("the reason", &purchase.cancel_reason(), &CancelReason::OutOfStock)?;
        self.count_stock(4).await
    }

    async fn take_back(&mut self, sold: &Purchase) -> Played {
        let request = CancelPurchaseRequest {
            purchase_id: sold.purchase_id.clone(),
            reason: "the wrong milk".into(),
            request_id: fresh_id(),
            ..CancelPurchaseRequest::default()
        };
        let cancelling = self
            .visitor
            .ask(request, async |channel, request| SalesServiceClient::new(channel).cancel_purchase(request).await);
        let status = cancelling.await?.purchase.unwrap_or_default().status();
        tell::call("cashier", "CancelPurchase", tell::name(status.as_str_name()));
        expect("the purchase", &status, &PurchaseStatus::Cancelled)?;
        let events = ["Purchased", "StockWithdrawn", "PurchaseCancelled", "StockReturned"];
        self.visitor.conclude(&sold.purchase_id, "CANCELLED", &events).await?;
        self.count_stock(10).await
    }

    async fn call_off_an_order(&mut self) -> Played {
        let order = self.order(5).await?;
        let status = self.cancel(&order).await?.status();
        tell::call("owner", "CancelOrder", tell::name(status.as_str_name()));
        expect("the order", &status, &OrderStatus::Cancelled)?;
        let events =
            ["OrderPlaced", "DeliveryScheduled", "OrderCancellationRequested", "DeliveryCancelled", "OrderCancelled"];
        self.visitor.conclude(&order.order_id, "CANCELLED", &events).await?;
        self.count_stock(10).await
    }

    async fn order(&mut self, quantity: i32) -> Played<Order> {
        let request = PlaceOrderRequest {
            shop_id: self.visitor.shop(),
            sku: SKU.into(),
            product_name: NAME.into(),
            quantity,
            unit_price: Some(won(COST)),
            request_id: fresh_id(),
        };
        let placing = self
            .visitor
            .ask(request, async |channel, request| ReplenishmentServiceClient::new(channel).place_order(request).await);
        let order = placing.await?.order.unwrap_or_default();
        let what = format!("PlaceOrder {quantity} × {NAME}");
        tell::call("owner", &what, tell::name(order.status().as_str_name()));
        self.visitor.hear(&order.order_id, "DeliveryScheduled").await?;
        Ok(order)
    }

    async fn cancel(&self, order: &Order) -> Result<Order, Status> {
        let request = CancelOrderRequest {
            order_id: order.order_id.clone(),
            reason: "ordered too much".into(),
            request_id: fresh_id(),
            ..CancelOrderRequest::default()
        };
        let cancelling = self.visitor.ask(request, async |channel, request| {
            ReplenishmentServiceClient::new(channel).cancel_order(request).await
        });
        Ok(cancelling.await?.order.unwrap_or_default())
    }

    async fn sell(&mut self, quantity: i32) -> Played<Purchase> {
        let request = RecordPurchaseRequest {
            shop_id: self.visitor.shop(),
            sku: SKU.into(),
            quantity,
            unit_price: Some(won(PRICE)),
            customer_name: CUSTOMER.into(),
            request_id: fresh_id(),
        };
        let selling = self
            .visitor
            .ask(request, async |channel, request| SalesServiceClient::new(channel).record_purchase(request).await);
        let purchase = selling.await?.purchase.unwrap_or_default();
        let what = format!("RecordPurchase {quantity} × {NAME}");
        tell::call("cashier", &what, tell::name(purchase.status().as_str_name()));
        expect("the purchase", &purchase.status(), &PurchaseStatus::Purchased)?;
        Ok(purchase)
    }

    async fn count_stock(&self, wanted: i64) -> Played {
        let request = GetStockRequest { shop_id: self.visitor.shop(), sku: SKU.into() };
        let asking = self
            .visitor
            .ask(request, async |channel, request| InventoryServiceClient::new(channel).get_stock(request).await);
        let stock = asking.await?.stock.unwrap_or_default();
        tell::call("owner", "GetStock", &format!("{} on hand", stock.on_hand));
        expect("the stock", &stock.on_hand, &wanted)
    }

    async fn set_reorder_point(&self, reorder_point: i32) -> Played {
        let request = AdjustStockRequest {
            shop_id: self.visitor.shop(),
            sku: SKU.into(),
            reason: "to be told in time".into(),
            reorder_point: Some(reorder_point),
            ..AdjustStockRequest::default()
        };
        let adjusting = self
            .visitor
            .ask(request, async |channel, request| InventoryServiceClient::new(channel).adjust_stock(request).await);
        let stock = adjusting.await?.stock.unwrap_or_default();
        tell::call("owner", "AdjustStock, its reorder point", &format!("low at {}", stock.reorder_point));
        expect("the reorder point", &stock.reorder_point, &reorder_point.into())
    }

    async fn look_at_the_board(&self) -> Played {
        let settled = async || {
            let board = self.board("").await?;
            // Midnight may have come since the first sale.
            let before = self.board(&day_before(&board)).await?;
            Ok(is_settled(&board, &before).then_some(board))
        };
        let board = eventually("a board with all of it", settled).await?;
        tell::call("owner", "GetBoard", "orders, stock and sales of the day");
        tell::board(&board);
        println!();
        Ok(())
    }

    /// The board, with the sales of this day; of today if `date` is empty.
    async fn board(&self, date: &str) -> Result<Board, Status> {
        let request = GetBoardRequest { shop_id: self.visitor.shop(), date: date.into() };
        let asking = self
            .visitor
            .ask(request, async |channel, request| TrackingServiceClient::new(channel).get_board(request).await);
        Ok(asking.await?.board.unwrap_or_default())
    }
}

/// The date of the day before the one whose sales a board shows; empty if it shows none.
fn day_before(board: &Board) -> String {
    let date = board.sales.as_ref().map_or("", |it| it.date.as_str());
    let midnight = format!("{date}T00:00:00Z").parse::<Timestamp>();
    midnight.map_or_else(|_| String::new(), |it| date_of(Timestamp { seconds: it.seconds - DAY, nanos: 0 }))
}

fn date_of(time: Timestamp) -> String {
    time.to_string().chars().take_while(|c| *c != 'T').collect()
}

/// Whether the board shows everything that happened, with what was sold the day before: its read models follow at
/// their own pace.
fn is_settled(board: &Board, before: &Board) -> bool {
    let orders: Vec<_> = board.orders.iter().map(|it| (it.status.as_str(), it.delivery_status.as_str())).collect();
    let stock: Vec<_> = board.stock.iter().map(|it| (it.on_hand, it.low)).collect();
    let days = || [board, before].into_iter().filter_map(|it| it.sales.as_ref());
    let sales: (i64, i64) = (days().map(|it| it.purchases).sum(), days().map(|it| it.cancellations).sum());
    orders == [("CANCELLED", "CANCELLED"), ("RECEIVED", "SHIPPED")] && stock == [(10, false)] && sales == (2, 2)
}
