//! A shop in which Mina has done everything there is to do.

use std::collections::BTreeMap;

use highstreet_identity::Role;
use serde_json::{Value, json};

use crate::common::eventually;
use crate::guest::Guest;
use crate::people::{MINA, MINE};

/// What there is: field by field, what requests about it say.
pub(crate) struct Shop(BTreeMap<(&'static str, &'static str), Value>);

/// Everything a shop's own people may do.
pub(crate) const EVERYBODY: [Role; 4] = [Role::Customer, Role::Staff, Role::Owner, Role::HeadOffice];

fn won(units: i64) -> Value {
    json!({"currencyCode": "KRW", "units": units.to_string()})
}

// === impl Shop ===

impl Shop {
    /// Plays all of it, as `everybody`.
    pub(crate) async fn open(everybody: &Guest) -> Self {
        let mut shop = Self(BTreeMap::new());
        shop.cafe(everybody).await;
        shop.store(everybody).await;
        shop.cinema(everybody).await;
        shop
    }

    /// What a request to `context` says in `field`; `None` where nothing special is known.
    pub(crate) fn says(&self, context: &str, field: &str) -> Option<Value> {
        let of = |context| self.0.iter().find(|((of, known), _)| *of == context && *known == field);
        of(context).or_else(|| of("")).map(|(_, value)| value.clone())
    }

    fn note(&mut self, context: &'static str, field: &'static str, value: &Value) {
        assert!(value.as_str().is_none_or(|text| !text.is_empty()), "{context} {field} is empty");
        self.0.insert((context, field), value.clone());
    }

    async fn cafe(&mut self, all: &Guest) {
        let line = json!({"productId": "latte", "productName": "Latte", "quantity": 1, "unitPrice": won(4500)});
        let place = json!({
            "shopId": MINE, "customerPhone": MINA, "lines": [line], "paymentMethod": "PAYMENT_METHOD_CARD",
        });
        let order = all.call("ordering.v1.OrderingService/PlaceOrder", place).await.unwrap()["order"].take();
        let payment = order["paymentId"].clone();
        all.call("payment.v1.PaymentService/Pay", json!({"paymentId": payment})).await.unwrap();
        let made = found(all, "kitchen.v1.KitchenService/ListPreparations", "preparations").await;
        let ready = json!({"preparationId": made["preparationId"]});
        all.call("kitchen.v1.KitchenService/CompletePreparation", ready).await.unwrap();
        let delivery = found(all, "delivery.v1.DeliveryService/ListDeliveries", "deliveries").await;
        let message = found(all, "notification.v1.NotificationService/ListNotifications", "notifications").await;
        let traced = json!({"context": "ordering", "id": order["orderId"]});
        eventually("it is traced", || async {
            all.call("tracking.v1.TrackingService/GetTrace", json!({"order": traced})).await.ok()
        })
        .await;
        self.note("ordering", "order_id", &order["orderId"]);
        self.note("payment", "payment_id", &payment);
        self.note("kitchen", "preparation_id", &made["preparationId"]);
        self.note("delivery", "delivery_id", &delivery["deliveryId"]);
        self.note("notification", "notification_id", &message["notificationId"]);
        self.note("tracking", "order", &traced);
    }

    async fn store(&mut self, all: &Guest) {
        let receive =
            |sku: &str| json!({"shopId": MINE, "sku": sku, "productName": sku, "quantity": 9, "unitPrice": won(1000)});
        for sku in ["cola", "rust-book"] {
            all.call("inventory.v1.InventoryService/ReceiveStock", receive(sku)).await.unwrap();
        }
        let buy = json!({
            "shopId": MINE, "sku": "cola", "quantity": 1, "unitPrice": won(1000), "customerName": MINA,
        });
        let purchase = all.call("sales.v1.SalesService/RecordPurchase", buy).await.unwrap()["purchase"].take();
        let order = json!({
            "shopId": MINE, "sku": "cola", "productName": "Cola", "quantity": 1, "unitPrice": won(1000),
        });
        let order = all.call("replenishment.v1.ReplenishmentService/PlaceOrder", order).await.unwrap()["order"].take();
        let reserve = json!({"shopId": MINE, "userId": MINA, "bookId": "rust-book"});
        let reserved = all.call("lending.v1.LendingService/RequestReservation", reserve).await.unwrap();
        self.note("sales", "purchase_id", &purchase["purchaseId"]);
        self.note("replenishment", "order_id", &order["orderId"]);
        self.note("lending", "reservation_id", &reserved["reservation"]["reservationId"]);
        self.note("inventory", "sku", &json!("cola"));
    }

    async fn cinema(&mut self, all: &Guest) {
        let book = json!({
            "shopId": MINE, "customer": MINA, "screeningId": "soul", "seats": ["1A"], "quantity": 1,
            "totalPrice": won(10_000), "paymentMethod": "PAYMENT_METHOD_CARD",
        });
        let booking = all.call("booking.v1.BookingService/CreateBooking", book).await.unwrap()["booking"].take();
        let ticket = found(all, "ticketing.v1.TicketingService/ListTickets", "tickets").await;
        self.note("booking", "booking_id", &booking["bookingId"]);
        self.note("ticketing", "ticket_id", &ticket["ticketId"]);
        self.note("seating", "screening_id", &json!("soul"));
        self.note("seating", "booking_id", &booking["bookingId"]);
        self.note("", "seats", &json!(["1A"]));
        self.note("", "program", &json!("PROGRAM_STAMPS"));
        self.note("", "reference", &json!({"context": "ordering", "id": "1"}));
    }
}

/// The first that a list of the shop shows, once there is one.
async fn found(all: &Guest, rpc: &str, list: &str) -> Value {
    eventually(rpc, || async {
        let listed = all.call(rpc, json!({"shopId": MINE})).await.ok()?;
        listed[list].get(0).cloned()
    })
    .await
}
