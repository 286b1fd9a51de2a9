//! Counts and times what a context hears, so that it shows which replica did how much, and how late. The handling of
//! each message is a span.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Deliveries, Delivery, StoreError, Subscription, Verdict};
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_foundation::trace;
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};
use tracing::Span;

const HANDLED: &str = "highstreet_messages_total";
const DELAY: &str = "highstreet_message_delay_seconds";

/// Deliveries, counted by what became of them.
pub(crate) struct Counted {
    inner: Box<dyn Deliveries>,
    clock: Arc<dyn Clock>,
    /// What is being handled: when it happened, and the span of handling it.
    under_way: HashMap<u64, (Timestamp, Span)>,
    system: &'static str,
    consumer: String,
    done: Counter,
    later: Counter,
    failed: Counter,
    delay: Histogram,
}

// === impl Counted ===

impl Counted {
    pub(crate) fn new(
        inner: Box<dyn Deliveries>,
        Subscription { consumer, source, .. }: &Subscription,
        clock: Arc<dyn Clock>,
        system: &'static str,
    ) -> Self {
        describe_counter!(HANDLED, "Messages of another context: done with, put off for an outage, or failed.");
        describe_histogram!(
            DELAY,
            Unit::Seconds,
            "How long after it happened an event was handled, or shown by a view and kept."
        );
        let of = |outcome: &'static str| counter!(HANDLED, "consumer" => consumer.clone(), "source" => source.clone(), "outcome" => outcome);
        let delay = histogram!(DELAY, "consumer" => consumer.clone(), "source" => source.clone());
        let (done, later, failed) = (of("done"), of("later"), of("failed"));
        let (under_way, consumer) = (HashMap::new(), consumer.clone());
        Self { inner, clock, under_way, system, consumer, done, later, failed, delay }
    }
}

#[async_trait]
impl Deliveries for Counted {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let mut deliveries = self.inner.next(limit).await?;
        for delivery in &mut deliveries {
            let span = trace::handling(self.system, &self.consumer, &delivery.message);
            if !span.is_none() {
                // What follows from it continues from here.
                let message = Message::clone(&delivery.message);
                let origin = Origin { trace: trace::traceparent(&span), ..message.origin };
                delivery.message = Arc::new(Message { origin, ..message });
            }
            self.under_way.insert(delivery.tag, (delivery.message.time, span));
        }
        Ok(deliveries)
    }

    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
        let now = self.clock.now();
        for (tag, verdict) in &verdicts {
            let Some((happened, span)) = self.under_way.remove(tag) else { continue };
            match verdict {
                Verdict::Done => {
                    self.done.increment(1);
                    self.delay.record(now.since(happened));
                }
                Verdict::Later => {
                    self.later.increment(1);
                    trace::failed(&span);
                }
                Verdict::Failed(_) => {
                    self.failed.increment(1);
                    trace::failed(&span);
                }
            }
        }
        self.inner.settle(verdicts).await
    }
}
