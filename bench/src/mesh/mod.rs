//! The mesh: contexts in processes of their own, on PostgreSQL and NATS JetStream.

mod capacity;
mod floor;
mod guarded;
mod json;
mod meanwhile;
mod orders;
pub(crate) mod street;

use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::{PaymentMethod, Reference};
use highstreet_wire::proto::payment::RequestPaymentRequest;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::cafe::{self, Each, Orders, SHOP, a_payment};
use crate::child::Server;
use crate::load::{Load, Turn};
use crate::report::{MEANWHILE, Report};
use crate::{Outcome, Plan, lag, load};
use street::Ground;

/// All of them, each behind those that it calls.
const ALL: [&str; 14] = [
    "payment",
    "delivery",
    "loyalty",
    "seating",
    "ticketing",
    "ordering",
    "kitchen",
    "replenishment",
    "inventory",
    "sales",
    "lending",
    "booking",
    "notification",
    "tracking",
];

const HALF: f64 = 0.5;

/// How long each of two that are compared has its turn, in seconds: `pgbench` takes a while to begin.
const TURN: u64 = 2;

/// Only what JSON costs, and the gateway's checks.
pub(crate) async fn measure_json(plan: &Plan, report: &mut Report) -> Outcome<()> {
    orders::measure(plan, &Ground::new().await, report).await
}

/// What an order costs each part of the mesh.
pub(crate) async fn measure_capacity(plan: &Plan, report: &mut Report) -> Outcome<()> {
    capacity::measure(plan, &Ground::new().await, report).await
}

/// How soon what happened is shown, at several paces.
pub(crate) async fn measure_paces(plan: &Plan, report: &mut Report) -> Outcome<()> {
    measure_lag(plan, &Ground::new().await, &[0.05, 0.25, HALF], report).await
}

pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let ground = Ground::new().await;
    let wait = floor::one_commit(plan, &ground.postgres).await? + floor::one_publication(&ground.nats.url()).await?;
    report.time("floor: one commit and one publication", wait);
    measure_write(plan, &ground, report).await?;
    measure_followed(plan, &ground, report).await?;
    measure_lag(plan, &ground, &[HALF], report).await?;
    orders::measure(plan, &ground, report).await?;
    measure_idle(plan, &Ground::new().await, report).await
}

/// The same write with few events stored, and with many: two of everything, in turns.
pub(crate) async fn measure_stored(plan: &Plan, stored: u64, report: &mut Report) -> Outcome<()> {
    let grounds = [Ground::new().await, Ground::new().await];
    for ground in &grounds {
        // For its tables: they are there once calls are answered.
        let server = serve_without_broker(plan, ground).await?;
        request_payments(&plan.of(1), &server.channels().await?).await?;
    }
    println!("storing {stored} events …");
    floor::store(&grounds[0].postgres, 10_000);
    floor::store(&grounds[1].postgres, stored);
    let servers = [serve_without_broker(plan, &grounds[0]).await?, serve_without_broker(plan, &grounds[1]).await?];
    let channels = [servers[0].channels().await?, servers[1].channels().await?];
    for channels in &channels {
        request_payments(&plan.of(1), channels).await?;
    }
    let request = |at: usize| {
        let channels = &channels[at];
        let turn: Turn<'_> = Box::new(move |time| {
            let plan = plan.during(time);
            Box::pin(async move { request_payments(&plan, channels).await })
        });
        turn
    };
    let [few, many] = load::in_turns(plan.time, [request(0), request(1)]).await?;
    report.load("RequestPayment, few events stored", &few);
    report.load("RequestPayment, many events stored", &many);
    report.ratio("RequestPayment with many events stored ÷ with few", many.rate / few.rate);
    Ok(())
}

/// A payment requested for a new order, with the broker away: what it costs to write. In turns with its floor.
async fn measure_write(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let server = serve_without_broker(plan, ground).await?;
    let (channels, turn) = (server.channels().await?, plan.of(TURN));
    let mut requested = request_payments(&turn, &channels).await?;
    let mut floors = vec![floor::measure(&turn, plan.callers, &ground.postgres).await?];
    for _ in 1..plan.time.as_secs().div_ceil(TURN) {
        floors.push(floor::measure(&turn, plan.callers, &ground.postgres).await?);
        requested.add(request_payments(&turn, &channels).await?);
    }
    report.rate("floor: pgbench", floors.iter().sum::<f64>() / floors.len() as f64);
    report.load("RequestPayment", &requested);
    drop(server);
    ground.postgres.run_in("highstreet", "TRUNCATE payment.outbox");
    Ok(())
}

async fn serve_without_broker(plan: &Plan, ground: &Ground) -> Outcome<Server> {
    let url = ground.postgres.url();
    let arguments = ["payment", "--store", &url, "--bus", "nats://127.0.0.1:1"];
    Server::highstreet(plan, Path::new("unused"), &arguments).await
}

