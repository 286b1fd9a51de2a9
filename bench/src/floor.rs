//! The floors: a bare gRPC server that commits the same rows in groups with the same SQLite settings, one that
//! answers from memory, and a single commit.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use highstreet_sqlite::Store;
use highstreet_wire::proto::Money;
use highstreet_wire::proto::ordering as proto;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::ordering_service_server::{OrderingService, OrderingServiceServer};
use rusqlite::{Connection, params};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server as TonicServer};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::child::Server;
use crate::load::{self, Load, Turn};
use crate::report::Report;
use crate::{Outcome, Plan};

/// The rows that a write leaves in its context's store, by their parts' lengths in bytes: a stream with its places in
/// lists, and an event, published.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    state: usize,
    event: usize,
    body: usize,
    /// How many streams there are to be changed; 0 if each write makes a new one.
    known: u64,
}

/// An order with one line.
pub(crate) const ORDER: Rows = Rows { state: 330, event: 61, body: 232, known: 0 };
/// A reservation.
pub(crate) const RESERVATION: Rows = Rows { state: 66, event: 69, body: 132, known: 0 };
/// Goods that come, for one of a thousand items.
pub(crate) const RECEIPT: Rows = Rows { state: 93, event: 243, body: 181, known: 1000 };
/// Where a call came from, in both rows.
const ORIGIN: usize = 125;
/// 2023 in microseconds since 1970.
const TIME: i64 = 1_700_000_000_000_000;
const ROWS: &str = "FLOOR_ROWS";

struct Floor {
    commits: Sender<(Uuid, oneshot::Sender<()>)>,
}

/// Serves the floor until it is ended.
pub(crate) async fn serve(data: &Path) -> Outcome<()> {
    let address = std::env::var("FLOOR_LISTEN")?;
    let listener = TcpListener::bind(&address).await?;
    let (connection, rows) = (open(data)?, Rows::told(&std::env::var(ROWS)?)?);
    (0..rows.known).try_for_each(|_| write(&connection, Rows { known: 0, ..rows }, Uuid::now_v7()))?;
    let (commits, waiting) = mpsc::channel();
    thread::spawn(move || commit_groups(&connection, rows, &waiting));
    TonicServer::builder()
        .add_service(OrderingServiceServer::new(Floor { commits }))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await?;
    Ok(())
}

/// What a write is divided by.
pub(crate) const GROUP_COMMIT: &str = "floor: group commit";
/// What a read is divided by.
pub(crate) const FROM_MEMORY: &str = "floor: from memory";

/// A floor that runs, beside what is divided by it.
pub(crate) struct Beside {
    plan: Plan,
    channels: Vec<Channel>,
    _server: Server,
    _data: TempDir,
}

impl Beside {
    pub(crate) async fn open(plan: &Plan, rows: Rows) -> Outcome<Self> {
        let data = tempfile::tempdir()?;
        let server = Server::floor(data.path(), (ROWS, rows.to_string())).await?;
        Ok(Self { plan: plan.clone(), channels: server.channels().await?, _server: server, _data: data })
    }

    /// Measures `turn` and commits of the same rows in turns.
    pub(crate) async fn writes<'a>(&'a self, name: &str, turn: Turn<'a>, report: &mut Report) -> Outcome<()> {
        let floor: Turn<'a> = Box::new(|time| Box::pin(self.write(time)));
        report.beside(name, GROUP_COMMIT, &load::in_turns(self.plan.time, [turn, floor]).await?);
        Ok(())
    }

    /// Measures `turn` and answers from memory in turns.
    pub(crate) async fn reads<'a>(&'a self, name: &str, turn: Turn<'a>, report: &mut Report) -> Outcome<()> {
        let floor: Turn<'a> = Box::new(|time| Box::pin(self.read(time)));
        report.beside(name, FROM_MEMORY, &load::in_turns(self.plan.time, [turn, floor]).await?);
        Ok(())
    }

    async fn write(&self, time: Duration) -> Outcome<Load> {
        let channels = self.channels.clone();
        load::run(self.plan.callers, time, usize::MAX, move |caller, _| {
            let mut client = OrderingServiceClient::new(channels[caller % channels.len()].clone());
            async move {
                let request = proto::CancelOrderRequest { order_id: Uuid::now_v7().to_string(), ..Default::default() };
                client.cancel_order(request).await.map(drop)
            }
        })
        .await
    }

    async fn read(&self, time: Duration) -> Outcome<Load> {
        let channels = self.channels.clone();
        load::run(self.plan.callers, time, usize::MAX, move |caller, _| {
            let mut client = OrderingServiceClient::new(channels[caller % channels.len()].clone());
            async move {
                let request = proto::GetOrderRequest { order_id: Uuid::now_v7().to_string() };
                client.get_order(request).await.map(drop)
            }
        })
        .await
    }
}

pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    report.note("one commit", one_commit()?);
    let floor = Beside::open(plan, ORDER).await?;
    report.load(GROUP_COMMIT, &floor.write(plan.time).await?);
    report.load(FROM_MEMORY, &floor.read(plan.time).await?);
    Ok(())
}

