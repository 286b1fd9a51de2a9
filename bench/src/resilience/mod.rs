//! A slow, a dead and a saturated payment, with plots: what the originals measured, and more.

mod plot;
mod timeline;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::transport::Channel;

use crate::cafe::{a_payment, an_order};
use crate::mesh::street::{Ground, Mesh};
use crate::report::Report;
use crate::{Outcome, Plan};
use timeline::{Answer, Timeline, count, took};

const CALLERS: usize = 100;
/// What a payment takes on average, in seconds: 400 to 620 ms.
const TAKES: f64 = 0.51;
const SLOW: &str = "400ms..620ms";
/// How many payments the saturated provider takes at once.
const AT_ONCE: usize = 10;
const FIGURES: &str = "docs/figures";

pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let ground = Ground::new().await;
    slow(plan, &ground, report).await?;
    dead(plan, &ground, report).await?;
    saturated(plan, &ground, report).await
}

/// Every payment takes half a second, and every one is answered.
async fn slow(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let mesh = start(plan, ground, &["--provider-latency", SLOW]).await?;
    let timeline = Timeline::begin();
    order_and_pay(&mesh, plan.time, &timeline).await?;
    let calls = timeline.calls(0.0, timeline.now());
    let share = count(&calls, Answer::Done) as f64 / calls.len() as f64;
    report.share("slow payment: answered with success", share);
    let rate = count(&calls, Answer::Done) as f64 / plan.time.as_secs_f64();
    report.ratio("slow payment: rate ÷ 100 callers / 0.51 s", rate / (CALLERS as f64 / TAKES));
    plot::draw(&timeline, "Pay with a provider that takes 400 to 620 ms, 100 callers", &file("slow"))
}

/// Payment is killed and comes back.
async fn dead(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let mut mesh = start(plan, ground, &[]).await?;
    let timeline = Timeline::begin();
    let channels = mesh.gateway.channels().await?;
    let admin = mesh.context("ordering")?.admin;
    let watching = tokio::spawn(watch_breaker(admin, timeline.clone()));
    let seen = timeline.clone();
    let loading = tokio::spawn(async move {
        for_a_while(CALLERS, Duration::from_secs(15), move |caller, number| {
            let (mut client, seen) =
                (OrderingServiceClient::new(channels[caller % channels.len()].clone()), seen.clone());
            async move {
                let asked = Instant::now();
                let refused = seen.note(asked, &client.place_order(an_order(number)).await) != Answer::Done;
                // Whoever is told to try again does, after a moment.
                tokio::time::sleep(Duration::from_millis(if refused { 100 } else { 10 })).await;
                Ok(())
            }
        })
        .await
    });
    tokio::time::sleep(Duration::from_secs(4)).await;
    mesh.context_mut("payment")?.kill()?;
    let gone = timeline.now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let back = timeline.now();
    mesh.context_mut("payment")?.start_again().await?;
    let started = timeline.now();
    loading.await??;
    watching.abort();
    let open = timeline.calls(gone + 1.0, back);
    report.time("dead payment: told to try again, median", took(&open, Answer::TryAgain, 0.5));
    report.share("dead payment: told when to try again", count(&open, Answer::TryAgain) as f64 / open.len() as f64);
    let first =
        timeline.calls(started, timeline.now()).iter().find(|call| call.answer == Answer::Done).map(|call| call.at);
    let recovered = first.ok_or("orders were not taken again")? - started;
    report.time("dead payment: orders are taken again after", Duration::from_secs_f64(recovered.max(0.0)));
    compare_orders_and_payments(ground).await?;
    plot::draw(&timeline, "PlaceOrder while payment is dead and comes back, 100 callers", &file("dead"))
}

