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
        self.keeps(|| async {
            let request_id = Uuid::now_v7().to_string();
            let request = PlaceOrderRequest {
                shop_id: STORE.into(),
                sku: GOODS[self.dice.below(GOODS.len())].into(),
                product_name: request_id.clone(),
                quantity: count(1 + self.dice.below(5)),
                unit_price: Some(won(1000)),
                request_id: request_id.clone(),
            };
            let place = async |way, it| ReplenishmentServiceClient::new(way).place_order(it).await;
            let Some(placed) = self.asks("replenishment.PlaceOrder", &request, place, &[]).await else { return };
            let order_id = placed.order.unwrap().order_id;
            self.notes.answered(&request_id, "replenishment", &order_id);
            if self.dice.chance(30) {
                let request_id = Uuid::now_v7().to_string();
                let cancel = CancelOrderRequest { order_id: order_id.clone(), request_id, ..Default::default() };
                let call = async |way, it| ReplenishmentServiceClient::new(way).cancel_order(it).await;
                // It was shipped first.
                let refusals = [Code::FailedPrecondition];
                let cancelled = self.asks("replenishment.CancelOrder", &cancel, call, &refusals).await;
                if cancelled.is_some_and(|it| it.order.unwrap().status() == OrderStatus::Cancelled) {
                    self.notes.ended("replenishment", &order_id, "CANCELLED");
                }
            }
        })
        .await;
    }

    /// The head office ships what was ordered.
    pub(super) async fn ship_goods(self) {
        self.keeps(|| async {
            let status = DeliveryStatus::Preparing.into();
            let request = ListDeliveriesRequest { shop_id: STORE.into(), status, ..Default::default() };
            let list = async |way, it| DeliveryServiceClient::new(way).list_deliveries(it).await;
            let listed = self.asks("ListDeliveries", &request, list, &[]).await;
            for delivery in listed.into_iter().flat_map(|listed| listed.deliveries) {
                let request = ShipDeliveryRequest { delivery_id: delivery.delivery_id, ..Default::default() };
                let ship = async |way, it| DeliveryServiceClient::new(way).ship_delivery(it).await;
                if self.asks("ShipDelivery", &request, ship, &[Code::FailedPrecondition]).await.is_some() {
                    self.notes.ended("replenishment", &delivery.order.unwrap().id, "RECEIVED");
                }
                if self.is_closing() {
                    return;
                }
            }
        })
        .await;
    }

    /// A customer buys, and sometimes brings it back.
    pub(super) async fn shop(self) {
        self.keeps(|| async {
            let request_id = Uuid::now_v7().to_string();
            let request = RecordPurchaseRequest {
                shop_id: STORE.into(),
                sku: GOODS[self.dice.below(GOODS.len())].into(),
                quantity: count(1 + self.dice.below(4)),
                unit_price: Some(won(1500)),
                customer_name: request_id.clone(),
                request_id: request_id.clone(),
            };
            let record = async |way, it| SalesServiceClient::new(way).record_purchase(it).await;
            let Some(recorded) = self.asks("RecordPurchase", &request, record, &[]).await else { return };
            let purchase_id = recorded.purchase.unwrap().purchase_id;
            self.notes.answered(&request_id, "sales", &purchase_id);
            if self.dice.chance(25) {
                let request_id = Uuid::now_v7().to_string();
                let cancel =
                    CancelPurchaseRequest { purchase_id: purchase_id.clone(), request_id, ..Default::default() };
                let call = async |way, it| SalesServiceClient::new(way).cancel_purchase(it).await;
                let cancelled = self.asks("CancelPurchase", &cancel, call, &[]).await;
                if cancelled.is_some_and(|it| it.purchase.unwrap().status() == PurchaseStatus::Cancelled) {
                    self.notes.ended("sales", &purchase_id, "CANCELLED");
                }
            }
        })
        .await;
    }
}
