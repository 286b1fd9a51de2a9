//! Calling the coffee shop, once or until it answers.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use highstreet::config::Role;
use highstreet_grpc::Channel;
use highstreet_testkit::Dice;
use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::loyalty::{GetAccountRequest, Program};
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{CancelOrderRequest, GetOrderRequest, Order, OrderLine, PlaceOrderRequest};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{GetPaymentRequest, PayRequest, Payment, get_payment_request};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{GetTraceRequest, Trace};
use tokio::time::{Instant, sleep};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use super::{Mesh, SHOP};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);
/// Who is not answered by then goes home.
const PATIENCE: Duration = Duration::from_secs(25);
const LATTE: i64 = 4500;

/// Calls by one channel. Clones count together.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) channel: Channel,
    counted: Arc<Mutex<Counted>>,
}

/// What came of all calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) made: usize,
    /// Those that are not answered yet.
    pub(crate) open: Vec<String>,
    /// Those that are to be made again, and why.
    pub(crate) failed: Vec<String>,
}

/// The order as other contexts refer to it.
pub(crate) fn order_of(order: &Order) -> Reference {
    Reference { context: "ordering".into(), id: order.order_id.clone() }
}

/// A request that can be told from all others by what is ordered.
pub(crate) fn lattes(quantity: i32, phone: &str) -> PlaceOrderRequest {
    let request_id = Uuid::now_v7().to_string();
    PlaceOrderRequest {
        shop_id: SHOP.into(),
        customer_phone: phone.into(),
        lines: vec![OrderLine {
            product_id: request_id.clone(),
            product_name: "Latte".into(),
            quantity,
            unit_price: Some(won(LATTE)),
        }],
        payment_method: PaymentMethod::Card.into(),
        request_id,
    }
}

pub(crate) fn won(units: i64) -> Money {
    Money { currency_code: "KRW".into(), units, nanos: 0 }
}

/// With the time it may take.
pub(crate) fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL);
    request
}

/// Whether nobody knows what came of it, or it is to be tried again.
pub(crate) fn is_open(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Internal | Code::Aborted | Code::Cancelled | Code::Unknown
    )
}

// === impl Mesh ===

impl Mesh {
    /// Calls through the gateways.
    pub(crate) fn calls(&self) -> Calls {
        Calls::new(self.channel(Role::Gateway))
    }
}

// === impl Calls ===

impl Calls {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel, counted: Arc::default() }
    }

    pub(crate) fn counted(&self) -> Counted {
        self.counting().clone()
    }

    fn counting(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call, and counts it.
    pub(crate) async fn once<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, Status> {
        self.counting().open.push(what.to_owned());
        // A callee that is gone without a word is not waited for.
        let answer = tokio::time::timeout(CALL * 2, call).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("the callee said nothing at all")));
        let mut counted = self.counting();
        let place = counted.open.iter().position(|open| open == what).unwrap();
        counted.open.swap_remove(place);
        counted.made += 1;
        if let Err(status) = answer.as_ref()
            && is_open(status)
        {
            counted.failed.push(format!("{what}: {:?}: {}", status.code(), status.message()));
        }
        answer.map(tonic::Response::into_inner)
    }

    /// Makes a call again and again until it is answered.
    pub(crate) async fn insist<T, F>(&self, what: &str, mut call: impl FnMut() -> F) -> Result<T, Status>
    where
        F: Future<Output = Result<tonic::Response<T>, Status>>,
    {
        let until = Instant::now() + PATIENCE;
        let dice = Dice::new(u64::from(Uuid::now_v7().as_fields().0));
        loop {
            match self.once(what, call()).await {
                Err(status) if is_open(&status) && Instant::now() < until => {
                    sleep(Duration::from_millis(20 + dice.roll() % 80)).await;
                }
                answer => return answer,
            }
        }
    }

    pub(crate) fn ordering(&self) -> OrderingServiceClient<Channel> {
        OrderingServiceClient::new(self.channel.clone())
    }

    pub(crate) fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.channel.clone())
    }

    pub(crate) fn kitchen(&self) -> KitchenServiceClient<Channel> {
        KitchenServiceClient::new(self.channel.clone())
    }

    pub(crate) fn couriers(&self) -> DeliveryServiceClient<Channel> {
        DeliveryServiceClient::new(self.channel.clone())
    }

    pub(crate) fn tracking(&self) -> TrackingServiceClient<Channel> {
        TrackingServiceClient::new(self.channel.clone())
    }

    // === What tests ask for ===

    /// Places an order; one attempt.
    pub(crate) async fn place(&self, request: PlaceOrderRequest) -> Result<Order, Status> {
        let mut ordering = self.ordering();
        Ok(self.once("PlaceOrder", ordering.place_order(timed(request))).await?.order.unwrap())
    }

    /// Pays for an order; insists.
    pub(crate) async fn pay(&self, order: &Order) -> Result<Payment, Status> {
        let method = PaymentMethod::Card.into();
        let (payment_id, request_id) = (order.payment_id.clone(), Uuid::now_v7().to_string());
        let request = PayRequest { payment_id, method, request_id, ..Default::default() };
        let pay = || {
            let (mut payments, request) = (self.payments(), timed(request.clone()));
            async move { payments.pay(request).await }
        };
        Ok(self.insist("Pay", pay).await?.payment.unwrap())
    }

    /// Cancels an order; insists.
    pub(crate) async fn cancel(&self, order: &Order) -> Result<Order, Status> {
        let (order_id, request_id) = (order.order_id.clone(), Uuid::now_v7().to_string());
        let request = CancelOrderRequest { order_id, request_id, ..Default::default() };
        let cancel = || {
            let (mut ordering, request) = (self.ordering(), timed(request.clone()));
            async move { ordering.cancel_order(request).await }
        };
        Ok(self.insist("CancelOrder", cancel).await?.order.unwrap())
    }

    pub(crate) async fn order(&self, order_id: &str) -> Result<Order, Status> {
        let (mut ordering, request) = (self.ordering(), GetOrderRequest { order_id: order_id.into() });
        Ok(self.once("GetOrder", ordering.get_order(timed(request))).await?.order.unwrap())
    }

    pub(crate) async fn payment(&self, order: &Order) -> Result<Payment, Status> {
        let target = Some(get_payment_request::Target::Order(order_of(order)));
        let mut payments = self.payments();
        let found = self.once("GetPayment", payments.get_payment(timed(GetPaymentRequest { target }))).await?;
        Ok(found.payment.unwrap())
    }

    pub(crate) async fn trace(&self, order: &Order) -> Result<Trace, Status> {
        let (mut tracking, request) = (self.tracking(), GetTraceRequest { order: Some(order_of(order)) });
        Ok(self.once("GetTrace", tracking.get_trace(timed(request))).await?.trace.unwrap())
    }

    /// The stamps of a customer; none before the first.
    pub(crate) async fn stamps(&self, phone: &str) -> Result<i64, Status> {
        self.balance(SHOP, Program::Stamps, phone).await
    }

    /// What a customer has collected; nothing before the first time.
    pub(crate) async fn balance(&self, shop: &str, program: Program, member: &str) -> Result<i64, Status> {
        let mut loyalty = LoyaltyServiceClient::new(self.channel.clone());
        let request = GetAccountRequest { shop_id: shop.into(), program: program.into(), member: member.into() };
        match self.once("GetAccount", loyalty.get_account(timed(request))).await {
            Ok(found) => Ok(found.account.unwrap().balance),
            Err(status) if status.code() == Code::NotFound => Ok(0),
            Err(status) => Err(status),
        }
    }
}
