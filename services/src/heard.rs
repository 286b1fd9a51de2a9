//! Counts what a context hears, so that it shows which replica did how much.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Deliveries, Delivery, StoreError, Subscription, Verdict};
use metrics::{Counter, counter, describe_counter};

const HANDLED: &str = "highstreet_messages_total";

/// Deliveries, counted by what became of them.
pub(crate) struct Counted {
    inner: Box<dyn Deliveries>,
    done: Counter,
    later: Counter,
    failed: Counter,
}

// === impl Counted ===

impl Counted {
    pub(crate) fn new(inner: Box<dyn Deliveries>, Subscription { consumer, source, .. }: &Subscription) -> Self {
        describe_counter!(HANDLED, "Messages of another context: done with, put off for an outage, or failed.");
        let of = |outcome: &'static str| counter!(HANDLED, "consumer" => consumer.clone(), "source" => source.clone(), "outcome" => outcome);
        Self { inner, done: of("done"), later: of("later"), failed: of("failed") }
    }
}

#[async_trait]
impl Deliveries for Counted {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.inner.next(limit).await
    }

    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
        for (_, verdict) in &verdicts {
            match verdict {
                Verdict::Done => self.done.increment(1),
                Verdict::Later => self.later.increment(1),
                Verdict::Failed(_) => self.failed.increment(1),
            }
        }
        self.inner.settle(verdicts).await
    }
}