/// The same, published and folded into a view meanwhile.
async fn measure_followed(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let payment = ground.serve(plan, &["payment"], &[]).await?;
    let _tracking = ground.serve(plan, &["tracking"], &[]).await?;
    let followed = request_payments(plan, &payment.channels().await?).await?;
    report.load("RequestPayment, published and tracked", &followed);
    Ok(())
}

/// How long after a payment's answer its trace shows it, at these shares of what the three contexts can follow.
async fn measure_lag(plan: &Plan, ground: &Ground, shares: &[f64], report: &mut Report) -> Outcome<()> {
    let mesh = ground.mesh(plan, &["payment", "ordering", "tracking"], ("", &[])).await?;
    let (ordering, payment) = (mesh.context("ordering")?.channels().await?, mesh.context("payment")?.channels().await?);
    let orders = Orders::default();
    cafe::place(&plan.of(plan.time.as_secs() * (1 + shares.len() as u64) / 2), &ordering, &orders).await?;
    let orders = std::mem::take(&mut *orders.lock().unwrap_or_else(PoisonError::into_inner));
    let (first, mut rest) = orders.split_at(orders.len() / (1 + shares.len()));

    let begin = Instant::now();
    let paid = cafe::pay(plan, &payment, &Each::of(first)).await?;
    let shown = "SELECT count(*) FROM tracking.views WHERE status = 'PAID'";
    while ground.postgres.run_in("highstreet", shown).parse::<usize>()? < paid.count() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let sustained = paid.count() as f64 / begin.elapsed().as_secs_f64();
    report.rate("Pay, as fast as it can be followed", sustained);

    for share in shares {
        // Ordering hears of payments too, and is heard: until that is done, nobody is at this pace.
        for (_, server) in &mesh.contexts {
            cafe::settle(server).await?;
        }
        let rate = sustained * share;
        let most = rest.len().min((rate * plan.time.as_secs_f64()) as usize);
        let (some, more) = rest.split_at(most);
        rest = more;
        let tracking = mesh.context("tracking")?.channels().await?[0].clone();
        let used = busy()?;
        let shown = lag::measure(tracking, SHOP, "PaymentApproved", rate, most, |number| {
            let mut client = PaymentServiceClient::new(payment[number % payment.len()].clone());
            let (order, payment) = some[number].clone();
            async move { client.pay(a_payment(payment)).await.map(|_| order) }
        });
        let meanwhile = async {
            // At the other paces the measuring would be much of what is done.
            if *share < HALF {
                return Ok(None);
            }
            meanwhile::measure(ground, Duration::from_secs_f64(most as f64 / rate)).await.map(Some)
        };
        let (shown, meanwhile) = tokio::join!(shown, meanwhile);
        let (shown, each) = (shown?, (busy()? - used) / most as f64);
        if let Some(steps) = meanwhile? {
            report.lag("from Pay's answer to the trace", &shown);
            report.time(MEANWHILE, steps);
        } else {
            report.lag(&format!("from Pay's answer to the trace, at {rate:.0} a second"), &shown);
        }
        report.cost(&format!("processor time of all for one, at {rate:.0} a second"), each);
    }
    Ok(())
}

/// Seconds that the machine's processors were busy.
fn busy() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let all: Vec<f64> =
        stat.lines().next().unwrap_or_default().split_whitespace().skip(1).flat_map(str::parse).collect();
    let idle = all.get(3).zip(all.get(4)).map_or(0.0, |(idle, waiting)| idle + waiting);
    Ok((all.iter().take(8).sum::<f64>() - idle) / 100.0)
}

/// Every context and the gateway, doing nothing.
async fn measure_idle(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let mesh = ground.mesh(plan, &ALL, ("", &[])).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut largest: f64 = mesh.gateway.resident()?;
    let (mut all, mut slowest) = (largest, mesh.gateway.ready);
    let mut once = mesh.gateway.proportional()?;
    for (_, server) in &mesh.contexts {
        largest = largest.max(server.resident()?);
        all += server.resident()?;
        once += server.proportional()?;
        slowest = slowest.max(server.ready);
    }
    report.size("idle, the largest of fifteen processes", largest);
    report.size("idle, all fifteen together", all);
    report.size("idle, all fifteen together, what they share counted once", once);
    report.time("ready, the slowest of fifteen", slowest);
    Ok(())
}

pub(crate) async fn request_payments(plan: &Plan, channels: &[Channel]) -> Outcome<Load> {
    let channels = channels.to_vec();
    load::run(plan.callers, plan.time, usize::MAX, move |caller, _| {
        let mut client = PaymentServiceClient::new(channels[caller % channels.len()].clone());
        async move { client.request_payment(a_bill()).await.map(drop) }
    })
    .await
}

fn a_bill() -> RequestPaymentRequest {
    RequestPaymentRequest {
        shop_id: SHOP.into(),
        order: Some(Reference { context: "ordering".into(), id: Uuid::now_v7().to_string() }),
        payer: "010-1234-5678".into(),
        amount: Some(Money { currency_code: "KRW".into(), units: 9000, nanos: 0 }),
        method: PaymentMethod::Card.into(),
        screening_id: String::new(),
        request_id: String::new(),
    }
}
