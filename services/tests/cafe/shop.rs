//! A coffee shop on a socket of its own, and the people in it.

use std::future::Future;
use std::time::Duration;

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet::{ContextName, Door, Platform, Street};
use highstreet_provider::{Simulated, Simulation};
use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{
    CompleteDeliveryRequest, Delivery, GetDeliveryRequest, ShipDeliveryRequest, get_delivery_request,
};
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::kitchen::{CompletePreparationRequest, ListPreparationsRequest, Preparation};
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::loyalty::{GetAccountRequest, Program};
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::notification::{ListNotificationsRequest, Notification};
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, Order, OrderLine, PlaceOrderRequest,
};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{GetPaymentRequest, PayRequest, Payment, get_payment_request};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{GetTraceRequest, Trace};
use tempfile::TempDir;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;

pub(crate) const SHOP: &str = "skanu";
pub(crate) const CUSTOMER: &str = "010-1234-5678";
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Cafe {
    pub(crate) street: Street,
    pub(crate) channel: Channel,
    _data: Option<TempDir>,
}

/// Waits until `look` finds something.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let waiting = async {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            if let Some(found) = look().await {
                return found;
            }
            pause.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

pub(crate) fn reference(order: &Order) -> Reference {
    Reference { context: "ordering".into(), id: order.order_id.clone() }
}

pub(crate) fn lattes(quantity: i32) -> PlaceOrderRequest {
    PlaceOrderRequest {
        shop_id: SHOP.into(),
        customer_phone: CUSTOMER.into(),
        lines: vec![OrderLine {
            product_id: "latte".into(),
            product_name: "Latte".into(),
            quantity,
            unit_price: Some(Money { currency_code: "KRW".into(), units: 4500, nanos: 0 }),
        }],
        payment_method: PaymentMethod::Card.into(),
        request_id: String::new(),
    }
}

impl Cafe {
    pub(crate) async fn open() -> Self {
        Self::with(ShopArgs::standard()).await
    }

    pub(crate) async fn with(args: ShopArgs) -> Self {
        let data = tempfile::tempdir().unwrap();
        let cafe = Self::on(GroundArgs::embedded(data.path()), args).await;
        Self { _data: Some(data), ..cafe }
    }

    /// On this ground.
    pub(crate) async fn on(ground: GroundArgs, args: ShopArgs) -> Self {
        let simulation = Simulation { latency: args.provider_latency.clone(), ..Simulation::default() };
        let provider = Simulated::recording(simulation).unwrap();
        let platform = Platform::open(ground, args).await.unwrap().with_provider(provider);
        let street = Street::open(platform, &ContextName::ALL).await.unwrap();
        let door = Door::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (listening, serving) = door.open(&street, std::future::pending()).unwrap();
        tokio::spawn(serving);
        listening.report(tonic_health::ServingStatus::Serving).await;
        let channel = Channel::from_shared(format!("http://{}", listening.address)).unwrap().connect().await.unwrap();
        Self { street, channel, _data: None }
    }

    pub(crate) async fn stop(&mut self, context: ContextName) {
        self.street.stop(context).await;
    }

    pub(crate) async fn start(&mut self, context: ContextName) {
        self.street.start(context).await.unwrap();
    }

    pub(crate) fn ordering(&self) -> OrderingServiceClient<Channel> {
        OrderingServiceClient::new(self.channel.clone())
    }

