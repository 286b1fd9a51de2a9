//! The other shops under load: a rush on one screening, readers of many books, stock that moves, deadlines that pass.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use highstreet_domain::inventory::{Moved, Movement};
use highstreet_domain::kernel::ports::Outbox;
use highstreet_domain::kernel::{Reference, Timestamp};
use highstreet_foundation::codec::encode;
use highstreet_sqlite::{EmbeddedBus, SqliteOutbox, Store};
use highstreet_wire::proto::Money;
use highstreet_wire::proto::booking::CreateBookingRequest;
use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::inventory::{GetStockRequest, ReceiveStockRequest};
use highstreet_wire::proto::lending::RequestReservationRequest;
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{ListOrdersRequest, OrderStatus};
use highstreet_wire::proto::seating::OpenScreeningRequest;
use highstreet_wire::proto::seating::seating_service_client::SeatingServiceClient;
use rusqlite::types::Value;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::cafe::{self, Orders, SHOP};
use crate::child::Server;
use crate::floor::{Beside, RECEIPT, RESERVATION};
use crate::load::{self, Load, Turn};
use crate::report::Report;
use crate::{Outcome, Plan};

/// What pretix says it sells of one event at the most, a minute
/// (<https://docs.pretix.eu/trust/performance/>: 300 to 400).
const PRETIX: f64 = 400.0;
const RUSH: usize = 256;
const ROWS: usize = 99;
const SEATS_PER_ROW: usize = 26;
const ITEMS: usize = 1_000;

pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    measure_screening(plan, report).await?;
    measure_reservations(plan, &Beside::open(plan, RESERVATION).await?, report).await?;
    measure_receipts(plan, &Beside::open(plan, RECEIPT).await?, report).await?;
    measure_deadlines(plan, report).await
}

/// As many guests as seats, each for a seat of their own, on one screening.
async fn measure_screening(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &[]).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    report.size("all fourteen contexts idle in one process", server.resident()?);
    let channels = server.channels().await?;
    let hall = OpenScreeningRequest {
        shop_id: "cgv".into(),
        screening_id: "rush".into(),
        movie_name: "Rush".into(),
        rows: i32::try_from(ROWS)?,
        seats_per_row: i32::try_from(SEATS_PER_ROW)?,
        ..Default::default()
    };
    SeatingServiceClient::new(channels[0].clone()).open_screening(hall).await?;
    let synced = syncs()?;
    let sold = book_every_seat(&channels).await?;
    report.load("CreateBooking, 256 callers on one screening", &sold);
    report.ratio("tickets a minute of one screening ÷ pretix's 400", sold.rate * 60.0 / PRETIX);
    report.ratio("syncs of the disk for each booking", (syncs()? - synced) / sold.count() as f64);
    Ok(())
}

async fn book_every_seat(channels: &[Channel]) -> Outcome<Load> {
    let channels = channels.to_vec();
    load::run(RUSH, Duration::from_mins(2), ROWS * SEATS_PER_ROW, move |caller, number| {
        let mut client = BookingServiceClient::new(channels[caller % channels.len()].clone());
        let letter = char::from(b'A' + u8::try_from(number % SEATS_PER_ROW).unwrap_or(0));
        let request = CreateBookingRequest {
            shop_id: "cgv".into(),
            customer: format!("guest {number}"),
            screening_id: "rush".into(),
            seats: vec![format!("{}{letter}", number / SEATS_PER_ROW + 1)],
            total_price: Some(Money { currency_code: "KRW".into(), units: 10_000, nanos: 0 }),
            payment_method: PaymentMethod::Card.into(),
            ..Default::default()
        };
        async move { client.create_booking(request).await.map(drop) }
    })
    .await
}

/// Readers who want different books, with nobody following.
async fn measure_reservations(plan: &Plan, floor: &Beside, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &["lending"]).await?;
    let (channels, books) = (server.channels().await?, Arc::new(AtomicUsize::new(0)));
    let reserved: Turn<'_> = Box::new(|time| Box::pin(reserve(&channels, plan.callers, time, &books)));
    floor.writes("RequestReservation, different books", reserved, report).await
}

