//! What it costs to tell a collector of one trace in a hundred.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server as Transport;
use tonic::{Request, Response, Status};

use crate::cafe::{self, Orders};
use crate::child::Server;
use crate::load::{self, Turn};
use crate::report::Report;
use crate::{Outcome, Plan};

/// Takes everything, and forgets it.
#[derive(Clone, Copy)]
struct Collector;

/// Where it ends as a name of a figure.
pub(crate) const TOLD: &str = ", one trace in a hundred told";

/// The same calls, with a collector and without, in turns.
pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let collector = collect().await?;
    let told = ["--otlp-endpoint", &format!("http://{collector}"), "--trace-sample", "0.01"].map(str::to_owned);
    let (silent_data, told_data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let silent = start(plan, silent_data.path(), &[]).await?;
    let telling = start(plan, told_data.path(), &told).await?;
    let servers = [(&silent, ""), (&telling, TOLD)];

    let orders = [Orders::default(), Orders::default()];
    let channels = [silent.channels().await?, telling.channels().await?];
    let used = [silent.processor()?, telling.processor()?];
    let place = |at: usize| {
        let (channels, orders) = (&channels[at], &orders[at]);
        let turn: Turn<'_> = Box::new(move |time| {
            let plan = Plan { time, ..plan.clone() };
            Box::pin(async move { cafe::place(&plan, channels, orders).await })
        });
        turn
    };
    let placed = load::in_turns(plan.time, [place(0), place(1)]).await?;
    for (at, (server, suffix)) in servers.iter().enumerate() {
        cafe::settle(server).await?;
        report.load(&format!("PlaceOrder{suffix}"), &placed[at]);
        let cost = (server.processor()? - used[at]) / placed[at].count() as f64;
        report.cost(&format!("processor time of one PlaceOrder{suffix}"), cost);
    }

    let known =
        orders.map(|orders| Arc::new(std::mem::take(&mut *orders.lock().unwrap_or_else(PoisonError::into_inner))));
    let get = |at: usize| {
        let (channels, known) = (&channels[at], &known[at]);
        let turn: Turn<'_> = Box::new(move |time| {
            let plan = Plan { time, ..plan.clone() };
            Box::pin(async move { cafe::get(&plan, channels, known).await })
        });
        turn
    };
    let got = load::in_turns(plan.time, [get(0), get(1)]).await?;
    for (at, (_, suffix)) in servers.iter().enumerate() {
        report.load(&format!("GetOrder{suffix}"), &got[at]);
    }
    Ok(())
}

/// A server that has warmed up.
async fn start(plan: &Plan, data: &Path, more: &[String]) -> Outcome<Server> {
    let server = Server::highstreet_with(plan, data, &["ordering", "payment"], more).await?;
    cafe::place(&plan.of(1), &server.channels().await?, &Orders::default()).await?;
    cafe::settle(&server).await?;
    Ok(server)
}

async fn collect() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let collector = Transport::builder()
        .add_service(TraceServiceServer::new(Collector))
        .add_service(MetricsServiceServer::new(Collector));
    tokio::spawn(collector.serve_with_incoming(TcpListenerStream::new(listener)));
    Ok(address)
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        _request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