/// The provider takes ten at once: the surplus is refused, and the rest goes on.
async fn saturated(plan: &Plan, ground: &Ground, report: &mut Report) -> Outcome<()> {
    let at_once = AT_ONCE.to_string();
    let mesh = start(plan, ground, &["--provider-latency", SLOW, "--provider-concurrency", &at_once]).await?;
    let (timeline, elsewhere) = (Timeline::begin(), Timeline::begin());
    let channels = mesh.gateway.channels().await?;
    let beside = elsewhere.clone();
    let ordering = for_a_while(4, plan.time, move |caller, number| {
        let (mut client, beside) =
            (OrderingServiceClient::new(channels[caller % channels.len()].clone()), beside.clone());
        async move {
            beside.note(Instant::now(), &client.place_order(an_order(number)).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        }
    });
    let (paid, ordered) = tokio::join!(order_and_pay(&mesh, plan.time, &timeline), ordering);
    paid.and(ordered)?;
    let calls = timeline.calls(0.0, timeline.now());
    let goodput = count(&calls, Answer::Done) as f64 / plan.time.as_secs_f64();
    report.ratio("saturated provider: goodput ÷ what it can take", goodput / (AT_ONCE as f64 / TAKES));
    report.time("saturated provider: surplus told to try again, median", took(&calls, Answer::TryAgain, 0.5));
    let orders = elsewhere.calls(0.0, elsewhere.now());
    report.time("saturated provider: PlaceOrder meanwhile, p99", took(&orders, Answer::Done, 0.99));
    plot::draw(&timeline, "Pay with a provider that takes ten at once, 100 callers", &file("saturated"))
}

/// Callers who place an order and pay for it, again and again; payments are noted.
async fn order_and_pay(mesh: &Mesh, time: Duration, timeline: &Timeline) -> Outcome<()> {
    let (channels, timeline) = (mesh.gateway.channels().await?, timeline.clone());
    for_a_while(CALLERS, time, move |caller, number| {
        let (channel, timeline): (Channel, _) = (channels[caller % channels.len()].clone(), timeline.clone());
        async move {
            let placed = OrderingServiceClient::new(channel.clone()).place_order(an_order(number)).await?;
            let payment = placed.into_inner().order.unwrap_or_default().payment_id;
            let asked = Instant::now();
            timeline.note(asked, &PaymentServiceClient::new(channel).pay(a_payment(payment)).await);
            Ok(())
        }
    })
    .await
}

/// Calls again and again from so many callers at once.
async fn for_a_while<F, Fut>(callers: usize, time: Duration, call: F) -> Outcome<()>
where
    F: Fn(usize, usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), Status>> + Send,
{
    let (begin, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let (call, next) = (call.clone(), next.clone());
        tasks.spawn(async move {
            while begin.elapsed() < time {
                call(caller, next.fetch_add(1, Ordering::Relaxed)).await?;
            }
            Ok::<(), Status>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn start(plan: &Plan, ground: &Ground, payment: &[&str]) -> Outcome<Mesh> {
    let more: Vec<String> = payment.iter().map(|argument| (*argument).to_owned()).collect();
    ground.mesh(plan, &["payment", "ordering"], ("payment", &more)).await
}

/// Reads the state of ordering's breaker from its metrics, five times a second.
async fn watch_breaker(admin: std::net::SocketAddr, timeline: Timeline) {
    loop {
        if let Ok(page) = crate::child::read_page(admin, "/metrics").await
            && let Some(line) = page.lines().find(|line| line.starts_with("highstreet_breaker_state{"))
            && let Some(state) = line.rsplit(' ').next().and_then(|state| state.parse().ok())
        {
            timeline.note_breaker(state);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// No order without a payment, and no payment without an order.
async fn compare_orders_and_payments(ground: &Ground) -> Outcome<()> {
    let count = |query: &str| ground.postgres.run_in("highstreet", query).parse::<u64>();
    let apart = "SELECT (SELECT count(*) FROM ordering.streams WHERE status = 'ORDERED'), \
                 (SELECT count(*) FROM payment.streams WHERE status = 'REQUESTED')";
    for _ in 0..100 {
        let counts = ground.postgres.run_in("highstreet", apart);
        let mut counts = counts.split('|');
        if counts.next() == counts.next() {
            println!(
                "{:<58} {}",
                "orders, each with its payment",
                count("SELECT count(*) FROM ordering.streams WHERE status = 'ORDERED'")?
            );
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!("orders and payments differ: {}", ground.postgres.run_in("highstreet", apart)).into())
}

fn file(name: &str) -> std::path::PathBuf {
    Path::new(FIGURES).join(format!("{name}.svg"))
}