async fn reserve(channels: &[Channel], callers: usize, time: Duration, books: &Arc<AtomicUsize>) -> Outcome<Load> {
    let (channels, books) = (channels.to_vec(), books.clone());
    load::run(callers, time, usize::MAX, move |caller, _| {
        let mut client = LendingServiceClient::new(channels[caller % channels.len()].clone());
        let request = RequestReservationRequest {
            shop_id: "hanbit".into(),
            user_id: format!("reader {caller}"),
            book_id: format!("book {}", books.fetch_add(1, Ordering::Relaxed)),
            ..Default::default()
        };
        async move { client.request_reservation(request).await.map(drop) }
    })
    .await
}

/// Goods that come, with nobody following.
async fn measure_receipts(plan: &Plan, floor: &Beside, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &["inventory"]).await?;
    let channels = server.channels().await?;
    let received: Turn<'_> = Box::new(|time| Box::pin(receive(&channels, plan.callers, time, usize::MAX)));
    floor.writes("ReceiveStock, many items", received, report).await
}

/// How late orders expire that nobody pays.
async fn measure_deadlines(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet(plan, data.path(), &["--pay-within", "2s"]).await?;
    let channels = server.channels().await?;
    let orders = Orders::default();
    let few = Plan { time: Duration::from_millis(300), callers: 4, ..plan.clone() };
    let placed = cafe::place(&few, &channels, &orders).await?.count();
    let mut client = OrderingServiceClient::new(channels[0].clone());
    let mut lateness = Vec::new();
    while lateness.len() < placed.min(1000) {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let request = ListOrdersRequest {
            shop_id: SHOP.into(),
            status: OrderStatus::Cancelled.into(),
            page_size: 1000,
            ..Default::default()
        };
        let cancelled = client.list_orders(request).await?.into_inner().orders;
        let micros = |time: Option<prost_types::Timestamp>| {
            time.map_or(0, |time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1000)
        };
        let late = cancelled.iter().map(|order| micros(order.update_time) - micros(order.pay_by));
        lateness = late.map(|late| Duration::from_micros(u64::try_from(late).unwrap_or(0))).collect();
    }
    report.lag("how late a deadline is kept", &Load::from_latencies(lateness));
    Ok(())
}

/// Reading and changing stock with few movements stored, and with many: two servers, in turns.
pub(crate) async fn measure_stored(plan: &Plan, movements: u64, report: &mut Report) -> Outcome<()> {
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    for folder in &folders {
        let server = Server::highstreet(plan, folder.path(), &["inventory"]).await?;
        receive(&server.channels().await?, plan.callers, Duration::from_mins(5), 10_000).await?;
    }
    println!("storing {movements} movements …");
    store_movements(folders[1].path(), movements).await?;
    let servers = [
        Server::highstreet(plan, folders[0].path(), &["inventory"]).await?,
        Server::highstreet(plan, folders[1].path(), &["inventory"]).await?,
    ];
    let channels = [servers[0].channels().await?, servers[1].channels().await?];
    for channels in &channels {
        receive(channels, plan.callers, Duration::from_secs(1), usize::MAX).await?;
    }
    let change = |at: usize| {
        let channels = &channels[at];
        let turn: Turn<'_> = Box::new(move |time| Box::pin(receive(channels, plan.callers, time, usize::MAX)));
        turn
    };
    let read = |at: usize| {
        let channels = &channels[at];
        let turn: Turn<'_> = Box::new(move |time| Box::pin(look_up(channels, plan.callers, time)));
        turn
    };
    let [few, many] = load::in_turns(plan.time, [read(0), read(1)]).await?;
    report.load("GetStock, few movements stored", &few);
    report.load("GetStock, many movements stored", &many);
    report.ratio("reading stock with many movements ÷ with few", many.rate / few.rate);
    let [few, many] = load::in_turns(plan.time, [change(0), change(1)]).await?;
    report.load("ReceiveStock, few movements stored", &few);
    report.load("ReceiveStock, many movements stored", &many);
    report.ratio("changing stock with many movements ÷ with few", many.rate / few.rate);
    Ok(())
}

