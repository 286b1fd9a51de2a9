//! Stops calling who does not answer, for a while.

mod circuit;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tokio::time::Instant;
use tonic::body::Body;
use tower::{Service, ServiceExt};

pub use circuit::BreakerState;

use crate::peer::{Answering, BoxError, PeerFailure, PeerSettings};
use circuit::{Circuit, Outcome};

/// A callee that is called as long as it answers well.
#[derive(Clone)]
pub(crate) struct Breaker<S> {
    inner: S,
    circuit: Arc<Circuit>,
    settings: PeerSettings,
}

/// How a breaker stands, for whoever looks. Cheap to clone; clones look at the same.
#[derive(Clone)]
pub struct BreakerView(Arc<Circuit>);

// === impl Breaker ===

impl<S> Breaker<S> {
    pub(crate) fn new(caller: &'static str, callee: &'static str, inner: S, settings: PeerSettings) -> Self {
        Self { inner, circuit: Arc::new(Circuit::new(caller, callee, settings)), settings }
    }

    pub(crate) fn view(&self) -> BreakerView {
        BreakerView(self.circuit.clone())
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
        let Self { inner, circuit, settings } = self.clone();
        Box::pin(async move {
            let permit = circuit.admit().ok_or(PeerFailure::Open)?;
            let begun = Instant::now();
            let answer = inner.oneshot(request).await;
            permit.settle(outcome(&answer, begun.elapsed(), &settings));
            answer
        })
    }
}

/// How a call went, if it says anything of the callee.
fn outcome(answer: &Result<Response<Body>, BoxError>, took: Duration, settings: &PeerSettings) -> Option<Outcome> {
    match answer {
        answer if tells_nothing(answer, took, settings) => None,
        answer if is_outage(answer) => Some(Outcome::Failed),
        _ if took >= settings.slow => Some(Outcome::Slow),
        _ => Some(Outcome::Well),
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

// === impl BreakerView ===

impl BreakerView {
    /// The context that is called.
    pub fn callee(&self) -> &'static str {
        self.0.callee()
    }

    /// Whether a call would fail at once; if so it counts as one that was not made, and the caller need not make it.
    pub(crate) fn refuses(&self) -> bool {
        self.0.refuses()
    }

    /// Whether calls are made, and for how long that has been so.
    pub fn state(&self) -> (BreakerState, Duration) {
        self.0.told()
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
        assert_eq!(breaker.view().state(), (BreakerState::Open, Duration::ZERO));
        assert!(breaker.view().refuses(), "without a call, too");
        advance(Duration::from_secs(1)).await;
        assert_eq!(breaker.view().state(), (BreakerState::Open, Duration::from_secs(1)), "nobody tried yet");
        assert!(!breaker.view().refuses(), "somebody may");
        assert!(!is_open(&call(&breaker).await), "one may try");
        assert!(is_open(&call(&breaker).await), "it failed");
        advance(Duration::from_secs(1)).await;
        takes.store(100, Ordering::SeqCst);
        let (a, b, c, d) = tokio::join!(call(&breaker), call(&breaker), call(&breaker), call(&breaker));
        assert!(a.is_ok() && b.is_ok() && c.is_ok() && is_open(&d), "three may try");
        assert_eq!(breaker.view().state().0, BreakerState::Closed);
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
