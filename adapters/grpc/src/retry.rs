//! Calls again where an answer was lost, seldom enough not to make an outage worse.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, request};
use http_body_util::{BodyExt, Full};
use metrics::{Counter, counter, describe_counter};
use tokio::time::{Instant, sleep};
use tonic::body::Body;
use tower::retry::budget::{Budget, TpsBudget};
use tower::{Service, ServiceExt};

use crate::call::{TIMEOUT, parse_timeout};
use crate::peer::{Answering, BoxError, PeerFailure};

const RETRIES: &str = "highstreet_retries_total";
const EXHAUSTED: &str = "highstreet_retry_budget_exhausted_total";

/// `RESOURCE_EXHAUSTED`.
const KEPT_OUT: &str = "8";
/// How often one call is made again.
const MOST: usize = 2;
/// The pause before that, and how much longer it may be.
const PAUSE: Duration = Duration::from_millis(5);
const JITTER: Duration = Duration::from_millis(15);
/// The budget looks this far back.
const BUDGET_OVER: Duration = Duration::from_secs(10);
/// Retries in a second that are always allowed, so that who seldom calls may call again.
const ALWAYS: u32 = 1;

/// Makes calls again that broke, or that a callee answered with `UNAVAILABLE`. Calls that were not sent are not made
/// again here: the channel has tried every address by then. For calls that may be carried out twice.
#[derive(Clone)]
pub(crate) struct Retry<S> {
    inner: S,
    budget: Arc<TpsBudget>,
    retries: Counter,
    exhausted: Counter,
}

// === impl Retry ===

impl<S> Retry<S> {
    /// Makes at most `share` of the calls again.
    pub(crate) fn new(caller: &'static str, callee: &'static str, inner: S, share: f32) -> Self {
        describe_counter!(RETRIES, "Calls to another context that were made again.");
        describe_counter!(EXHAUSTED, "Calls to another context that were not made again, because too many were.");
        Self {
            inner,
            budget: Arc::new(TpsBudget::new(BUDGET_OVER, ALWAYS, share)),
            retries: counter!(RETRIES, "caller" => caller, "callee" => callee),
            exhausted: counter!(EXHAUSTED, "caller" => caller, "callee" => callee),
        }
    }
}

impl<S> Retry<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone,
{
    async fn send(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let begun = Instant::now();
        let (head, body) = request.into_parts();
        let message = body.collect().await.map_err(|error| PeerFailure::Away(error.to_string()))?.to_bytes();
        self.budget.deposit();
        let mut outcome = self.inner.clone().oneshot(again(&head, &message, Duration::ZERO)).await;
        for _ in 0..MOST {
            if !may_differ_next_time(&outcome) || !self.may_again(&head, begun).await {
                break;
            }
            let next = self.inner.clone().oneshot(again(&head, &message, begun.elapsed())).await;
            // What may have been carried out once is not undone by a second call that was not sent.
            if is_not_sent(&next) || is_kept_out(&next) {
                break;
            }
            outcome = next;
        }
        outcome
    }

    /// Pauses, if there is time and budget for another call.
    async fn may_again(&self, head: &request::Parts, begun: Instant) -> bool {
        let pause = PAUSE + JITTER.mul_f64(fastrand::f64());
        if timeout(head).is_some_and(|timeout| begun.elapsed() + pause >= timeout) {
            return false;
        }
        if !self.budget.withdraw() {
            self.exhausted.increment(1);
            return false;
        }
        self.retries.increment(1);
        sleep(pause).await;
        true
    }
}

impl<S> Service<Request<Body>> for Retry<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        Box::pin(self.clone().send(request))
    }
}

