//! A collector: takes spans and metrics by OTLP, or hangs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as proto;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// A collector on a free port; clones are the same. It ends with the runtime.
#[derive(Clone)]
pub(crate) struct Collector {
    address: SocketAddr,
    told: Arc<Mutex<Told>>,
    hangs: Arc<watch::Sender<bool>>,
}

/// What it was told.
#[derive(Default)]
struct Told {
    spans: Vec<Span>,
    /// The names of metrics, by service.
    metrics: BTreeMap<String, Vec<String>>,
    /// All of it, as it came.
    text: String,
}

/// A span, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: proto::span::SpanKind,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The spans that it is linked to.
    pub(crate) links: Vec<String>,
}

// === impl Collector ===

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            address: listener.local_addr().unwrap(),
            told: Arc::default(),
            hangs: Arc::new(watch::Sender::new(false)),
        };
        let server = Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        collector
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers nobody.
    pub(crate) fn hang(&self) {
        self.hangs.send_replace(true);
    }

    /// The spans of a trace.
    pub(crate) fn trace(&self, id: &str) -> Vec<Span> {
        self.told().spans.iter().filter(|span| span.trace == id).cloned().collect()
    }

    /// The names of the metrics that a service told of last.
    pub(crate) fn metrics_of(&self, service: &str) -> Vec<String> {
        self.told().metrics.get(service).cloned().unwrap_or_default()
    }

    /// Everything it was told, with all names and values.
    pub(crate) fn text(&self) -> String {
        self.told().text.clone()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    async fn answers(&self) {
        // It never gives up hanging while anybody waits for it.
        let _ = self.hangs.subscribe().wait_for(|hangs| !hangs).await;
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.answers().await;
        let request = request.into_inner();
        let mut told = self.told();
        let _ = writeln!(told.text, "{request:?}");
        for resource in request.resource_spans {
            let service = service(resource.resource.as_ref());
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            told.spans.extend(spans.map(|span| Span::of(&service, span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.answers().await;
        let request = request.into_inner();
        let mut told = self.told();
        let _ = writeln!(told.text, "{request:?}");
        for resource in request.resource_metrics {
            let service = service(resource.resource.as_ref());
            let metrics = resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            told.metrics.insert(service, metrics.map(|metric| metric.name).collect());
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

// === impl Span ===

impl Span {
    fn of(service: &str, span: proto::Span) -> Self {
        Self {
            service: service.to_owned(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            kind: span.kind(),
            name: span.name,
            attributes: attributes(&span.attributes),
            links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
        }
    }
}

fn service(resource: Option<&Resource>) -> String {
    let attributes = resource.map(|resource| attributes(&resource.attributes)).unwrap_or_default();
    assert_eq!(attributes["service.namespace"], "highstreet");
    assert!(!attributes["service.version"].is_empty() && !attributes["service.instance.id"].is_empty());
    attributes["service.name"].clone()
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &KeyValue| match value.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