    pub(crate) fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.channel.clone())
    }

    pub(crate) fn tracking(&self) -> TrackingServiceClient<Channel> {
        TrackingServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn order(&self, quantity: i32) -> Order {
        self.place(lattes(quantity)).await.unwrap()
    }

    pub(crate) async fn place(&self, request: PlaceOrderRequest) -> Result<Order, Status> {
        Ok(self.ordering().place_order(request).await?.into_inner().order.unwrap())
    }

    pub(crate) async fn cancel(&self, order: &Order) -> Result<Order, Status> {
        let request = CancelOrderRequest { order_id: order.order_id.clone(), ..Default::default() };
        Ok(self.ordering().cancel_order(request).await?.into_inner().order.unwrap())
    }

    pub(crate) async fn get_order(&self, order: &Order) -> Result<Order, Status> {
        let request = GetOrderRequest { order_id: order.order_id.clone() };
        Ok(self.ordering().get_order(request).await?.into_inner().order.unwrap())
    }

    pub(crate) async fn all_orders(&self) -> Vec<Order> {
        let request = ListOrdersRequest { shop_id: SHOP.into(), ..Default::default() };
        self.ordering().list_orders(request).await.unwrap().into_inner().orders
    }

    pub(crate) async fn pay(&self, order: &Order) -> Result<Payment, Status> {
        let method = PaymentMethod::Card.into();
        let request = PayRequest { payment_id: order.payment_id.clone(), method, ..Default::default() };
        Ok(self.payments().pay(request).await?.into_inner().payment.unwrap())
    }

    pub(crate) async fn payment(&self, order: &Order) -> Option<Payment> {
        let target = Some(get_payment_request::Target::Order(reference(order)));
        self.payments().get_payment(GetPaymentRequest { target }).await.ok()?.into_inner().payment
    }

    pub(crate) async fn preparation(&self, order: &Order) -> Option<Preparation> {
        let request = ListPreparationsRequest { shop_id: SHOP.into(), page_size: 1000, ..Default::default() };
        let mut kitchen = KitchenServiceClient::new(self.channel.clone());
        let found = kitchen.list_preparations(request).await.ok()?.into_inner().preparations;
        found.into_iter().find(|it| it.order.as_ref().unwrap().id == order.order_id)
    }

    pub(crate) async fn complete_preparation(&self, preparation: &Preparation) -> Result<Preparation, Status> {
        let preparation_id = preparation.preparation_id.clone();
        let request = CompletePreparationRequest { preparation_id, ..Default::default() };
        let mut kitchen = KitchenServiceClient::new(self.channel.clone());
        Ok(kitchen.complete_preparation(request).await?.into_inner().preparation.unwrap())
    }

    pub(crate) async fn delivery(&self, order: &Order) -> Option<Delivery> {
        let target = Some(get_delivery_request::Target::Order(reference(order)));
        let mut courier = DeliveryServiceClient::new(self.channel.clone());
        courier.get_delivery(GetDeliveryRequest { target }).await.ok()?.into_inner().delivery
    }

    pub(crate) async fn ship(&self, delivery: &Delivery) -> Result<Delivery, Status> {
        let request = ShipDeliveryRequest { delivery_id: delivery.delivery_id.clone(), ..Default::default() };
        let mut courier = DeliveryServiceClient::new(self.channel.clone());
        Ok(courier.ship_delivery(request).await?.into_inner().delivery.unwrap())
    }

    pub(crate) async fn arrive(&self, delivery: &Delivery) -> Result<Delivery, Status> {
        let request = CompleteDeliveryRequest { delivery_id: delivery.delivery_id.clone(), ..Default::default() };
        let mut courier = DeliveryServiceClient::new(self.channel.clone());
        Ok(courier.complete_delivery(request).await?.into_inner().delivery.unwrap())
    }

    pub(crate) async fn stamps(&self) -> Option<i64> {
        let request =
            GetAccountRequest { shop_id: SHOP.into(), program: Program::Stamps.into(), member: CUSTOMER.into() };
        let mut loyalty = LoyaltyServiceClient::new(self.channel.clone());
        Some(loyalty.get_account(request).await.ok()?.into_inner().account?.balance)
    }

    pub(crate) async fn notifications(&self) -> Vec<Notification> {
        let request = ListNotificationsRequest { shop_id: SHOP.into(), ..Default::default() };
        let mut notifications = NotificationServiceClient::new(self.channel.clone());
        notifications.list_notifications(request).await.unwrap().into_inner().notifications
    }

    pub(crate) async fn trace(&self, order: &Order) -> Option<Trace> {
        let request = GetTraceRequest { order: Some(reference(order)) };
        self.tracking().get_trace(request).await.ok()?.into_inner().trace
    }

    /// Waits until the order's trace has come to `status`.
    pub(crate) async fn traced(&self, order: &Order, status: &str) -> Trace {
        eventually(status, || async { self.trace(order).await.filter(|trace| trace.status == status) }).await
    }

    /// Waits until the customer has this many stamps.
    pub(crate) async fn stamped(&self, count: i64) {
        eventually("stamps", || async { self.stamps().await.filter(|stamps| *stamps == count) }).await;
    }

    /// Carries a paid order to its customer.
    pub(crate) async fn carry_out(&self, order: &Order) {
        let preparation = eventually("the preparation", || self.preparation(order)).await;
        self.complete_preparation(&preparation).await.unwrap();
        let delivery = eventually("the delivery", || self.delivery(order)).await;
        self.ship(&delivery).await.unwrap();
        self.arrive(&delivery).await.unwrap();
    }

    /// How often money was taken, and given back.
    pub(crate) fn money_moved(&self) -> (usize, usize) {
        let ledger = self.street.platform().provider().ledger().unwrap();
        (ledger.charges.len(), ledger.refunds.len())
    }
}
