//! The network between nodes: loses requests, loses answers, delays, and knows no exactly-once.

use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use highstreet_domain::kernel::ports::{Clock, Tasks};
use highstreet_domain::kernel::{Aggregate, Handler, Unanswered};

use super::chronicle::Chronicle;
use super::host::Context;
use super::weather::{Passage, Weather};
use crate::memory::SimClock;

/// Carries calls. Clones share it.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) clock: Arc<SimClock>,
    pub(super) weather: Weather,
    chronicle: Chronicle,
}

// === impl Network ===

impl Network {
    pub(super) fn new(clock: Arc<SimClock>, weather: Weather, chronicle: Chronicle) -> Self {
        Self { clock, weather, chronicle }
    }

    /// Calls a context's handler.
    pub(super) async fn call<A: Aggregate, T, F>(
        &self,
        to: &Context<A>,
        what: &str,
        work: impl FnOnce(Handler<A>) -> F,
    ) -> Result<T, Unanswered>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let Some((handler, tasks)) = to.up() else {
            self.chronicle.note(|| format!("{what}: {} is down", to.host.name));
            return Err(Unanswered::not_sent("it is down"));
        };
        self.send(&*tasks, what, Box::pin(work(handler))).await
    }

    /// Why a context is not even called, where a caller's breaker is open: it is down, or was until a moment ago.
    pub(super) fn unreachable<A: Aggregate>(&self, to: &Context<A>) -> Option<Unanswered> {
        let known = if to.up().is_some() { 1 } else { 50 };
        self.weather.strikes(known).then(|| Unanswered::not_sent("it did not answer lately"))
    }

    /// Has `work` done among `tasks`.
    pub(super) async fn send<T, F>(&self, tasks: &dyn Tasks, what: &str, work: F) -> Result<T, Unanswered>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let Passage { lost, silent, late, patience } = self.weather.passage();
        if lost {
            // It may take a while to find out that nobody can be reached.
            self.clock.until(self.clock.now().after(late)).await;
            self.chronicle.note(|| format!("{what}: lost"));
            return Err(Unanswered::not_sent("lost on the way"));
        }
        self.chronicle.note(|| format!("{what}: sent (late {late:?}, answer lost {silent}, patience {patience:?})"));
        let (answer, answered) = oneshot::channel();
        let (clock, arrives) = (self.clock.clone(), self.clock.now().after(late));
        tasks.spawn(Box::pin(async move {
            clock.until(arrives).await;
            let done = work.await;
            if !silent {
                // Whoever asked may have given up.
                let _ = answer.send(done);
            }
        }));
        let given_up = self.clock.until(self.clock.now().after(patience));
        let outcome = match select(answered, given_up).await {
            Either::Left((Ok(done), _)) => Ok(done),
            Either::Left((Err(oneshot::Canceled), _)) => Err(Unanswered::unknown("hung up")),
            Either::Right(_) => Err(Unanswered::unknown("no answer in time")),
        };
        self.chronicle.note(|| match &outcome {
            Ok(_) => format!("{what}: answered"),
            Err(unanswered) => format!("{what}: {}", unanswered.why),
        });
        outcome
    }
}
