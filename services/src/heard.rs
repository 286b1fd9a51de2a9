//! Counts and times what a context hears, so that it shows which replica did how much, and how late.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::{Clock, Deliveries, Delivery, StoreError, Subscription, Verdict};
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};

const HANDLED: &str = "highstreet_messages_total";
const DELAY: &str = "highstreet_message_delay_seconds";

/// Deliveries, counted by what became of them.
pub(crate) struct Counted {
    inner: Box<dyn Deliveries>,
    clock: Arc<dyn Clock>,
    /// When what is being handled happened.
    under_way: HashMap<u64, Timestamp>,
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
    ) -> Self {
        describe_counter!(HANDLED, "Messages of another context: done with, put off for an outage, or failed.");
        describe_histogram!(
            DELAY,
            Unit::Seconds,
            "How long after it happened an event was handled, or shown by a view."
        );
        let of = |outcome: &'static str| counter!(HANDLED, "consumer" => consumer.clone(), "source" => source.clone(), "outcome" => outcome);
        let delay = histogram!(DELAY, "consumer" => consumer.clone(), "source" => source.clone());
        let (done, later, failed) = (of("done"), of("later"), of("failed"));
        Self { inner, clock, under_way: HashMap::new(), done, later, failed, delay }
    }
}

#[async_trait]
impl Deliveries for Counted {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let deliveries = self.inner.next(limit).await?;
        self.under_way.extend(deliveries.iter().map(|delivery| (delivery.tag, delivery.message.time)));
        Ok(deliveries)
    }

    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
        let now = self.clock.now();
        for (tag, verdict) in &verdicts {
            let happened = self.under_way.remove(tag);
            match verdict {
                Verdict::Done => {
                    self.done.increment(1);
                    if let Some(happened) = happened {
                        self.delay.record(now.since(happened));
                    }
                }
                Verdict::Later => self.later.increment(1),
                Verdict::Failed(_) => self.failed.increment(1),
            }
        }
        self.inner.settle(verdicts).await
    }
}
