//! What every call through the door gets: a correlation id, an end at its deadline, a place in the metrics, a span, and
//! no say in who it is.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use highstreet_foundation::trace;
use http::{HeaderValue, Request, Response};
use tower::{Layer, Service};
use uuid::Uuid;

use crate::call::{ACTOR, CALLER, CORRELATION, TIMEOUT, parse_timeout};
use crate::malformed;
use crate::red::Calls;
use crate::span;
use crate::status::deadline_exceeded;

/// Makes a correlation id where there is none, returns it with the answer, and strips what only the mesh may say.
/// Counts the calls in the histogram `rpc_server_duration_seconds`, for metrics that were installed before.
#[derive(Clone, Debug)]
pub struct CallLayer {
    calls: Calls,
    callers: Callers,
}

/// See [`CallLayer`].
#[derive(Clone, Debug)]
pub struct CallService<S> {
    inner: S,
    calls: Calls,
    callers: Callers,
}

/// Who comes through a door.
#[derive(Clone, Copy, Debug)]
enum Callers {
    /// Anyone: what they say about themselves is not believed.
    Strangers,
    /// Anyone, and whoever they are is checked behind the door: contexts then say on whose behalf they call.
    Checked,
    /// Only other contexts and the gateway, which say who calls.
    Mesh,
}

// === impl CallLayer ===

impl CallLayer {
    /// For a door that is open to anyone. The layer counts for itself.
    pub fn new() -> Self {
        Self { calls: Calls::new(), callers: Callers::Strangers }
    }

    /// For a door behind which identities are checked.
    pub fn checked() -> Self {
        Self { callers: Callers::Checked, ..Self::new() }
    }

    /// For a door within the mesh, that only other contexts and the gateway can reach: they are believed when they say
    /// who calls.
    pub fn within_mesh() -> Self {
        Self { callers: Callers::Mesh, ..Self::new() }
    }
}

impl Default for CallLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner, calls: self.calls.clone(), callers: self.callers }
    }
}

// === impl CallService ===

impl<S, I, O> Service<Request<I>> for CallService<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
    O: Default + 'static,
    S::Error: 'static,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<O>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        let under_way = self.calls.begin(request.uri());
        if !matches!(self.callers, Callers::Mesh) {
            request.headers_mut().remove(CALLER);
        }
        if matches!(self.callers, Callers::Strangers) {
            request.headers_mut().remove(ACTOR);
        }
        let correlation = request.headers().get(CORRELATION).cloned().unwrap_or_else(new_correlation);
        request.headers_mut().insert(CORRELATION, correlation.clone());
        let path = request.uri().path().to_owned();
        let (span, place) = span::arriving(&path, request.headers_mut());
        let timeout = request.headers().get(TIMEOUT).and_then(|value| parse_timeout(value.to_str().ok()?));
        let response = span.in_scope(|| self.inner.call(request));
        let told = span.clone();
        let answering = async move {
            let mut response = malformed::told(within(timeout, response).await?);
            under_way.answered(response.headers());
            span::answered(&told, response.headers());
            response.headers_mut().insert(CORRELATION, correlation);
            Ok(response)
        };
        Box::pin(trace::within(span, place, answering))
    }
}

/// The answer, or `DEADLINE_EXCEEDED` once the caller has stopped waiting. What was begun goes on all the same.
async fn within<O: Default, E>(
    timeout: Option<Duration>,
    response: impl Future<Output = Result<Response<O>, E>>,
) -> Result<Response<O>, E> {
    let Some(timeout) = timeout else { return response.await };
    tokio::time::timeout(timeout, response).await.unwrap_or_else(|_| Ok(deadline_exceeded().into_http()))
}

fn new_correlation() -> HeaderValue {
    // A UUID is all letters, digits and dashes.
    HeaderValue::try_from(Uuid::now_v7().to_string()).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_call_ends_with_its_deadline() {
        let never = tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, Infallible>>());
        let request = Request::builder().header(TIMEOUT, "20m").body(()).unwrap();
        let response = CallLayer::new().layer(never).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "4");
        assert!(response.headers().contains_key(CORRELATION));
    }

    #[tokio::test]
    async fn only_the_mesh_is_believed_about_who_calls() {
        let caller = tower::service_fn(|request: Request<()>| async move {
            Ok::<_, Infallible>(Response::new(request.headers().get(CALLER).cloned()))
        });
        let request = || Request::builder().header(CALLER, "context:ordering").body(()).unwrap();
        let outside = CallLayer::new().layer(caller).oneshot(request()).await.unwrap();
        assert_eq!(outside.into_body(), None);
        let within = CallLayer::within_mesh().layer(caller).oneshot(request()).await.unwrap();
        assert_eq!(within.into_body().unwrap(), "context:ordering");
    }
}
