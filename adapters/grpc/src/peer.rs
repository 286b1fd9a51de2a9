//! How one context calls another: through a deadline, a circuit breaker and a limit, whether the callee is in this
//! process or behind a socket.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use highstreet_domain::kernel::ports::{Clock, Run};
use highstreet_domain::kernel::{Timestamp, Unanswered};
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer, CircuitState};

use crate::call;

/// A boxed error, as tonic wants it.
pub type BoxError = Box<dyn Error + Send + Sync>;
/// Reaches a callee: the bare way, without any care.
pub type Reach = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// A callee, as its callers know it.
#[derive(Clone)]
pub struct Peer {
    context: &'static str,
    guarded: Reach,
}

/// When a caller stops calling.
#[derive(Clone, Copy, Debug)]
pub struct PeerSettings {
    /// The longest a single call may take.
    pub timeout: Duration,
    /// A call that takes longer counts as slow.
    pub slow: Duration,
    /// The share of failed, or of slow, calls among the last that opens the breaker.
    pub rate: f64,
    /// How many of the last calls are looked at.
    pub window: usize,
    /// How many calls there must have been before it may open.
    pub at_least: usize,
    /// How long it stays open before it lets one call try.
    pub rest: Duration,
    /// How many calls may be under way at once; what is beyond is refused at once.
    pub most_at_once: usize,
}

/// Why a call got no answer.
#[derive(Debug)]
pub enum PeerFailure {
    /// The breaker is open: it was not sent.
    Open,
    /// Too many are under way: it was not sent.
    Crowded,
    /// The callee is not there: it was not sent.
    Away(String),
    /// No answer in time: it may have been carried out.
    TimedOut,
    /// The connection broke: it may have been carried out.
    Broken(String),
}

// === impl PeerSettings ===

impl Default for PeerSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            slow: Duration::from_secs(2),
            rate: 0.5,
            window: 50,
            at_least: 10,
            rest: Duration::from_secs(1),
            most_at_once: 1024,
        }
    }
}

// === impl Peer ===

impl Peer {
    /// The peer called `context`, reached by `reach`, as seen by `caller`.
    pub fn new(caller: &'static str, context: &'static str, reach: Reach, settings: PeerSettings) -> Self {
        let limited =
            Limited { inner: reach, permits: std::sync::Arc::new(tokio::sync::Semaphore::new(settings.most_at_once)) };
        let timed = Timed { inner: limited, timeout: settings.timeout };
        let breaker = CircuitBreakerLayer::builder()
            .name(context)
            .failure_rate_threshold(settings.rate)
            .slow_call_rate_threshold(settings.rate)
            .slow_call_duration_threshold(settings.slow)
            .sliding_window_size(settings.window)
            .minimum_number_of_calls(settings.at_least)
            .wait_duration_in_open(settings.rest)
            .permitted_calls_in_half_open(3)
            .failure_classifier(|answer: &Result<Response<Body>, BoxError>| is_outage(answer))
            .on_state_transition(move |from, to| report(caller, context, from, to))
            .build()
            .expect("rates lie within 0 and 1 and counts above 0, by the defaults and the command line's checks");
        let guarded = breaker.layer(timed).map_err(|error| match error {
            CircuitBreakerError::OpenCircuit => Box::new(PeerFailure::Open) as BoxError,
            CircuitBreakerError::Inner(error) => error,
        });
        metrics::describe_gauge!("highstreet_breaker_open", "1 while a context's calls to another fail at once.");
        metrics::gauge!("highstreet_breaker_open", "caller" => caller, "callee" => context).set(0.0);
        Self { context, guarded: BoxCloneSyncService::new(guarded) }
    }

    /// A request on behalf of `run`, as `caller` sends it.
    pub(crate) fn request<T>(message: T, caller: &'static str, run: &Run, clock: &dyn Clock) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        call::write(request.metadata_mut(), caller, &run.origin);
        request.set_timeout(left(run.deadline, clock));
        request
    }

    /// What it means to the caller that there was no answer.
    pub(crate) fn unanswered(&self, status: &Status) -> Unanswered {
        let mut source: Option<&(dyn Error + 'static)> = status.source();
        while let Some(error) = source {
            if let Some(failure) = error.downcast_ref::<PeerFailure>() {
                return failure.unanswered(self.context);
            }
            source = error.source();
        }
        Unanswered::unknown(format!("{}: {}", self.context, status.message()))
    }
}

/// What is left until `deadline`; never nothing, so that a late call fails as late and not as malformed.
fn left(deadline: Timestamp, clock: &dyn Clock) -> Duration {
    deadline.since(clock.now()).max(Duration::from_millis(1))
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.guarded.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.guarded.call(request)
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

fn report(caller: &'static str, callee: &'static str, from: CircuitState, to: CircuitState) {
    tracing::warn!(caller, callee, ?from, ?to, "circuit breaker");
    let open = if to == CircuitState::Open { 1.0 } else { 0.0 };
    metrics::gauge!("highstreet_breaker_open", "caller" => caller, "callee" => callee).set(open);
}

// === impl PeerFailure ===

impl PeerFailure {
    fn unanswered(&self, context: &str) -> Unanswered {
        let why = format!("{context}: {self}");
        match self {
            Self::Open | Self::Crowded | Self::Away(_) => Unanswered::not_sent(why),
            Self::TimedOut | Self::Broken(_) => Unanswered::unknown(why),
        }
    }
}

impl fmt::Display for PeerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("not called, because it did not answer lately"),
            Self::Crowded => f.write_str("not called, because too many calls are under way"),
            Self::Away(why) => write!(f, "not there: {why}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
        }
    }
}

impl Error for PeerFailure {}

// === The stack ===

#[derive(Clone)]
struct Timed<S> {
    inner: S,
    timeout: Duration,
}

#[derive(Clone)]
struct Limited {
    inner: Reach,
    permits: std::sync::Arc<tokio::sync::Semaphore>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl<S> Service<Request<Body>> for Timed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        let wanted = request.headers().get("grpc-timeout").and_then(|value| value.to_str().ok());
        let timeout = wanted.and_then(call::parse_timeout).map_or(self.timeout, |wanted| wanted.min(self.timeout));
        let answer = self.inner.call(request);
        Box::pin(async move {
            tokio::time::timeout(timeout, answer).await.unwrap_or_else(|_| Err(Box::new(PeerFailure::TimedOut)))
        })
    }
}

impl Service<Request<Body>> for Limited {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            return Box::pin(async { Err(Box::new(PeerFailure::Crowded) as BoxError) });
        };
        let answer = self.inner.clone().oneshot(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(permit);
            answer
        })
    }
}
