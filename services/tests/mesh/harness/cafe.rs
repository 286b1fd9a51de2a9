//! The people of the coffee shop: customers who order, pay and change their minds, and staff who carry orders out.

use highstreet_wire::proto::delivery::{
    CompleteDeliveryRequest, Delivery, DeliveryStatus, ListDeliveriesRequest, ShipDeliveryRequest,
};
use highstreet_wire::proto::kitchen::{CompletePreparationRequest, ListPreparationsRequest, PreparationStatus};
use highstreet_wire::proto::ordering::Order;
use highstreet_wire::proto::payment::PaymentStatus;
use tokio::time::Instant;
use tonic::Code;

use super::SHOP;
use super::calls::{lattes, timed};
use super::load::Person;

// === impl Person ===

impl Person {
    pub(super) async fn order_and_pay(self, phone: String) {
        while !self.is_closing() {
            let began = Instant::now();
            if let Some((request_id, order)) = self.order(&phone).await {
                if self.dice.chance(80) {
                    self.pay(&request_id, &order).await;
                }
                if self.dice.chance(25) {
                    self.cancel(&request_id, &order).await;
                }
            }
            self.rests(began).await;
        }
    }

    async fn order(&self, phone: &str) -> Option<(String, Order)> {
        let request = lattes(1 + i32::try_from(self.dice.below(3)).unwrap(), phone);
        let request_id = request.request_id.clone();
        self.notes.note(&request_id, |requested| phone.clone_into(&mut requested.phone));
        let place = || {
            let (mut ordering, request) = (self.calls.ordering(), timed(request.clone()));
            async move { ordering.place_order(request).await }
        };
        let placed = self.heard("PlaceOrder", self.calls.insist("PlaceOrder", place).await, &[])?.order?;
        self.notes.note(&request_id, |requested| requested.order = Some(placed.clone()));
        Some((request_id, placed))
    }

    async fn pay(&self, request_id: &str, order: &Order) {
        let paid = self.calls.pay(order).await;
        if let Some(payment) = self.heard("Pay", paid, &[])
            && payment.status() == PaymentStatus::Approved
        {
            self.notes.note(request_id, |requested| requested.paid = true);
        }
    }

    async fn cancel(&self, request_id: &str, order: &Order) {
        let cancelled = self.calls.cancel(order).await;
        // It was brought to them first.
        if self.heard("CancelOrder", cancelled, &[Code::FailedPrecondition]).is_some() {
            self.notes.note(request_id, |requested| requested.cancelled = true);
        }
    }

    // === Staff: what they do not finish now they find again ===

    pub(super) async fn prepare(self) {
        while !self.is_closing() {
            let began = Instant::now();
            let request = ListPreparationsRequest {
                shop_id: SHOP.into(),
                status: PreparationStatus::Preparing.into(),
                ..Default::default()
            };
            let mut kitchen = self.calls.kitchen();
            let listed = self.calls.once("ListPreparations", kitchen.list_preparations(timed(request))).await;
            for preparation in self.heard("ListPreparations", listed, &[]).into_iter().flat_map(|it| it.preparations) {
                let preparation_id = preparation.preparation_id;
                let request = CompletePreparationRequest { preparation_id, ..Default::default() };
                let done = self.calls.once("CompletePreparation", kitchen.complete_preparation(timed(request))).await;
                self.heard("CompletePreparation", done, &[Code::FailedPrecondition]);
                if self.is_closing() {
                    return;
                }
            }
            self.rests(began).await;
        }
    }

    pub(super) async fn deliver(self) {
        while !self.is_closing() {
            let began = Instant::now();
            for delivery in self.deliveries(DeliveryStatus::Preparing).await {
                let (mut couriers, delivery_id) = (self.calls.couriers(), delivery.delivery_id);
                let request = ShipDeliveryRequest { delivery_id, ..Default::default() };
                let done = self.calls.once("ShipDelivery", couriers.ship_delivery(timed(request))).await;
                self.heard("ShipDelivery", done, &[Code::FailedPrecondition]);
                if self.is_closing() {
                    return;
                }
            }
            for delivery in self.deliveries(DeliveryStatus::Shipped).await {
                let (mut couriers, delivery_id) = (self.calls.couriers(), delivery.delivery_id);
                let request = CompleteDeliveryRequest { delivery_id, ..Default::default() };
                let done = self.calls.once("CompleteDelivery", couriers.complete_delivery(timed(request))).await;
                if self.heard("CompleteDelivery", done, &[Code::FailedPrecondition]).is_some() {
                    self.notes.said().delivered.insert(delivery.order.unwrap().id);
                }
                if self.is_closing() {
                    return;
                }
            }
            self.rests(began).await;
        }
    }

    async fn deliveries(&self, status: DeliveryStatus) -> Vec<Delivery> {
        let request = ListDeliveriesRequest { shop_id: SHOP.into(), status: status.into(), ..Default::default() };
        let mut couriers = self.calls.couriers();
        let listed = self.calls.once("ListDeliveries", couriers.list_deliveries(timed(request))).await;
        self.heard("ListDeliveries", listed, &[]).map(|listed| listed.deliveries).unwrap_or_default()
    }
}
