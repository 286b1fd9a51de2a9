//! A morning at the coffee shop: an order from the counter to the customer's door, one that is called off, and one
//! that comes too late.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{CompleteDeliveryRequest, ListDeliveriesRequest, ShipDeliveryRequest};
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::kitchen::{CompletePreparationRequest, ListPreparationsRequest, PreparationStatus};
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::loyalty::{GetAccountRequest, Program};
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{CancelOrderRequest, Order, OrderLine, OrderStatus, PlaceOrderRequest};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{PayRequest, PaymentStatus};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{Trace, WatchTracesRequest, WatchTracesResponse};
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

use super::tell;

const SHOP: &str = "skanu";
const PATIENCE: Duration = Duration::from_secs(10);

/// What customers order.
#[derive(Clone, Copy)]
struct Drink {
    id: &'static str,
    name: &'static str,
    won: i64,
}

const LATTE: Drink = Drink { id: "latte", name: "Latte", won: 4500 };
const ESPRESSO: Drink = Drink { id: "espresso", name: "Espresso", won: 3000 };

struct Cafe {
    channel: Channel,
    customer: String,
    watching: tonic::Streaming<WatchTracesResponse>,
    /// What the watch told last of each order.
    newest: HashMap<String, Trace>,
    told: HashSet<(String, String)>,
}

pub(super) async fn play(channel: Channel) -> Result<(), String> {
    let mut cafe = Cafe::open(channel).await.map_err(|status| tell::refused(&status))?;
    let played = async {
        tell::chapter("Two lattes, from the counter to the door");
        let order = cafe.order(LATTE, 2).await?;
        cafe.pay(&order).await?;
        cafe.make(&order).await?;
        cafe.deliver(&order).await?;
        tell::trace(&cafe.wait_for(&order, "COMPLETED").await?);
        cafe.count_stamps().await?;
        cafe.cancel_too_late(&order).await;

        tell::chapter("One espresso, paid and called off");
        let order = cafe.order(ESPRESSO, 1).await?;
        cafe.pay(&order).await?;
        cafe.cancel(&order).await?;
        cafe.wait_for_step(&order, "PaymentRefunded").await?;
        tell::trace(&cafe.wait_for(&order, "CANCELLED").await?);
        cafe.count_stamps().await
    };
    played.await.map_err(|status: Status| tell::refused(&status))
}

// === impl Cafe ===

impl Cafe {
    async fn open(channel: Channel) -> Result<Self, Status> {
        // A customer of this demo's own, so that it can be played again on the same server.
        let random = Uuid::now_v7().as_u128();
        let customer = format!("010-{:04}-{:04}", random % 10_000, (random / 10_000) % 10_000);
        let request = WatchTracesRequest { shop_id: SHOP.into(), customer: customer.clone(), since: String::new() };
        let watching = TrackingServiceClient::new(channel.clone()).watch_traces(request).await?.into_inner();
        Ok(Self { channel, customer, watching, newest: HashMap::new(), told: HashSet::new() })
    }

    async fn order(&mut self, drink: Drink, quantity: i32) -> Result<Order, Status> {
        let line = OrderLine {
            product_id: drink.id.into(),
            product_name: drink.name.into(),
            quantity,
            unit_price: Some(Money { currency_code: "KRW".into(), units: drink.won, nanos: 0 }),
        };
        let request = PlaceOrderRequest {
            shop_id: SHOP.into(),
            customer_phone: self.customer.clone(),
            lines: vec![line],
            payment_method: PaymentMethod::Card.into(),
            request_id: Uuid::now_v7().to_string(),
        };
        let response = OrderingServiceClient::new(self.channel.clone()).place_order(request).await?;
        let order = response.into_inner().order.unwrap_or_default();
        let total = order.total.clone().unwrap_or_default();
        let answer = format!("{} {} {}", name(order.status().as_str_name()), total.units, total.currency_code);
        tell::call("customer", &format!("PlaceOrder {quantity} × {}", drink.name), &answer);
        self.wait_for(&order, "ORDERED").await?;
        Ok(order)
    }

    async fn pay(&mut self, order: &Order) -> Result<(), Status> {
        let request = PayRequest {
            payment_id: order.payment_id.clone(),
            method: PaymentMethod::Card.into(),
            request_id: Uuid::now_v7().to_string(),
            ..PayRequest::default()
        };
        let response = PaymentServiceClient::new(self.channel.clone()).pay(request).await?;
        let payment = response.into_inner().payment.unwrap_or_default();
        tell::call("customer", "Pay by card", name(payment.status().as_str_name()));
        if payment.status() == PaymentStatus::Declined {
            return Err(Status::failed_precondition("the payment was declined; play the demo again"));
        }
        self.wait_for_step(order, "PreparationStarted").await.map(drop)
    }

