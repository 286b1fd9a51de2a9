//! The coffee shop under load.

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
use crate::load::{self, Load};
use crate::report::Report;
use crate::{Outcome, Plan, lag};

pub(crate) const SHOP: &str = "skanu";

pub(crate) type Orders = Arc<Mutex<Vec<(String, String)>>>;

/// The calls with only those contexts running that carry them out: nobody follows what they publish.
async fn measure_alone(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &["ordering", "payment"]).await?;
    let known = measure_place_and_get(plan, &server, "", report).await?;
    drop(server);
    let half = known.len() / 2;

    let server = Server::highstreet(plan, data.path(), &["payment"]).await?;
    report.load("Pay", &pay(plan, &server.channels().await?, &known[..half]).await?);
    drop(server);

    let server = Server::highstreet(plan, data.path(), &["ordering"]).await?;
    report.load("CancelOrder", &cancel(plan, &server.channels().await?, &known[half..]).await?);
    Ok(())
}

/// The calls with the whole shop running, and following what they lead to as fast as it can.
async fn measure_followed(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &[]).await?;
    report.time("ready with an empty folder", server.ready);
    tokio::time::sleep(Duration::from_secs(1)).await;
    report.size("idle after start", server.resident()?);

    let known = measure_place_and_get(plan, &server, FOLLOWED, report).await?;
    let half = known.len() / 2;
    let channels = server.channels().await?;
    let paid = pay(plan, &channels, &known[..half]).await?;
    report.load(&format!("Pay{FOLLOWED}"), &paid);
    let whole = settle(&server).await? + plan.time;
    let sustained = paid.count() as f64 / whole.as_secs_f64();

    let cancelled = cancel(plan, &channels, &known[half..]).await?;
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

/// Places orders and reads them; returns them with their payments.
async fn measure_place_and_get(
    plan: &Plan,
    server: &Server,
    suffix: &str,
    report: &mut Report,
) -> Outcome<Arc<Vec<(String, String)>>> {
    let channels = server.channels().await?;
    let orders = Orders::default();
    report.load(&format!("PlaceOrder{suffix}"), &place(plan, &channels, &orders).await?);
    settle(server).await?;
    let known = Arc::new(std::mem::take(&mut *orders.lock().unwrap_or_else(PoisonError::into_inner)));
    report.load(&format!("GetOrder{suffix}"), &get(plan, &channels, &known).await?);
    Ok(known)
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

pub(crate) async fn pay(plan: &Plan, channels: &[Channel], known: &[(String, String)]) -> Outcome<Load> {
    each(plan, channels, known, |channel, (_, payment)| async move {
        PaymentServiceClient::new(channel).pay(a_payment(payment)).await.map(drop)
    })
    .await
}

async fn cancel(plan: &Plan, channels: &[Channel], known: &[(String, String)]) -> Outcome<Load> {
    each(plan, channels, known, |channel, (order_id, _)| async move {
        let request = CancelOrderRequest { order_id, ..Default::default() };
        OrderingServiceClient::new(channel).cancel_order(request).await.map(drop)
    })
    .await
}

/// Calls `call` once for each of these orders.
async fn each<F, Fut>(plan: &Plan, channels: &[Channel], known: &[(String, String)], call: F) -> Outcome<Load>
where
    F: Fn(Channel, (String, String)) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (channels, known) = (channels.to_vec(), Arc::new(known.to_vec()));
    load::run(plan.callers, plan.time, known.len(), move |caller, number| {
        call(channels[caller % channels.len()].clone(), known[number].clone())
    })
    .await
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