/// The call once more, with what is left of its time.
fn again(head: &request::Parts, message: &Bytes, passed: Duration) -> Request<Body> {
    let mut head = head.clone();
    if !passed.is_zero()
        && let Some(timeout) = timeout(&head)
    {
        // In microseconds eight digits reach a minute and a half, in milliseconds a day.
        let left = timeout.saturating_sub(passed).max(Duration::from_millis(1)).as_millis().min(99_999_999);
        if let Ok(left) = HeaderValue::try_from(format!("{left}m")) {
            head.headers.insert(TIMEOUT, left);
        }
    }
    Request::from_parts(head, Body::new(Full::new(message.clone())))
}

fn timeout(head: &request::Parts) -> Option<Duration> {
    head.headers.get(TIMEOUT).and_then(|value| parse_timeout(value.to_str().ok()?))
}

fn may_differ_next_time(outcome: &Result<Response<Body>, BoxError>) -> bool {
    match outcome {
        Ok(answer) => answer.headers().get("grpc-status").is_some_and(|status| status == "14"),
        Err(error) => matches!(error.downcast_ref(), Some(PeerFailure::Broken(_))),
    }
}

/// Whether the callee's door refused it, before anybody looked at it.
fn is_kept_out(outcome: &Result<Response<Body>, BoxError>) -> bool {
    let status = outcome.as_ref().ok().and_then(|answer| answer.headers().get("grpc-status"));
    status.is_some_and(|status| status == KEPT_OUT)
}

fn is_not_sent(outcome: &Result<Response<Body>, BoxError>) -> bool {
    matches!(outcome, Err(error) if error.downcast_ref().is_some_and(PeerFailure::is_not_sent))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_not_made_worse() {
        let calls = Arc::new(AtomicUsize::new(0));
        let unwell = tower::service_fn({
            let calls = calls.clone();
            move |_: Request<Body>| {
                calls.fetch_add(1, Ordering::SeqCst);
                async { Err::<Response<Body>, BoxError>(Box::new(PeerFailure::Broken("again".into()))) }
            }
        });
        let retry = Retry::new("ordering", "payment", unwell, 0.1);
        for _ in 0..1000 {
            retry.clone().oneshot(Request::new(Body::empty())).await.unwrap_err();
        }
        let again = calls.load(Ordering::SeqCst) - 1000;
        assert!((90..=120).contains(&again), "{again} of 1000 were made again");
    }

    /// The first may have been carried out; that the second was not looked at changes nothing about that.
    #[tokio::test(start_paused = true)]
    async fn what_may_be_done_is_not_called_unsent_because_a_repeat_was_kept_out() {
        let calls = Arc::new(AtomicUsize::new(0));
        let full = tower::service_fn(move |_: Request<Body>| {
            let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if first {
                    return Err::<Response<Body>, BoxError>(Box::new(PeerFailure::Broken("cut".into())));
                }
                Ok(Response::builder().header("grpc-status", KEPT_OUT).body(Body::empty())?)
            }
        });
        let outcome = Retry::new("ordering", "payment", full, 0.1).oneshot(Request::new(Body::empty())).await;
        let failure = outcome.unwrap_err();
        assert!(failure.downcast_ref().is_some_and(|failure| matches!(failure, PeerFailure::Broken(_))), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_made_again_has_what_is_left_of_its_time() {
        let slow = tower::service_fn(|request: Request<Body>| async move {
            let timeout = request.headers()[TIMEOUT].to_str().unwrap().to_owned();
            if timeout == "1S" {
                sleep(Duration::from_millis(500)).await;
                return Err::<Response<Body>, BoxError>(Box::new(PeerFailure::Broken("again".into())));
            }
            Ok(Response::builder().header("was", timeout).body(Body::empty())?)
        });
        let request = Request::builder().header(TIMEOUT, "1S").body(Body::empty()).unwrap();
        let answer = Retry::new("ordering", "payment", slow, 0.1).oneshot(request).await.unwrap();
        let was = parse_timeout(answer.headers()["was"].to_str().unwrap()).unwrap();
        assert!((Duration::from_millis(470)..Duration::from_millis(500)).contains(&was), "{was:?}");
    }
}
