//! The coffee shop, and the people in it.

use std::ops::{Deref, DerefMut};

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::delivery::{
    CompleteDeliveryRequest, Delivery, GetDeliveryRequest, ShipDeliveryRequest, get_delivery_request,
};
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::kitchen::{CompletePreparationRequest, ListPreparationsRequest, Preparation};
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::loyalty::{GetAccountRequest, Program};
use highstreet_wire::proto::notification::Notification;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, Order, OrderLine, PlaceOrderRequest,
};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{GetPaymentRequest, PayRequest, Payment, get_payment_request};
use highstreet_wire::proto::tracking::Trace;
use tonic::Status;
use tonic::transport::Channel;

use crate::common::{self, HighStreet};
pub(crate) use crate::common::{eventually, reason};

pub(crate) const SHOP: &str = "skanu";
pub(crate) const CUSTOMER: &str = "010-1234-5678";

pub(crate) struct Cafe(HighStreet);

pub(crate) fn reference(order: &Order) -> Reference {
    common::reference("ordering", &order.order_id)
}

pub(crate) fn lattes(quantity: i32) -> PlaceOrderRequest {
    PlaceOrderRequest {
        shop_id: SHOP.into(),
        customer_phone: CUSTOMER.into(),
        lines: vec![OrderLine {
            product_id: "latte".into(),
            product_name: "Latte".into(),
            quantity,
            unit_price: Some(common::won(4500)),
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
        Self(HighStreet::with(args).await)
    }

    /// On this ground.
    pub(crate) async fn on(ground: GroundArgs, args: ShopArgs) -> Self {
        Self(HighStreet::on(ground, args).await)
    }

    pub(crate) fn ordering(&self) -> OrderingServiceClient<Channel> {
        OrderingServiceClient::new(self.channel.clone())
    }

    pub(crate) fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn order(&self, quantity: i32) -> Order {
        self.place(lattes(quantity)).await.unwrap()
    }

    pub(crate) async fn place(&self, request: PlaceOrderRequest) -> Result<Order, Status> {
        let request = PlaceOrderRequest { shop_id: self.shop(&request.shop_id), ..request };
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
        let request = ListOrdersRequest { shop_id: self.shop(SHOP), ..Default::default() };
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
        let request = ListPreparationsRequest { shop_id: self.shop(SHOP), page_size: 1000, ..Default::default() };
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
            GetAccountRequest { shop_id: self.shop(SHOP), program: Program::Stamps.into(), member: CUSTOMER.into() };
        let mut loyalty = LoyaltyServiceClient::new(self.channel.clone());
        Some(loyalty.get_account(request).await.ok()?.into_inner().account?.balance)
    }

    pub(crate) async fn notifications(&self) -> Vec<Notification> {
        self.0.notifications(SHOP).await
    }

    /// Waits until the order's trace has come to `status`.
    pub(crate) async fn traced(&self, order: &Order, status: &str) -> Trace {
        self.0.traced(&reference(order), status).await
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
}

impl Deref for Cafe {
    type Target = HighStreet;

    fn deref(&self) -> &HighStreet {
        &self.0
    }
}

impl DerefMut for Cafe {
    fn deref_mut(&mut self) -> &mut HighStreet {
        &mut self.0
    }
}
