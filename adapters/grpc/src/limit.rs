//! How much a door lets in.

use std::future::{Future, ready};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{Request, Response};
use metrics::{counter, describe_counter};
use tokio::sync::Semaphore;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower::{Layer, Service};

use crate::status::exhausted;

pub(crate) const RATE_LIMITED: &str = "RATE_LIMITED";
const TOO_MANY_CALLS: &str = "TOO_MANY_CALLS";
const HEALTH: &str = "/grpc.health.v1.Health/";
pub(crate) const REFUSED: &str = "highstreet_calls_refused_total";
/// When to come back to a door that is crowded.
const MOMENT: Duration = Duration::from_millis(100);

/// Refuses what is too much, at once, and says when to come back. What is let in is not slowed down by what is not.
#[derive(Clone)]
pub struct LimitLayer {
    rate: Option<Arc<DefaultDirectRateLimiter>>,
    under_way: Arc<Semaphore>,
}

/// See [`LimitLayer`].
#[derive(Clone)]
pub struct LimitService<S> {
    inner: S,
    limits: LimitLayer,
}

/// Whether a call was refused at the door, before anybody looked at it.
pub(crate) fn kept_out(status: &Status) -> bool {
    let reason = || status.get_details_error_info().map(|info| info.reason);
    status.code() == Code::ResourceExhausted
        && reason().is_some_and(|reason| [RATE_LIMITED, TOO_MANY_CALLS].contains(&reason.as_str()))
}

// === impl LimitLayer ===

impl LimitLayer {
    /// At most `under_way` calls at once, and `per_second` calls a second; any number of them if `None`.
    pub fn new(under_way: usize, per_second: Option<NonZeroU32>) -> Self {
        describe_counter!(REFUSED, "Calls that were refused because there were too many.");
        for why in ["rate", "under way", "caller"] {
            counter!(REFUSED, "why" => why).increment(0);
        }
        let rate = per_second.map(|most| Arc::new(RateLimiter::direct(Quota::per_second(most))));
        Self { rate, under_way: Arc::new(Semaphore::new(under_way.min(Semaphore::MAX_PERMITS))) }
    }

    /// How long to wait, if the caller is too early.
    fn too_early(&self) -> Option<Duration> {
        let early = self.rate.as_ref()?.check().err()?;
        Some(early.wait_time_from(DefaultClock::default().now()))
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = LimitService<S>;

    fn layer(&self, inner: S) -> LimitService<S> {
        LimitService { inner, limits: self.clone() }
    }
}

// === impl LimitService ===

impl<S, I, O> Service<Request<I>> for LimitService<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    O: Default + Send + 'static,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<O>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        // Whoever is busy is not ill: probes are let in.
        if request.uri().path().starts_with(HEALTH) {
            return Box::pin(self.inner.call(request));
        }
        if let Some(wait) = self.limits.too_early() {
            counter!(REFUSED, "why" => "rate").increment(1);
            let status = exhausted(RATE_LIMITED, "too many calls a second; try again in a moment", wait);
            return Box::pin(ready(Ok(status.into_http())));
        }
        let Ok(permit) = self.limits.under_way.clone().try_acquire_owned() else {
            counter!(REFUSED, "why" => "under way").increment(1);
            let status = exhausted(TOO_MANY_CALLS, "too many calls are under way; try again in a moment", MOMENT);
            return Box::pin(ready(Ok(status.into_http())));
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(permit);
            answer
        })
    }
}
