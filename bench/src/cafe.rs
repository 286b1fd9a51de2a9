//! The coffee shop under load.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{CancelOrderRequest, GetOrderRequest, OrderLine, PlaceOrderRequest};
use highstreet_wire::proto::payment::PayRequest;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::child::Server;
use crate::floor::{Beside, ORDER};
use crate::load::{self, Load, Turn};
use crate::report::Report;
use crate::{Outcome, Plan, lag};

pub(crate) const SHOP: &str = "skanu";

pub(crate) type Orders = Arc<Mutex<Vec<(String, String)>>>;

/// The calls with only those contexts running that carry them out: nobody follows what they publish.
async fn measure_alone(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &["ordering", "payment"]).await?;
    let floor = Beside::open(plan, ORDER).await?;
    let (channels, orders) = (server.channels().await?, Orders::default());
    let placed: Turn<'_> = Box::new(|time| {
        let (plan, channels, orders) = (plan.during(time), &channels, &orders);
        Box::pin(async move { place(&plan, channels, orders).await })
    });
    floor.writes("PlaceOrder", placed, report).await?;
    settle(&server).await?;
    let known = Arc::new(std::mem::take(&mut *orders.lock().unwrap_or_else(PoisonError::into_inner)));
    let got: Turn<'_> = Box::new(|time| {
        let (plan, channels, known) = (plan.during(time), &channels, &known);
        Box::pin(async move { get(&plan, channels, known).await })
    });
    floor.reads("GetOrder", got, report).await?;
    drop(server);
    let (first, second) = known.split_at(known.len() / 2);

    let server = Server::highstreet(plan, data.path(), &["payment"]).await?;
    let (channels, first) = (server.channels().await?, Each::of(first));
    let paid: Turn<'_> = Box::new(|time| {
        let (plan, channels, each) = (plan.during(time), &channels, &first);
        Box::pin(async move { pay(&plan, channels, each).await })
    });
    floor.writes("Pay", paid, report).await?;
    drop(server);

    let server = Server::highstreet(plan, data.path(), &["ordering"]).await?;
    let (channels, second) = (server.channels().await?, Each::of(second));
    let cancelled: Turn<'_> = Box::new(|time| {
        let (plan, channels, each) = (plan.during(time), &channels, &second);
        Box::pin(async move { cancel(&plan, channels, each).await })
    });
    floor.writes("CancelOrder", cancelled, report).await
}

/// The calls with the whole shop running, and following what they lead to as fast as it can.
async fn measure_followed(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &[]).await?;
    report.time("ready with an empty folder", server.ready);
    tokio::time::sleep(Duration::from_secs(1)).await;
    report.size("idle after start", server.resident()?);

    let (channels, orders) = (server.channels().await?, Orders::default());
    report.load(&format!("PlaceOrder{FOLLOWED}"), &place(plan, &channels, &orders).await?);
    settle(&server).await?;
    let known = Arc::new(std::mem::take(&mut *orders.lock().unwrap_or_else(PoisonError::into_inner)));
    report.load(&format!("GetOrder{FOLLOWED}"), &get(plan, &channels, &known).await?);
    let (first, second) = known.split_at(known.len() / 2);
    let paid = pay(plan, &channels, &Each::of(first)).await?;
    report.load(&format!("Pay{FOLLOWED}"), &paid);
    let whole = settle(&server).await? + plan.time;
    let sustained = paid.count() as f64 / whole.as_secs_f64();

    let cancelled = cancel(plan, &channels, &Each::of(second)).await?;
    report.load(&format!("CancelOrder{FOLLOWED}"), &cancelled);
    settle(&server).await?;
    report.size("after load", server.resident()?);
    report.lag("from Pay's answer to the trace", &lag(plan, &channels, sustained / 2.0).await?);
    Ok(())
}

const FOLLOWED: &str = ", the whole shop following";

pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    measure_alone(plan, report).await?;
    measure_followed(plan, report).await
}

pub(crate) async fn place(plan: &Plan, channels: &[Channel], orders: &Orders) -> Outcome<Load> {
    let (channels, orders) = (channels.to_vec(), orders.clone());
    load::run(plan.callers, plan.time, usize::MAX, move |caller, number| {
        let mut client = OrderingServiceClient::new(channels[caller % channels.len()].clone());
        let orders = orders.clone();
        async move {
            let order = client.place_order(an_order(number)).await?.into_inner().order.unwrap_or_default();
            orders.lock().unwrap_or_else(PoisonError::into_inner).push((order.order_id, order.payment_id));
            Ok(())
        }
    })
    .await
}

