//! What it costs to tell a collector of one trace in a hundred.

use std::net::SocketAddr;

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

use crate::cafe;
use crate::child::Server;
use crate::report::Report;
use crate::{Outcome, Plan};

/// Takes everything, and forgets it.
#[derive(Clone, Copy)]
struct Collector;

/// Where it ends as a name of a figure.
pub(crate) const TOLD: &str = ", one trace in a hundred told";

/// The same calls, with a collector and without, one after the other.
pub(crate) async fn measure(plan: &Plan, report: &mut Report) -> Outcome<()> {
    let collector = collect().await?;
    let told = ["--otlp-endpoint", &format!("http://{collector}"), "--trace-sample", "0.01"].map(str::to_owned);
    measure_with(plan, &[], "", report).await?;
    measure_with(plan, &told, TOLD, report).await
}

async fn measure_with(plan: &Plan, more: &[String], suffix: &str, report: &mut Report) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let server = Server::highstreet_with(plan, data.path(), &["ordering", "payment"], more).await?;
    // The first second warms up.
    cafe::place(&plan.of(1), &server.channels().await?, &cafe::Orders::default()).await?;
    cafe::settle(&server).await?;
    cafe::measure_place_and_get(plan, &server, suffix, report).await.map(drop)
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
