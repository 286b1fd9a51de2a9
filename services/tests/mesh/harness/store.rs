//! The people of the convenience store: its owner, the head office, and who buys there.

use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{DeliveryStatus, ListDeliveriesRequest, ShipDeliveryRequest};
use highstreet_wire::proto::replenishment::replenishment_service_client::ReplenishmentServiceClient;
use highstreet_wire::proto::replenishment::{CancelOrderRequest, OrderStatus, PlaceOrderRequest};
use highstreet_wire::proto::sales::sales_service_client::SalesServiceClient;
use highstreet_wire::proto::sales::{CancelPurchaseRequest, PurchaseStatus, RecordPurchaseRequest};
use tonic::Code;
use uuid::Uuid;

use super::calls::won;
use super::load::Person;
use super::{STORE, count};

/// Few, so that they run out.
const GOODS: [&str; 2] = ["milk", "ramen"];

// === impl Person ===

impl Person {
    /// The owner orders, and sometimes cancels.
    pub(super) async fn order_goods(self) {
        let me = &self;
        me.keeps(|number| async move {
            let request_id = Uuid::now_v7().to_string();
            let request = PlaceOrderRequest {
                shop_id: STORE.into(),
                sku: GOODS[number % 2].into(),
                product_name: request_id.clone(),
                quantity: count(1 + me.dice.below(5)),
                unit_price: Some(won(1000)),
                request_id: request_id.clone(),
            };
            let place = async |way, it| ReplenishmentServiceClient::new(way).place_order(it).await;
            let Some(placed) = me.asks("replenishment.PlaceOrder", &request, place, &[]).await else { return };
            let order_id = placed.order.unwrap().order_id;
            me.notes.answered(&request_id, "replenishment", &order_id);
            if number % 3 == 2 {
                let request_id = Uuid::now_v7().to_string();
                let cancel = CancelOrderRequest { order_id: order_id.clone(), request_id, ..Default::default() };
                let call = async |way, it| ReplenishmentServiceClient::new(way).cancel_order(it).await;
                // It was shipped first.
                let refusals = [Code::FailedPrecondition];
                let cancelled = me.asks("replenishment.CancelOrder", &cancel, call, &refusals).await;
                if cancelled.is_some_and(|it| it.order.unwrap().status() == OrderStatus::Cancelled) {
                    me.notes.ended("replenishment", &order_id, "CANCELLED");
                }
            }
        })
        .await;
    }

    /// The head office ships what was ordered.
    pub(super) async fn ship_goods(self) {
        let me = &self;
        me.keeps(|_| async move {
            let status = DeliveryStatus::Preparing.into();
            let request = ListDeliveriesRequest { shop_id: STORE.into(), status, ..Default::default() };
            let list = async |way, it| DeliveryServiceClient::new(way).list_deliveries(it).await;
            let listed = me.asks("ListDeliveries", &request, list, &[]).await;
            for delivery in listed.into_iter().flat_map(|listed| listed.deliveries) {
                let request = ShipDeliveryRequest { delivery_id: delivery.delivery_id, ..Default::default() };
                let ship = async |way, it| DeliveryServiceClient::new(way).ship_delivery(it).await;
                if me.asks("ShipDelivery", &request, ship, &[Code::FailedPrecondition]).await.is_some() {
                    me.notes.ended("replenishment", &delivery.order.unwrap().id, "RECEIVED");
                }
                if me.is_closing() {
                    return;
                }
            }
        })
        .await;
    }

    /// A customer buys, and sometimes brings it back.
    pub(super) async fn shop(self) {
        let me = &self;
        me.keeps(|number| async move {
            let request_id = Uuid::now_v7().to_string();
            let request = RecordPurchaseRequest {
                shop_id: STORE.into(),
                sku: GOODS[number % 2].into(),
                quantity: count(1 + me.dice.below(4)),
                unit_price: Some(won(1500)),
                customer_name: request_id.clone(),
                request_id: request_id.clone(),
            };
            let record = async |way, it| SalesServiceClient::new(way).record_purchase(it).await;
            let Some(recorded) = me.asks("RecordPurchase", &request, record, &[]).await else { return };
            let purchase_id = recorded.purchase.unwrap().purchase_id;
            me.notes.answered(&request_id, "sales", &purchase_id);
            if number % 4 == 3 {
                let request_id = Uuid::now_v7().to_string();
                let cancel =
                    CancelPurchaseRequest { purchase_id: purchase_id.clone(), request_id, ..Default::default() };
                let call = async |way, it| SalesServiceClient::new(way).cancel_purchase(it).await;
                let cancelled = me.asks("CancelPurchase", &cancel, call, &[]).await;
                if cancelled.is_some_and(|it| it.purchase.unwrap().status() == PurchaseStatus::Cancelled) {
                    me.notes.ended("sales", &purchase_id, "CANCELLED");
                }
            }
        })
        .await;
    }
}
