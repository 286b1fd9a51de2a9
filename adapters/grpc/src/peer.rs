//! How one context calls another: through a circuit breaker, a deadline and a limit, whether the callee is in this
//! process or behind a socket; behind a socket, with retries too.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use highstreet_domain::kernel::ports::{Clock, Run};
use highstreet_domain::kernel::{Timestamp, Unanswered};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::breaker::{Breaker, BreakerView};
use crate::channel::Channel;
use crate::retry::Retry;
use crate::span::Traced;
use crate::{call, limit};

/// A boxed error, as tonic wants it.
pub type BoxError = Box<dyn Error + Send + Sync>;
/// Reaches a callee: the bare way, without any care.
pub type Reach = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// A callee, as its callers know it.
#[derive(Clone)]
pub struct Peer {
    context: &'static str,
    guarded: Reach,
    breaker: BreakerView,
    credentials: Option<Credentials>,
}

/// What a caller shows to say who it is: the value of an `authorization` header, as it is now.
pub type Credentials = Arc<dyn Fn() -> HeaderValue + Send + Sync>;

/// When a caller stops calling.
#[derive(Clone, Copy, Debug)]
pub struct PeerSettings {
    /// The longest a single call may take.
    pub timeout: Duration,
    /// A call that takes longer counts as slow.
    pub slow: Duration,
    /// The share of calls that failed or were slow, among the last, that opens the breaker.
    pub rate: f64,
    /// How many of the last calls are looked at.
    pub window: usize,
    /// How many calls there must have been before it may open.
    pub at_least: usize,
    /// How long it stays open before it lets one call try.
    pub rest: Duration,
    /// How many calls may be under way at once; what is beyond is refused at once.
    pub most_at_once: usize,
    /// The share of calls to other processes that may be repeated, so that repeating never makes an outage worse.
    pub retries: f32,
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
            retries: 0.1,
        }
    }
}

// === impl Peer ===

impl Peer {
    /// The peer called `context`, reached by `reach` within this process, as seen by `caller`.
    pub fn new(caller: &'static str, context: &'static str, reach: Reach, settings: PeerSettings) -> Self {
        Self::guarded(caller, context, Limited::new(reach, settings), settings)
    }

    /// The peer called `context` in other processes, as seen by `caller`. Calls may be made twice: all that contexts
    /// ask of each other carries a key.
    pub fn across(caller: &'static str, context: &'static str, channel: &Channel, settings: PeerSettings) -> Self {
        let limited = Limited::new(channel.reach(), settings);
        Self::guarded(caller, context, Retry::new(caller, context, limited, settings.retries), settings)
    }

    fn guarded<S>(caller: &'static str, context: &'static str, careful: S, settings: PeerSettings) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let timed = Timed { inner: careful, timeout: settings.timeout };
        let breaker = Breaker::new(caller, context, timed, settings);
        let view = breaker.view();
        let guarded = Reach::new(Traced::new(context, Reach::new(breaker)));
        Self { context, guarded, breaker: view, credentials: None }
    }

    /// How its breaker stands.
    pub fn breaker(&self) -> BreakerView {
        self.breaker.clone()
    }

    /// Why no call would be sent now, if that is known beforehand.
    pub(crate) fn unreachable(&self) -> Option<Unanswered> {
        self.breaker.refuses().then(|| PeerFailure::Open.unanswered(self.context))
    }

    /// The same, with what the caller shows to say who it is.
    #[must_use]
    pub fn with_credentials(self, credentials: Option<Credentials>) -> Self {
        Self { credentials, ..self }
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
        let why = format!("{}: {}", self.context, status.message());
        if limit::kept_out(status) { Unanswered::not_sent(why) } else { Unanswered::unknown(why) }
    }
}

/// The callee's reason, if it answered and said no.
pub(crate) fn refused(status: &Status) -> Option<String> {
    let refusals = [Code::FailedPrecondition, Code::AlreadyExists, Code::InvalidArgument, Code::NotFound];
    refusals
        .contains(&status.code())
        .then(|| status.get_details_error_info().map_or_else(|| status.message().to_owned(), |info| info.reason))
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

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(credentials) = &self.credentials {
            request.headers_mut().insert(AUTHORIZATION, credentials());
        }
        self.guarded.call(request)
    }
}

// === impl PeerFailure ===

impl PeerFailure {
    /// Whether the callee has certainly not been asked.
    pub fn is_not_sent(&self) -> bool {
        match self {
            Self::Open | Self::Crowded | Self::Away(_) => true,
            Self::TimedOut | Self::Broken(_) => false,
        }
    }

    fn unanswered(&self, context: &str) -> Unanswered {
        let why = format!("{context}: {self}");
        if self.is_not_sent() { Unanswered::not_sent(why) } else { Unanswered::unknown(why) }
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
    permits: Arc<Semaphore>,
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl Limited {
    fn new(reach: Reach, settings: PeerSettings) -> Self {
        Self { inner: reach, permits: Arc::new(Semaphore::new(settings.most_at_once)) }
    }
}

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