pub(crate) async fn get(plan: &Plan, channels: &[Channel], known: &Arc<Vec<(String, String)>>) -> Outcome<Load> {
    let (channels, known) = (channels.to_vec(), known.clone());
    load::run(plan.callers, plan.time, usize::MAX, move |caller, number| {
        let mut client = OrderingServiceClient::new(channels[caller % channels.len()].clone());
        let order_id = known[number % known.len()].0.clone();
        async move { client.get_order(GetOrderRequest { order_id }).await.map(drop) }
    })
    .await
}

pub(crate) async fn pay(plan: &Plan, channels: &[Channel], each: &Each) -> Outcome<Load> {
    each.once(plan, channels, |channel, (_, payment)| async move {
        PaymentServiceClient::new(channel).pay(a_payment(payment)).await.map(drop)
    })
    .await
}

async fn cancel(plan: &Plan, channels: &[Channel], each: &Each) -> Outcome<Load> {
    each.once(plan, channels, |channel, (order_id, _)| async move {
        let request = CancelOrderRequest { order_id, ..Default::default() };
        OrderingServiceClient::new(channel).cancel_order(request).await.map(drop)
    })
    .await
}

/// Orders with their payments, each to be used once.
pub(crate) struct Each {
    orders: Arc<Vec<(String, String)>>,
    used: AtomicUsize,
}

impl Each {
    pub(crate) fn of(orders: &[(String, String)]) -> Self {
        Self { orders: Arc::new(orders.to_vec()), used: AtomicUsize::new(0) }
    }

    /// Calls `call` with those that are not used yet, until the time is over.
    async fn once<F, Fut>(&self, plan: &Plan, channels: &[Channel], call: F) -> Outcome<Load>
    where
        F: Fn(Channel, (String, String)) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let (channels, orders) = (channels.to_vec(), self.orders.clone());
        let used = self.used.load(Ordering::Relaxed);
        let load = load::run(plan.callers, plan.time, orders.len() - used, move |caller, number| {
            call(channels[caller % channels.len()].clone(), orders[used + number].clone())
        })
        .await?;
        self.used.fetch_add(load.count(), Ordering::Relaxed);
        Ok(load)
    }
}

/// Pays at `rate` a second, and watches when each trace shows it.
async fn lag(plan: &Plan, channels: &[Channel], rate: f64) -> Outcome<Load> {
    let orders = Orders::default();
    let first = Plan { time: plan.time / 2, ..plan.clone() };
    place(&first, channels, &orders).await?;
    let orders = std::mem::take(&mut *orders.lock().unwrap_or_else(PoisonError::into_inner));
    tokio::time::sleep(Duration::from_secs(2)).await;

    let most = orders.len().min((rate * plan.time.as_secs_f64()) as usize);
    lag::measure(channels[0].clone(), SHOP, "PaymentApproved", rate, most, |number| {
        let mut client = PaymentServiceClient::new(channels[number % channels.len()].clone());
        let (order, payment) = orders[number].clone();
        async move { client.pay(a_payment(payment)).await.map(|_| order) }
    })
    .await
}

/// Waits until the server has nothing left to do; returns how long it had.
pub(crate) async fn settle(server: &Server) -> Outcome<Duration> {
    let begin = Instant::now();
    let mut used = server.processor()?;
    for _ in 0..240 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = server.processor()?;
        if now - used < 0.03 {
            return Ok(begin.elapsed().saturating_sub(Duration::from_millis(500)));
        }
        used = now;
    }
    Err("the server does not come to rest".into())
}

pub(crate) fn an_order(number: usize) -> PlaceOrderRequest {
    PlaceOrderRequest {
        shop_id: SHOP.into(),
        customer_phone: format!("010-{:04}-{:04}", number / 10_000 % 10_000, number % 10_000),
        lines: vec![OrderLine {
            product_id: "latte".into(),
            product_name: "Latte".into(),
            quantity: 1,
            unit_price: Some(Money { currency_code: "KRW".into(), units: 4500, nanos: 0 }),
        }],
        payment_method: PaymentMethod::Card.into(),
        request_id: String::new(),
    }
}

pub(crate) fn a_payment(payment_id: String) -> PayRequest {
    PayRequest { payment_id, method: PaymentMethod::Card.into(), ..Default::default() }
}
