//! Times the steps that contexts take.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Perform, Run};
use highstreet_domain::kernel::{Aggregate, Id, Outage, Unanswered};
use metrics::{Histogram, Unit, describe_histogram, histogram};
use tokio::time::Instant;

const DURATION: &str = "highstreet_step_duration_seconds";

/// Performs the steps of an aggregate as `inner` does, timed by what came of them.
pub(crate) struct Timed<P> {
    inner: P,
    answered: Histogram,
    not_sent: Histogram,
    unknown: Histogram,
}

// === impl Timed ===

impl<P> Timed<P> {
    pub(crate) fn new<A: Aggregate>(context: &'static str, inner: P) -> Self {
        describe_histogram!(
            DURATION,
            Unit::Seconds,
            "How long attempts at steps took: answered, not sent, or sent and nobody knows."
        );
        let of = |outcome: &'static str| {
            histogram!(DURATION, "context" => context, "aggregate" => A::NAME, "outcome" => outcome)
        };
        Self { inner, answered: of("answered"), not_sent: of("not sent"), unknown: of("unknown") }
    }
}

#[async_trait]
impl<A: Aggregate, P: Perform<A>> Perform<A> for Timed<P> {
    async fn perform(&self, id: Id<A>, step: &A::Step, run: &Run) -> Result<A::Command, Unanswered> {
        let begun = Instant::now();
        let done = self.inner.perform(id, step, run).await;
        let histogram = match &done {
            Ok(_) => &self.answered,
            Err(Unanswered { outage: Outage::NotSent, .. }) => &self.not_sent,
            Err(Unanswered { outage: Outage::Unknown, .. }) => &self.unknown,
        };
        histogram.record(begun.elapsed());
        done
    }
}
