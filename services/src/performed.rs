//! Times the steps that contexts take, each of which is a span.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Perform, Run};
use highstreet_domain::kernel::{Aggregate, Id, Origin, Outage, Unanswered};
use highstreet_foundation::trace;
use metrics::{Histogram, Unit, describe_histogram, histogram};
use tokio::time::Instant;
use tracing::{Instrument, Span};

const DURATION: &str = "highstreet_step_duration_seconds";
const ANSWERED: &str = "answered";
const NOT_SENT: &str = "not sent";
const UNKNOWN: &str = "unknown";

/// Performs the steps of an aggregate as `inner` does, timed by what came of them.
pub(crate) struct Timed<P> {
    context: &'static str,
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
        let of = |outcome: &'static str| histogram!(DURATION, "context" => context, "aggregate" => A::NAME, "outcome" => outcome);
        Self { context, inner, answered: of(ANSWERED), not_sent: of(NOT_SENT), unknown: of(UNKNOWN) }
    }
}

/// The same attempt, whose calls continue from `span`.
fn continued(run: &Run, span: &Span) -> Run {
    let origin = Origin { trace: trace::traceparent(span), ..Origin::clone(&run.origin) };
    Run { origin: Arc::new(origin), ..run.clone() }
}

#[async_trait]
impl<A: Aggregate, P: Perform<A>> Perform<A> for Timed<P> {
    async fn perform(&self, id: Id<A>, step: &A::Step, run: &Run) -> Result<A::Command, Unanswered> {
        let begun = Instant::now();
        let span = trace::stepping(self.context, A::NAME, run.origin.trace.as_deref());
        let within = (!span.is_none()).then(|| continued(run, &span));
        let done = self.inner.perform(id, step, within.as_ref().unwrap_or(run)).instrument(span.clone()).await;
        let (histogram, outcome) = match &done {
            Ok(_) => (&self.answered, ANSWERED),
            Err(Unanswered { outage: Outage::NotSent, .. }) => (&self.not_sent, NOT_SENT),
            Err(Unanswered { outage: Outage::Unknown, .. }) => (&self.unknown, UNKNOWN),
        };
        histogram.record(begun.elapsed());
        span.record("highstreet.outcome", outcome);
        if done.is_err() {
            trace::failed(&span);
        }
        done
    }

    fn unreachable(&self, step: &A::Step) -> Option<Unanswered> {
        self.inner.unreachable(step)
    }
}
