//! Stops calling who does not answer, for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use metrics::{Counter, counter, describe_counter, describe_gauge, gauge};
use tokio::time::Instant;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use crate::peer::{Answering, BoxError, PeerFailure, PeerSettings};

const OPEN: &str = "highstreet_breaker_open";
const STATE: &str = "highstreet_breaker_state";
const REFUSED: &str = "highstreet_breaker_refused_total";

/// How many calls try whether a callee answers again.
const PROBES: usize = 3;

/// A callee that is called as long as it answers well.
#[derive(Clone)]
pub(crate) struct Breaker<S> {
    inner: S,
    circuit: Arc<Circuit>,
}

/// What the calls of one context to another have in common.
struct Circuit {
    caller: &'static str,
    callee: &'static str,
    settings: PeerSettings,
    state: Mutex<State>,
    refused: Counter,
}

enum State {
    /// Calls are made.
    Closed(Window),
    /// They are not, until then.
    Open { until: Instant },
    /// A few are made, to see.
    HalfOpen { free: usize, well: usize },
}

/// How the last calls went.
#[derive(Default)]
struct Window {
    outcomes: VecDeque<Outcome>,
    well: usize,
    slow: usize,
    failed: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Well,
    Slow,
    Failed,
}

/// A call that may be made. One that is dropped without an outcome says nothing about the callee.
struct Permit {
    circuit: Arc<Circuit>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Usual,
    Probe,
    Settled,
}

// === impl Breaker ===

impl<S> Breaker<S> {
    pub(crate) fn new(caller: &'static str, callee: &'static str, inner: S, settings: PeerSettings) -> Self {
        describe_gauge!(OPEN, "1 while a context's calls to another fail at once.");
        describe_gauge!(
            STATE,
            "The circuit breaker: 0 closed, 1 half-open (a few calls try), 2 open (calls fail at once)."
        );
        describe_counter!(REFUSED, "Calls that were not made, because the callee did not answer lately.");
        let state = Mutex::new(State::Closed(Window::default()));
        let refused = counter!(REFUSED, "caller" => caller, "callee" => callee);
        let circuit = Circuit { caller, callee, settings, state, refused };
        circuit.show(&State::Closed(Window::default()));
        Self { inner, circuit: Arc::new(circuit) }
    }
}

impl<S> Service<Request<Body>> for Breaker<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        let Self { inner, circuit } = self.clone();
        Box::pin(async move {
            let permit = circuit.admit().ok_or(PeerFailure::Open)?;
            let begun = Instant::now();
            let answer = inner.oneshot(request).await;
            permit.settle(&answer, begun.elapsed());
            answer
        })
    }
}

/// Whether an answer says that the callee is unwell, rather than that it refuses.
fn is_outage(answer: &Result<Response<Body>, BoxError>) -> bool {
    const OUTAGES: [&str; 3] = ["4", "13", "14"];
    match answer {
        Err(_) => true,
        Ok(response) => response
            .headers()
            .get("grpc-status")
            .and_then(|status| status.to_str().ok())
            .is_some_and(|status| OUTAGES.contains(&status)),
    }
}

/// Whether an answer says nothing of the callee: it was not asked because too many others are asking, or its caller did
/// not give it the time in which it would have been slow.
fn tells_nothing(answer: &Result<Response<Body>, BoxError>, took: Duration, settings: &PeerSettings) -> bool {
    let hurried = took < settings.slow.min(settings.timeout);
    match answer {
        Err(error) => match error.downcast_ref() {
            Some(PeerFailure::Crowded) => true,
            Some(PeerFailure::TimedOut) => hurried,
            _ => false,
        },
        Ok(response) => response.headers().get("grpc-status").is_some_and(|status| status == "4") && hurried,
    }
}

// === impl Circuit ===

impl Circuit {
    fn admit(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.state();
        let kind = match &mut *state {
            State::Closed(_) => Kind::Usual,
            State::Open { until } if *until <= Instant::now() => {
                self.turn(&mut state, State::HalfOpen { free: PROBES - 1, well: 0 });
                Kind::Probe
            }
            State::HalfOpen { free, .. } if *free > 0 => {
                *free -= 1;
                Kind::Probe
            }
            State::Open { .. } | State::HalfOpen { .. } => {
                self.refused.increment(1);
                return None;
            }
        };
        drop(state);
        Some(Permit { circuit: self.clone(), kind })
    }

    fn settle(&self, kind: Kind, outcome: Outcome) {
        let mut state = self.state();
        let next = match &mut *state {
            State::Closed(window) => {
                window.push(outcome, self.settings.window);
                window.is_bad(&self.settings).then(|| self.rest())
            }
            State::HalfOpen { .. } if kind == Kind::Probe && outcome != Outcome::Well => Some(self.rest()),
            State::HalfOpen { well, .. } if kind == Kind::Probe => {
                *well += 1;
                (*well >= PROBES).then(|| State::Closed(Window::default()))
            }
            // It began before the breaker opened, and tells nothing new.
            State::HalfOpen { .. } | State::Open { .. } => None,
        };
        if let Some(next) = next {
            self.turn(&mut state, next);
        }
    }

    fn rest(&self) -> State {
        State::Open { until: Instant::now() + self.settings.rest }
    }

    fn turn(&self, state: &mut State, next: State) {
        let (caller, callee) = (self.caller, self.callee);
        tracing::warn!(caller, callee, from = state.name(), to = next.name(), "circuit breaker");
        self.show(&next);
        *state = next;
    }