/// The median of a commit of the same rows, one at a time, with nothing around it.
fn one_commit() -> Outcome<Duration> {
    let data = tempfile::tempdir()?;
    let connection = open(data.path())?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let id = Uuid::now_v7();
        let begin = Instant::now();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        write(&connection, ORDER, id)?;
        connection.execute_batch("COMMIT")?;
        times.push(begin.elapsed());
    }
    Ok(Load::from_latencies(times).percentile(0.5))
}

/// A context's store, with the settings and indexes that the server's has.
fn open(data: &Path) -> Outcome<Connection> {
    let file = data.join("floor.db");
    drop(Store::open_context(&file)?);
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = OFF;
         PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = 24000;",
    )?;
    Ok(connection)
}

fn commit_groups(connection: &Connection, rows: Rows, waiting: &Receiver<(Uuid, oneshot::Sender<()>)>) {
    while let Ok(first) = waiting.recv() {
        let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter().take(511)).collect();
        let committed = (|| {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            group.iter().try_for_each(|(id, _)| write(connection, rows, *id))?;
            connection.prepare_cached("COMMIT")?.execute([])
        })();
        if committed.is_ok() {
            for (_, done) in group {
                // Whoever waited may have gone.
                let _ = done.send(());
            }
        }
    }
}

fn write(connection: &Connection, rows: Rows, id: Uuid) -> rusqlite::Result<()> {
    const X: [u8; 512] = [b'x'; 512];
    let part = |length: usize| &X[..length];
    let origin = std::str::from_utf8(part(ORIGIN))?;
    let stream = if rows.known > 0 {
        // The last bits of an id are random.
        let stream = 1 + (id.as_u128() % u128::from(rows.known)) as i64;
        connection
            .prepare_cached(
                "UPDATE streams SET revision = revision + 1, state = ?2, updated = ?3, \
                 last = (SELECT coalesce(max(position), 0) FROM events) + 1 WHERE stream = ?1",
            )?
            .execute(params![stream, part(rows.state), TIME])?;
        stream
    } else {
        connection
            .prepare_cached(
                "INSERT INTO streams (id, aggregate, revision, version, state, shop, owner, reference, status, \
                 created, updated, since, origin, last) VALUES (?1, 'floor', 1, 1, ?2, 'skanu', '+821012345678', '', \
                 'ORDERED', ?3, ?3, 0, ?4, (SELECT coalesce(max(position), 0) FROM events) + 1)",
            )?
            .execute(params![id.as_bytes(), part(rows.state), TIME, origin])?;
        connection.last_insert_rowid()
    };
    connection
        .prepare_cached(
            "INSERT INTO events (stream, revision, time, origin, data, name, body) \
             VALUES (?1, 1, ?2, ?3, ?4, 'OrderPlaced', ?5)",
        )?
        .execute(params![stream, TIME, origin, part(rows.event), part(rows.body)])?;
    Ok(())
}

// === impl Rows ===

impl Rows {
    fn told(text: &str) -> Outcome<Self> {
        let lengths: Vec<usize> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let &[state, event, body, known] = lengths.as_slice() else { return Err(format!("{ROWS}={text}").into()) };
        Ok(Self { state, event, body, known: u64::try_from(known)? })
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.state, self.event, self.body, self.known)
    }
}

#[async_trait]
impl OrderingService for Floor {
    async fn cancel_order(
        &self,
        request: Request<proto::CancelOrderRequest>,
    ) -> Result<Response<proto::CancelOrderResponse>, Status> {
        let id = Uuid::parse_str(&request.get_ref().order_id).map_err(|_| Status::invalid_argument("order_id"))?;
        let (done, committed) = oneshot::channel();
        self.commits.send((id, done)).map_err(|_| Status::unavailable("stopped"))?;
        committed.await.map_err(|_| Status::unavailable("not committed"))?;
        Ok(Response::new(proto::CancelOrderResponse { order: Some(order(id)) }))
    }

    async fn get_order(
        &self,
        request: Request<proto::GetOrderRequest>,
    ) -> Result<Response<proto::GetOrderResponse>, Status> {
        let id = Uuid::parse_str(&request.get_ref().order_id).map_err(|_| Status::invalid_argument("order_id"))?;
        Ok(Response::new(proto::GetOrderResponse { order: Some(order(id)) }))
    }

    async fn place_order(
        &self,
        _request: Request<proto::PlaceOrderRequest>,
    ) -> Result<Response<proto::PlaceOrderResponse>, Status> {
        Err(Status::unimplemented("not part of the floor"))
    }

    async fn list_orders(
        &self,
        _request: Request<proto::ListOrdersRequest>,
    ) -> Result<Response<proto::ListOrdersResponse>, Status> {
        Err(Status::unimplemented("not part of the floor"))
    }
}

/// An order such as the coffee shop answers with.
fn order(id: Uuid) -> proto::Order {
    let price = Money { currency_code: "KRW".into(), units: 4500, nanos: 0 };
    proto::Order {
        order_id: id.to_string(),
        shop_id: "skanu".into(),
        customer_phone: "010-1234-5678".into(),
        lines: vec![proto::OrderLine {
            product_id: "latte".into(),
            product_name: "Latte".into(),
            quantity: 1,
            unit_price: Some(price.clone()),
        }],
        total: Some(price),
        payment_id: id.to_string(),
        revision: 2,
        ..proto::Order::default()
    }
}
