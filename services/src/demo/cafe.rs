//! A morning at the coffee shop: an order from the counter to the customer's door, a cancellation that comes too late,
//! and an order that is called off.

use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{CompleteDeliveryRequest, DeliveryStatus};
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::kitchen::{CompletePreparationRequest, ListPreparationsRequest, PreparationStatus};
use highstreet_wire::proto::loyalty::Program;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{CancelOrderRequest, Order, OrderLine, OrderStatus, PlaceOrderRequest};
use tonic::Status;

use super::visitor::{Played, Unexpected, Visitor, expect, expect_refusal, fresh_id, fresh_phone, won};
use super::{errands, tell};
use crate::client::Channel;

const SHOP: &str = "skanu";

/// What customers order.
#[derive(Clone, Copy)]
struct Drink {
    id: &'static str,
    name: &'static str,
    won: i64,
}

const LATTE: Drink = Drink { id: "latte", name: "Latte", won: 4500 };
const ESPRESSO: Drink = Drink { id: "espresso", name: "Espresso", won: 3000 };

/// What an order that was paid leads to before anybody does anything more.
const PAID: [&str; 6] =
    ["OrderPlaced", "PaymentRequested", "PaymentApproved", "OrderPaid", "PreparationStarted", "Earned"];

/// What a cancellation leads to after that: the delivery, too, if it was not even scheduled.
const UNDONE: [&str; 6] =
    ["OrderCancelled", "PaymentCancelled", "PaymentRefunded", "PreparationCancelled", "DeliveryCancelled", "Reversed"];

struct Cafe {
    visitor: Visitor,
    customer: String,
}

pub(super) async fn play(channel: Channel) -> Played {
    tell::story("Coffee shop SKANU");
    let customer = fresh_phone();
    let visitor = Visitor::enter(channel, SHOP, &customer).await?;
    let mut cafe = Cafe { visitor, customer };

    tell::chapter("Two lattes, from the counter to the door");
    let order = cafe.order(LATTE, 2).await?;
    cafe.pay(&order).await?;
    cafe.make(&order).await?;
    cafe.deliver(&order).await?;
    let events = [&PAID[..], &["PreparationReady", "DeliveryScheduled", "Shipped", "Delivered", "OrderCompleted"]];
    cafe.visitor.conclude(&order.order_id, "COMPLETED", &events.concat()).await?;
    cafe.count_stamps(2).await?;
    let answer = cafe.call_off(&order).await;
    expect_refusal("customer", "CancelOrder, too late", answer, "ORDER_ALREADY_COMPLETED")?;

    tell::chapter("One espresso, paid and called off");
    let order = cafe.order(ESPRESSO, 1).await?;
    cafe.pay(&order).await?;
    cafe.count_stamps(3).await?;
    cafe.cancel(&order).await?;
    cafe.visitor.conclude(&order.order_id, "CANCELLED", &[PAID, UNDONE].concat()).await?;
    cafe.count_stamps(2).await?;
    let told = [
        ["OrderPlaced", "OrderPaid", "PreparationReady", "OrderCompleted"].as_slice(),
        &["OrderPlaced", "OrderPaid", "OrderCancelled"],
    ];
    cafe.visitor.read_messages("customer", &cafe.customer, &told.concat()).await
}

// === impl Cafe ===

impl Cafe {
    async fn order(&mut self, drink: Drink, quantity: i32) -> Played<Order> {
        let line = OrderLine {
            product_id: drink.id.into(),
            product_name: drink.name.into(),
            quantity,
            unit_price: Some(won(drink.won)),
        };
        let request = PlaceOrderRequest {
            shop_id: SHOP.into(),
            customer_phone: self.customer.clone(),
            lines: vec![line],
            payment_method: PaymentMethod::Card.into(),
            request_id: fresh_id(),
        };
        let placing = self
            .visitor
            .ask(request, async |channel, request| OrderingServiceClient::new(channel).place_order(request).await);
        let order = placing.await?.order.unwrap_or_default();
        let total = order.total.clone().unwrap_or_default();
        let answer = format!("{}, {} {}", tell::name(order.status().as_str_name()), total.units, total.currency_code);
        tell::call("customer", &format!("PlaceOrder {quantity} × {}", drink.name), &answer);
        self.visitor.hear(&order.order_id, "OrderPlaced").await?;
        Ok(order)
    }

    async fn pay(&mut self, order: &Order) -> Played {
        errands::pay(&self.visitor, &order.payment_id).await?;
        self.visitor.hear(&order.order_id, "PreparationStarted").await?;
        self.visitor.hear(&order.order_id, "Earned").await
    }

    async fn make(&mut self, order: &Order) -> Played {
        let request = ListPreparationsRequest {
            shop_id: SHOP.into(),
            status: PreparationStatus::Preparing.into(),
            page_size: 1000,
            ..ListPreparationsRequest::default()
        };
        let listing = self
            .visitor
            .ask(request, async |channel, request| KitchenServiceClient::new(channel).list_preparations(request).await);
        let preparations = listing.await?.preparations;
        let mine = preparations.iter().find(|it| it.order.as_ref().is_some_and(|it| it.id == order.order_id));
        let mine = mine.ok_or_else(|| Unexpected::new("the kitchen does not list the order".into()))?;
        let preparation_id = mine.preparation_id.clone();
        let request = CompletePreparationRequest { preparation_id, ..CompletePreparationRequest::default() };
        let completing = self.visitor.ask(request, async |channel, request| {
            KitchenServiceClient::new(channel).complete_preparation(request).await
        });
        let status = completing.await?.preparation.unwrap_or_default().status();
        tell::call("barista", "CompletePreparation", tell::name(status.as_str_name()));
        expect("the preparation", &status, &PreparationStatus::Ready)?;
        self.visitor.hear(&order.order_id, "DeliveryScheduled").await
    }

    async fn deliver(&mut self, order: &Order) -> Played {
        let reference = Reference { context: "ordering".into(), id: order.order_id.clone() };
        let delivery_id = errands::ship(&self.visitor, "courier", reference).await?;
        let request = CompleteDeliveryRequest { delivery_id, ..CompleteDeliveryRequest::default() };
        let completing = self.visitor.ask(request, async |channel, request| {
            DeliveryServiceClient::new(channel).complete_delivery(request).await
        });
        let status = completing.await?.delivery.unwrap_or_default().status();
        tell::call("courier", "CompleteDelivery", tell::name(status.as_str_name()));
        expect("the delivery", &status, &DeliveryStatus::Delivered)
    }

    async fn cancel(&mut self, order: &Order) -> Played {
        let status = self.call_off(order).await?.status();
        tell::call("customer", "CancelOrder", tell::name(status.as_str_name()));
        expect("the order", &status, &OrderStatus::Cancelled)
    }

    async fn call_off(&self, order: &Order) -> Result<Order, Status> {
        let request = CancelOrderRequest {
            order_id: order.order_id.clone(),
            reason: "changed my mind".into(),
            request_id: fresh_id(),
            ..CancelOrderRequest::default()
        };
        let cancelling = self
            .visitor
            .ask(request, async |channel, request| OrderingServiceClient::new(channel).cancel_order(request).await);
        Ok(cancelling.await?.order.unwrap_or_default())
    }

    async fn count_stamps(&self, wanted: i64) -> Played {
        errands::count(&self.visitor, Program::Stamps, &self.customer, wanted).await
    }
}
