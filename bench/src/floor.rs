//! The floors: a bare gRPC server that commits the same rows in groups with the same SQLite settings, one that
//! answers from memory, and a single commit.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
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

/// As large as an order with one line is kept.
const STATE: &[u8] = &[b'x'; 520];
const EVENT: &[u8] = &[b'x'; 260];

struct Floor {
    commits: Sender<(Uuid, oneshot::Sender<()>)>,
}

/// Serves the floor until it is ended.
pub(crate) async fn serve(data: &Path) -> Outcome<()> {
    let address = std::env::var("FLOOR_LISTEN")?;
    let listener = TcpListener::bind(&address).await?;
    let connection = open(data)?;
    let (commits, waiting) = mpsc::channel();
    thread::spawn(move || commit_groups(&connection, &waiting));
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
    pub(crate) async fn open(plan: &Plan) -> Outcome<Self> {
        let data = tempfile::tempdir()?;
        let server = Server::floor(data.path()).await?;
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
    let floor = Beside::open(plan).await?;
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
        write(&connection, id)?;
        connection.execute_batch("COMMIT")?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn open(data: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(data.join("floor.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 24000;
         CREATE TABLE IF NOT EXISTS states (id BLOB PRIMARY KEY, revision INTEGER, state BLOB);
         CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY, id BLOB, revision INTEGER, data BLOB);
         CREATE TABLE IF NOT EXISTS causes (id BLOB, cause BLOB, PRIMARY KEY (id, cause)) WITHOUT ROWID;",
    )?;
    Ok(connection)
}

fn commit_groups(connection: &Connection, waiting: &Receiver<(Uuid, oneshot::Sender<()>)>) {
    while let Ok(first) = waiting.recv() {
        let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter().take(511)).collect();
        let committed = (|| {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            group.iter().try_for_each(|(id, _)| write(connection, *id))?;
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

fn write(connection: &Connection, id: Uuid) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO states VALUES (?1, 1, ?2) ON CONFLICT (id) DO UPDATE SET state = excluded.state")?
        .execute(params![id.as_bytes(), STATE])?;
    connection
        .prepare_cached("INSERT INTO events (id, revision, data) VALUES (?1, 1, ?2)")?
        .execute(params![id.as_bytes(), EVENT])?;
    connection
        .prepare_cached("INSERT INTO causes VALUES (?1, ?2)")?
        .execute(params![id.as_bytes(), Uuid::now_v7().as_bytes()])?;
    Ok(())
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