async fn look_up(channels: &[Channel], callers: usize, time: Duration) -> Outcome<Load> {
    let channels = channels.to_vec();
    load::run(callers, time, usize::MAX, move |caller, number| {
        let mut client = InventoryServiceClient::new(channels[caller % channels.len()].clone());
        let request = GetStockRequest { shop_id: "gs25".into(), sku: format!("item {}", number % ITEMS) };
        async move { client.get_stock(request).await.map(drop) }
    })
    .await
}

async fn receive(channels: &[Channel], callers: usize, time: Duration, most: usize) -> Outcome<Load> {
    let channels = channels.to_vec();
    load::run(callers, time, most, move |caller, number| {
        let mut client = InventoryServiceClient::new(channels[caller % channels.len()].clone());
        let request = ReceiveStockRequest {
            shop_id: "gs25".into(),
            sku: format!("item {}", number % ITEMS),
            product_name: "Item".into(),
            quantity: 1,
            ..Default::default()
        };
        async move { client.receive_stock(request).await.map(drop) }
    })
    .await
}

/// Puts movements beside the stock that is there, as if each had been sent: an entry and an event each.
async fn store_movements(data: &Path, movements: u64) -> Outcome<()> {
    insert_movements(data, movements)?;
    // As in a shop that has been open for a while, all of it is published.
    let store = Arc::new(Store::open_context(&data.join("inventory.db"))?);
    let bus = Arc::new(EmbeddedBus::open(&data.join("bus.db"))?);
    let outbox = SqliteOutbox::new(store, "inventory", bus).map_err(|error| error.to_string())?;
    Ok(outbox.published(movements + 1_000_000).await.map_err(|error| error.to_string())?)
}

fn insert_movements(data: &Path, movements: u64) -> Outcome<()> {
    let mut store = rusqlite::Connection::open(data.join("inventory.db"))?;
    store.pragma_update(None, "synchronous", "OFF")?;
    let transaction = store.transaction()?;
    let streams: Vec<i64> = transaction
        .prepare("SELECT stream FROM streams")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    // As it is kept, be it text or bytes.
    let event: (Value, Value) =
        transaction.query_row("SELECT origin, data FROM events LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    {
        let mut entries =
            transaction.prepare("INSERT INTO entries (stream, key, data, updated) VALUES (?1, ?2, ?3, 0)")?;
        let mut events = transaction.prepare(
            "INSERT INTO events (stream, revision, time, cause, origin, data) VALUES (?1, ?2, 0, NULL, ?3, ?4)",
        )?;
        for number in 0..movements {
            let stream = streams[usize::try_from(number)? % streams.len()];
            let reference = Reference::new("replenishment", Uuid::from_u128(number.into()).to_string());
            let key = reference.to_string();
            let movement = Movement { reference, moved: Moved::Received(1), created: Timestamp::from_micros(0) };
            let entry = encode(&movement).map_err(|error| error.to_string())?;
            entries.execute((stream, key, entry))?;
            events.execute((stream, i64::try_from(number)? + 1_000_000, &event.0, &event.1))?;
        }
    }
    transaction.commit()?;
    drop(store);
    // Else it is written while others are measured.
    Ok(std::fs::File::open(data.join("inventory.db"))?.sync_all()?)
}

/// How often this machine's disk was told to keep what was written, whoever did.
fn syncs() -> Outcome<f64> {
    // The sixteenth figure behind the name of a device; partitions count what their disk counts.
    let disks = std::fs::read_to_string("/proc/diskstats")?;
    let flushes = disks.lines().filter_map(|line| line.split_whitespace().nth(18)?.parse::<f64>().ok());
    Ok(flushes.fold(0.0, f64::max))
}
