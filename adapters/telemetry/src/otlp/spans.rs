//! Spans on their way to the collector: in batches, from a queue with an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{Counter, counter, describe_counter};
use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// What of telemetry is dropped: the collector is away or slow.
pub(super) const DROPPED: &str = "highstreet_telemetry_dropped_total";
/// So many spans may wait; what is beyond is dropped.
const MOST_WAITING: usize = 8192;
const AT_ONCE: usize = 1024;
const EVERY: Duration = Duration::from_secs(1);

/// Takes spans as long as there is room for them. The queue behind it drops them too, but tells nobody.
#[derive(Debug)]
struct Bounded {
    queue: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    dropped: Dropped,
}

/// Sends batches, and makes room.
#[derive(Debug)]
struct Sender {
    inner: Otlp,
    waiting: Arc<AtomicUsize>,
    dropped: Dropped,
}

#[derive(Clone)]
struct Dropped(Counter);

/// Spans to `exporter`.
pub(super) fn bounded(exporter: Otlp) -> impl SpanProcessor {
    describe_counter!(DROPPED, "Spans and metrics that the collector did not take, or not in time.");
    let dropped = Dropped(counter!(DROPPED, "signal" => "spans"));
    dropped.0.increment(0);
    let waiting = Arc::new(AtomicUsize::new(0));
    let sender = Sender { inner: exporter, waiting: waiting.clone(), dropped: dropped.clone() };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(MOST_WAITING + AT_ONCE)
        .with_max_export_batch_size(AT_ONCE)
        .with_scheduled_delay(EVERY)
        .build();
    let queue = BatchSpanProcessor::builder(sender).with_batch_config(config).build();
    Bounded { queue, waiting, dropped }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < MOST_WAITING {
            self.queue.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.0.increment(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

impl SpanExporter for Sender {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let sent = self.inner.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        if sent.is_err() {
            self.dropped.0.increment(u64::try_from(count).unwrap_or(u64::MAX));
        }
        // Whoever reads metrics knows of it: a line in the log for each would say nothing more.
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

// === impl Dropped ===

impl std::fmt::Debug for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dropped")
    }
}
