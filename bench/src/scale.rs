//! A folder with very many orders.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use highstreet_domain::kernel::ports::{Append, Ids, Journal, Outbox, Recorded, Wake};
use highstreet_domain::kernel::{
    Aggregate, Cause, Currency, Id, Item, Money, Origin, PaymentMethod, Phone, ProductId, ProductName, Quantity,
    ShopId, Standing, Timestamp,
};
use highstreet_domain::ordering::{Details, Event, Line, Order};
use highstreet_foundation::TimeOrderedIds;
use highstreet_sqlite::{EmbeddedBus, SqliteJournal, SqliteOutbox, Store};
use highstreet_wire::proto::ordering::GetOrderRequest;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use tokio::task::JoinSet;

use crate::child::Server;
use crate::report::Report;
use crate::{Outcome, Plan, load};

const FEW: u64 = 10_000;
const AT_ONCE: usize = 256;
const LOADS: usize = 10_000;

pub(crate) async fn measure(plan: &Plan, stored: u64, report: &mut Report) -> Outcome<()> {
    let (few, many) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (few_ids, from_few) = loading(few.path(), FEW).await?;
    let (many_ids, from_many) = loading(many.path(), stored).await?;
    report.note("reading one of 10 thousand from the file", from_few);
    report.note("reading one of many from the file", from_many);

    let of_few = getting(plan, few.path(), few_ids, report, "ready with 10 thousand orders").await?;
    let of_many = getting(plan, many.path(), many_ids, report, "ready with stored orders").await?;
    report.note("GetOrder, one of 10 thousand", of_few);
    report.note("GetOrder, one of many", of_many);
    report.ratio("GetOrder, one of many ÷ one of 10 thousand", of_many.as_secs_f64() / of_few.as_secs_f64());
    Ok(())
}

/// How long a single caller waits for an order that was not asked for lately, in the median.
async fn getting(plan: &Plan, data: &Path, ids: Vec<Id<Order>>, report: &mut Report, ready: &str) -> Outcome<Duration> {
    // The last to close the file writes its log back; only then is it ours.
    for _ in 0..600 {
        if !data.join("ordering.db-wal").exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let server = Server::highstreet(plan, data, &[]).await?;
    report.time(ready, server.ready);
    let channel = server.channels().await?.remove(0);
    // The same ten thousand again and again, from all over the file: more than the server remembers, and few enough
    // for the system to keep their pages.
    let spread = ids.len() / LOADS;
    let picked: Arc<Vec<_>> = Arc::new((0..LOADS).map(|at| ids[(at * 7919 % LOADS) * spread].to_string()).collect());
    let get = move |_, number: usize| {
        let mut client = OrderingServiceClient::new(channel.clone());
        let order_id = picked[number % LOADS].clone();
        async move { client.get_order(GetOrderRequest { order_id }).await.map(drop) }
    };
    load::run(1, Duration::from_mins(1), 2 * LOADS, get.clone()).await?;
    let got = load::run(1, plan.time, usize::MAX, get);
    Ok(got.await?.percentile(0.5))
}

/// Stores `count` orders, and returns them with how long reading one of them from the file takes, in the mean over
/// many.
async fn loading(data: &Path, count: u64) -> Outcome<(Vec<Id<Order>>, Duration)> {
    let store = Arc::new(Store::open_context(&data.join("ordering.db"))?);
    let open = || SqliteJournal::<Order>::new(store.clone(), highstreet_wire::ordering::publish);
    let ids = fill(&Arc::new(open()), count).await?;
    // As in a shop that has been open for a while, all of it is published.
    let bus = Arc::new(EmbeddedBus::open(&data.join("bus.db"))?);
    let outbox = SqliteOutbox::new(store.clone(), "ordering", bus).map_err(|error| error.to_string())?;
    outbox.published(2 * count).await.map_err(|error| error.to_string())?;
    let spread = ids.len() / LOADS;
    let mut took = Duration::MAX;
    // The shortest of a few: the caches are warm, and nobody else was at work. Each with a journal that remembers
    // nothing.
    for _ in 0..5 {
        let journal = open();
        let begin = Instant::now();
        for at in 0..LOADS {
            // 7919 is prime: every order once, in no order.
            let id = ids[(at * 7919 % LOADS) * spread];
            journal.load(id, &[]).await.map_err(|error| error.to_string())?;
        }
        took = took.min(begin.elapsed());
    }
    Ok((ids, took / u32::try_from(LOADS)?))
}

async fn fill(journal: &Arc<SqliteJournal<Order>>, count: u64) -> Outcome<Vec<Id<Order>>> {
    println!("storing {count} orders …");
    let mut ids = Vec::new();
    let mut appends: JoinSet<Result<(), String>> = JoinSet::new();
    for number in 0..count {
        if appends.len() == AT_ONCE {
            appends.join_next().await.ok_or("no append")???;
        }
        let id = Id::new(TimeOrderedIds.next());
        ids.push(id);
        let journal = journal.clone();
        appends.spawn(async move { journal.append(an_order(id, number)?).await.map_err(|error| format!("{error:?}")) });
    }
    while let Some(done) = appends.join_next().await {
        done??;
    }
    Ok(ids)
}

fn an_order(id: Id<Order>, number: u64) -> Result<Append<Order>, String> {
    let price = Money::new(Currency::KRW, 4500, 0).map_err(|error| error.to_string())?;
    let text = |error: highstreet_domain::kernel::InvalidText| error.to_string();
    let line = Line {
        item: Item {
            product: ProductId::parse("latte").map_err(text)?,
            name: ProductName::parse("Latte").map_err(text)?,
            quantity: Quantity::new(1).map_err(text)?,
            unit_price: None,
        },
        unit_price: price,
    };
    let now = TimeOrderedIds.next().get_timestamp().map_or(0, |time| time.to_unix().0.cast_signed() * 1_000_000);
    let now = Timestamp::from_micros(now);
    let pay_by = now.after(Duration::from_hours(24));
    let details = Details {
        shop: ShopId::parse("skanu").map_err(text)?,
        customer: Phone::parse(&format!("010-{:04}-{:04}", number / 10_000 % 10_000, number % 10_000)).map_err(text)?,
        lines: vec![line],
        method: PaymentMethod::Card,
        total: price,
        pay_by,
    };
    let origin = Arc::new(Origin { actor: "bench".into(), ..Origin::default() });
    let events = [Event::Submitted(details), Event::Placed { payment: id.to_string() }];
    let mut state = Order::default();
    let mut recorded = Vec::new();
    for event in events {
        state = state.evolve(&event);
        let cause = Some(Cause::unique(TimeOrderedIds.next()));
        recorded.push(Recorded { event, state: state.clone(), cause, origin: origin.clone() });
    }
    Ok(Append {
        id,
        after: 0,
        era: 0,
        events: recorded,
        index: state.index(),
        standing: Standing { state, revision: 2, created: now, updated: now },
        wake: Wake::At { at: pay_by, since: 2 },
        origin,
        claims: vec![],
        release: false,
        entries: vec![],
    })
}