    async fn make(&mut self, order: &Order) -> Result<(), Status> {
        let mut kitchen = KitchenServiceClient::new(self.channel.clone());
        let request = ListPreparationsRequest {
            shop_id: SHOP.into(),
            status: PreparationStatus::Preparing.into(),
            page_size: 1000,
            ..ListPreparationsRequest::default()
        };
        let preparations = kitchen.list_preparations(request).await?.into_inner().preparations;
        let mine = preparations.iter().find(|it| it.order.as_ref().is_some_and(|it| it.id == order.order_id));
        let preparation_id = mine.map(|it| it.preparation_id.clone()).unwrap_or_default();
        let request = CompletePreparationRequest { preparation_id, ..CompletePreparationRequest::default() };
        let response = kitchen.complete_preparation(request).await?.into_inner().preparation.unwrap_or_default();
        tell::call("barista", "CompletePreparation", name(response.status().as_str_name()));
        self.wait_for_step(order, "DeliveryScheduled").await.map(drop)
    }

    async fn deliver(&mut self, order: &Order) -> Result<(), Status> {
        let mut courier = DeliveryServiceClient::new(self.channel.clone());
        let request = ListDeliveriesRequest {
            shop_id: SHOP.into(),
            order: Some(reference(order)),
            ..ListDeliveriesRequest::default()
        };
        let mut deliveries = courier.list_deliveries(request).await?.into_inner().deliveries;
        let delivery_id = deliveries.pop().unwrap_or_default().delivery_id;
        let request = ShipDeliveryRequest { delivery_id: delivery_id.clone(), ..ShipDeliveryRequest::default() };
        let shipped = courier.ship_delivery(request).await?.into_inner().delivery.unwrap_or_default();
        tell::call("courier", "ShipDelivery", name(shipped.status().as_str_name()));
        let request = CompleteDeliveryRequest { delivery_id, ..CompleteDeliveryRequest::default() };
        let delivered = courier.complete_delivery(request).await?.into_inner().delivery.unwrap_or_default();
        tell::call("courier", "CompleteDelivery", name(delivered.status().as_str_name()));
        Ok(())
    }

    async fn cancel(&mut self, order: &Order) -> Result<(), Status> {
        let cancelled = self.call_off(order).await?;
        tell::call(
            "customer",
            "CancelOrder",
            name(OrderStatus::try_from(cancelled.status).unwrap_or_default().as_str_name()),
        );
        Ok(())
    }

    async fn cancel_too_late(&mut self, order: &Order) {
        let answer = match self.call_off(order).await {
            Ok(order) => name(order.status().as_str_name()).to_owned(),
            Err(status) => tell::refused(&status),
        };
        tell::call("customer", "CancelOrder, too late", &answer);
    }

    async fn call_off(&self, order: &Order) -> Result<Order, Status> {
        let request = CancelOrderRequest {
            order_id: order.order_id.clone(),
            reason: "changed my mind".into(),
            ..CancelOrderRequest::default()
        };
        let response = OrderingServiceClient::new(self.channel.clone()).cancel_order(request).await?;
        Ok(response.into_inner().order.unwrap_or_default())
    }

    async fn count_stamps(&self) -> Result<(), Status> {
        let request =
            GetAccountRequest { shop_id: SHOP.into(), program: Program::Stamps.into(), member: self.customer.clone() };
        let response = LoyaltyServiceClient::new(self.channel.clone()).get_account(request).await?;
        let balance = response.into_inner().account.unwrap_or_default().balance;
        tell::call("customer", "GetAccount", &format!("{balance} stamps"));
        Ok(())
    }

    /// The trace of the order, once it has come to `status`.
    async fn wait_for(&mut self, order: &Order, status: &str) -> Result<Trace, Status> {
        self.wait(order, status, |trace| trace.status == status).await
    }

    /// The trace of the order, once it has a step called `event`.
    async fn wait_for_step(&mut self, order: &Order, event: &str) -> Result<Trace, Status> {
        self.wait(order, event, |trace| trace.steps.iter().any(|step| step.event == event)).await
    }

    async fn wait(&mut self, order: &Order, what: &str, done: impl Fn(&Trace) -> bool) -> Result<Trace, Status> {
        let waiting = async {
            loop {
                if let Some(trace) = self.newest.get(&order.order_id).filter(|trace| done(trace)) {
                    return Ok(trace.clone());
                }
                let change = self.watching.message().await?;
                let change = change.ok_or_else(|| Status::unavailable("the server ended the watch"))?;
                if let Some(trace) = change.trace {
                    self.tell_steps(&trace);
                    self.newest.insert(trace.order.clone().unwrap_or_default().id, trace);
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| Err(Status::deadline_exceeded(format!("no {what} within {PATIENCE:?}"))))
    }

    fn tell_steps(&mut self, trace: &Trace) {
        for step in &trace.steps {
            let new = self.told.insert((step.id.clone(), step.event.clone()));
            if new {
                tell::event(&step.context, &step.event, &step.status);
            }
        }
    }
}

fn reference(order: &Order) -> Reference {
    Reference { context: "ordering".into(), id: order.order_id.clone() }
}

/// `ORDER_STATUS_PAID` is `PAID`.
fn name(status: &'static str) -> &'static str {
    status.split_once("_STATUS_").map_or(status, |(_, name)| name)
}
