//! Spans and metrics to a collector, by OTLP over gRPC. Nobody ever waits for it: what it does not take in time is
//! dropped and counted.

mod metrics;
mod seam;
mod spans;
mod text;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use thiserror::Error;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::Metrics;

/// How long the collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the crates of this project are called; spans of others are not told.
const OURS: &str = "highstreet";

/// Where to, and how much.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSettings {
    /// The collector's address, such as `http://127.0.0.1:4317`.
    pub endpoint: String,
    /// The share of the traces begun here that are told, 0 to 1. What a caller began is told if the caller tells it.
    pub sample: f64,
    /// What this process is called, such as `highstreet-ordering`.
    pub service: String,
    /// The version that runs.
    pub version: String,
    /// What tells this process from its replicas.
    pub instance: String,
}

/// Why nothing can be told.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the collector's address cannot be used: {0}; write it like http://127.0.0.1:4317")]
pub struct OtlpError(String);

/// A way to a collector. Clones are the same.
#[derive(Clone, Debug)]
pub struct Otlp {
    provider: SdkTracerProvider,
    channel: Channel,
    resource: Vec<(&'static str, String)>,
}

// === impl Otlp ===

impl Otlp {
    /// A way to the collector at an address, which is looked for when there is something to tell. Spans are told from
    /// now on. To be called within a runtime.
    pub fn open(settings: &OtlpSettings) -> Result<Self, OtlpError> {
        let channel = channel(&settings.endpoint).map_err(|error| OtlpError(in_full(&error)))?;
        let exporter = SpanExporter::builder().with_tonic().with_channel(channel.clone()).with_timeout(PATIENCE);
        let exporter = exporter.build().map_err(|error| OtlpError(in_full(&error)))?;
        let resource = vec![
            ("service.name", settings.service.clone()),
            ("service.namespace", OURS.to_owned()),
            ("service.version", settings.version.clone()),
            ("service.instance.id", settings.instance.clone()),
        ];
        let attributes = resource.iter().map(|(key, value)| KeyValue::new(*key, value.clone()));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(spans::bounded(exporter))
            // Whether anybody looks was decided before the span was made.
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_resource(Resource::builder_empty().with_attributes(attributes).build())
            .build();
        seam::install(settings.sample);
        Ok(Self { provider, channel, resource })
    }

    /// Makes spans of ours known to the collector.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(OURS))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // Lines of the log may say what must not leave this machine.
            .with_filter(filter_fn(is_span_of_ours).with_max_level_hint(LevelFilter::INFO))
    }

    /// Tells the collector every few seconds what `/metrics` says, for as long as it is polled.
    pub async fn tell(self, metrics: Metrics) {
        metrics::tell(self.channel, &self.resource, &metrics).await;
    }

    /// Tells what is left, for at most `grace`.
    pub async fn close(self, grace: Duration) {
        let closing = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(grace));
        // Whoever does not take it in time does not get it.
        let _ = tokio::time::timeout(grace, closing).await;
    }
}

/// Those that are told, and that lines of the log name.
pub(crate) fn is_span_of_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with(OURS)
}

fn channel(endpoint: &str) -> Result<Channel, tonic::transport::Error> {
    let address = Endpoint::from_shared(endpoint.to_owned())?.connect_timeout(PATIENCE).timeout(PATIENCE);
    let address = if endpoint.starts_with("https:") {
        address.tls_config(ClientTlsConfig::new().with_native_roots())?
    } else {
        address
    };
    Ok(address.connect_lazy())
}

/// An error with what caused it.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
