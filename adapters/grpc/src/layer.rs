//! What every call through the door gets: a correlation id, and no say in who it is.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderValue, Request, Response};
use tower::{Layer, Service};
use uuid::Uuid;

use crate::call::{ACTOR, CORRELATION};

/// Makes a correlation id where there is none, returns it with the answer, and strips what only the mesh may say.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallLayer;

/// See [`CallLayer`].
#[derive(Clone, Debug)]
pub struct CallService<S> {
    inner: S,
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner }
    }
}

impl<S, I, O> Service<Request<I>> for CallService<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
    O: 'static,
    S::Error: 'static,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<O>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        request.headers_mut().remove(ACTOR);
        let correlation = request.headers().get(CORRELATION).cloned().unwrap_or_else(new_correlation);
        request.headers_mut().insert(CORRELATION, correlation.clone());
        let response = self.inner.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            response.headers_mut().insert(CORRELATION, correlation);
            Ok(response)
        })
    }
}

fn new_correlation() -> HeaderValue {
    // A UUID is all letters, digits and dashes.
    HeaderValue::try_from(Uuid::now_v7().to_string()).unwrap_or_else(|_| HeaderValue::from_static("none"))
}