    fn show(&self, state: &State) {
        let (open, code) = match state {
            State::Closed(_) => (0.0, 0.0),
            State::HalfOpen { .. } => (0.0, 1.0),
            State::Open { .. } => (1.0, 2.0),
        };
        gauge!(OPEN, "caller" => self.caller, "callee" => self.callee).set(open);
        gauge!(STATE, "caller" => self.caller, "callee" => self.callee).set(code);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Closed(_) => "closed",
            Self::HalfOpen { .. } => "half-open",
            Self::Open { .. } => "open",
        }
    }
}

// === impl Window ===

impl Window {
    /// One more; the oldest of more than `most` is forgotten.
    fn push(&mut self, outcome: Outcome, most: usize) {
        *self.count(outcome) += 1;
        self.outcomes.push_back(outcome);
        if self.outcomes.len() > most
            && let Some(oldest) = self.outcomes.pop_front()
        {
            *self.count(oldest) -= 1;
        }
    }

    fn count(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Failed => &mut self.failed,
            Outcome::Slow => &mut self.slow,
            Outcome::Well => &mut self.well,
        }
    }

    /// Failed or slow calls are counted together: a caller waits for the slow ones as well.
    #[allow(clippy::cast_precision_loss, reason = "windows are short")]
    fn is_bad(&self, settings: &PeerSettings) -> bool {
        let all = self.outcomes.len();
        all >= settings.at_least && (self.failed + self.slow) as f64 >= settings.rate * all as f64
    }
}

// === impl Permit ===

impl Permit {
    fn settle(mut self, answer: &Result<Response<Body>, BoxError>, took: Duration) {
        if tells_nothing(answer, took, &self.circuit.settings) {
            return;
        }
        let kind = std::mem::replace(&mut self.kind, Kind::Settled);
        let outcome = match answer {
            answer if is_outage(answer) => Outcome::Failed,
            _ if took >= self.circuit.settings.slow => Outcome::Slow,
            _ => Outcome::Well,
        };
        self.circuit.settle(kind, outcome);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Another call may try in its place.
        if self.kind == Kind::Probe
            && let State::HalfOpen { free, .. } = &mut *self.circuit.state()
        {
            *free += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;

    /// A callee that takes so many milliseconds, or fails if they are 0.
    fn callee(
        takes: &Arc<AtomicU64>,
    ) -> impl Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone + Send + 'static
    {
        let takes = takes.clone();
        tower::service_fn(move |_: Request<Body>| {
            let takes = takes.load(Ordering::SeqCst);
            async move {
                sleep(Duration::from_millis(takes)).await;
                if takes == 0 { Err(PeerFailure::Away("gone".into()).into()) } else { Ok(Response::new(Body::empty())) }
            }
        })
    }

    async fn call<S>(breaker: &Breaker<S>) -> Result<Response<Body>, BoxError>
    where
        Breaker<S>: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone,
    {
        breaker.clone().oneshot(Request::new(Body::empty())).await
    }

    fn is_open(answer: &Result<Response<Body>, BoxError>) -> bool {
        matches!(answer, Err(error) if matches!(error.downcast_ref(), Some(PeerFailure::Open)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_good_past_does_not_hide_an_outage() {
        let takes = Arc::new(AtomicU64::new(1));
        let breaker = Breaker::new("ordering", "payment", callee(&takes), PeerSettings::default());
        for _ in 0..1000 {
            call(&breaker).await.unwrap();
        }
        takes.store(0, Ordering::SeqCst);
        for _ in 0..25 {
            assert!(!is_open(&call(&breaker).await));
        }
        assert!(is_open(&call(&breaker).await));
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_a_few_failures_and_closes_when_a_few_calls_went_well() {
        let takes = Arc::new(AtomicU64::new(0));
        let breaker = Breaker::new("ordering", "payment", callee(&takes), PeerSettings::default());
        for _ in 0..10 {
            assert!(!is_open(&call(&breaker).await));
        }
        assert!(is_open(&call(&breaker).await));
        advance(Duration::from_secs(1)).await;
        assert!(!is_open(&call(&breaker).await), "one may try");
        assert!(is_open(&call(&breaker).await), "it failed");
        advance(Duration::from_secs(1)).await;
        takes.store(100, Ordering::SeqCst);
        let (a, b, c, d) = tokio::join!(call(&breaker), call(&breaker), call(&breaker), call(&breaker));
        assert!(a.is_ok() && b.is_ok() && c.is_ok() && is_open(&d), "three may try");
        call(&breaker).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn slow_calls_open_it_too() {
        let takes = Arc::new(AtomicU64::new(1999));
        let breaker = Breaker::new("ordering", "payment", callee(&takes), PeerSettings::default());
        for _ in 0..50 {
            call(&breaker).await.unwrap();
        }
        takes.store(2000, Ordering::SeqCst);
        for _ in 0..25 {
            call(&breaker).await.unwrap();
        }
        assert!(is_open(&call(&breaker).await));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_hangs_up_leaves_the_try_to_another() {
        let takes = Arc::new(AtomicU64::new(0));
        let breaker = Breaker::new("ordering", "payment", callee(&takes), PeerSettings::default());
        for _ in 0..10 {
            call(&breaker).await.unwrap_err();
        }
        advance(Duration::from_secs(1)).await;
        takes.store(1000, Ordering::SeqCst);
        for _ in 0..10 {
            let hung_up = tokio::time::timeout(Duration::from_millis(1), call(&breaker)).await;
            assert!(hung_up.is_err(), "it was let through");
        }
        takes.store(1, Ordering::SeqCst);
        for _ in 0..10 {
            call(&breaker).await.unwrap();
        }
    }
}
