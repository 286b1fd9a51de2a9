//! Finds the context that a call is for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, Request, Response, Version};
use thiserror::Error as ThisError;
use tonic::Status;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use crate::passing::Passing;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// A boxed error, as tonic wants it.
pub type BoxError = Box<dyn Error + Send + Sync>;
/// Puts a refusal into words.
pub type Refuse = Arc<dyn Fn(&Refusal) -> Status + Send + Sync>;

/// Every service behind one address. `S` reaches a context; clones are cheap and see the same routes.
#[derive(Clone)]
pub struct Gateway<S> {
    routes: Arc<HashMap<String, S>>,
    refuse: Refuse,
}

/// What the gateway itself says to a caller.
#[derive(Debug, ThisError)]
pub enum Refusal {
    /// No context has this service.
    #[error("there is no service {0:?} here")]
    Unknown(String),
    /// The service's context gave no answer; the error says whether it was asked.
    #[error("{service} cannot be reached: {why}")]
    Unanswered {
        /// The service.
        service: String,
        /// What the way to it says.
        why: BoxError,
    },
    /// The answer ended in the middle.
    #[error("the answer ended in the middle: {0}")]
    Interrupted(BoxError),
}

// === impl Gateway ===

impl<S> Gateway<S> {
    /// Passes calls of each service, by its full name such as `highstreet.payment.v1.PaymentService`, on to the way to
    /// its context.
    pub fn new(routes: impl IntoIterator<Item = (String, S)>, refuse: Refuse) -> Self {
        Self { routes: Arc::new(routes.into_iter().collect()), refuse }
    }

    /// The services behind it.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.routes.keys().map(String::as_str)
    }
}

impl<S> Service<Request<Body>> for Gateway<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let refuse = self.refuse.clone();
        let Some(way) = self.routes.get(service(request.uri().path())).cloned() else {
            let unknown = Refusal::Unknown(service(request.uri().path()).to_owned());
            return Box::pin(async move { Ok(refuse(&unknown).into_http()) });
        };
        remove_what_is_for_one_hop(&mut request);
        let path = request.uri().clone();
        Box::pin(async move {
            let answer = way.oneshot(request).await;
            Ok(match answer {
                Ok(answer) => Passing::answer(answer, refuse),
                Err(why) => {
                    let service = service(path.path()).to_owned();
                    refuse(&Refusal::Unanswered { service, why: why.into() }).into_http()
                }
            })
        })
    }
}

/// `/package.Service/Method`
fn service(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').map_or(path, |(service, _)| service)
}

/// HTTP/2 has no such headers: its servers refuse calls that bring them.
fn remove_what_is_for_one_hop(request: &mut Request<Body>) {
    if request.version() == Version::HTTP_2 {
        return;
    }
    let headers = request.headers_mut();
    for name in named_by_connection(headers) {
        headers.remove(name);
    }
    // `te: trailers` stays: gRPC asks for it.
    for name in [CONNECTION, HOST, KEEP_ALIVE, PROXY_CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}

/// `connection` names others that are for one hop.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok());
    names.filter(|name| *name != http::header::TE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_stands_before_the_method() {
        assert_eq!(service("/highstreet.payment.v1.PaymentService/GetPayment"), "highstreet.payment.v1.PaymentService");
        assert_eq!(service("/"), "");
        assert_eq!(service("nothing"), "nothing");
    }

    #[test]
    fn what_is_for_one_hop_stays_there() {
        let request = Request::builder()
            .version(Version::HTTP_11)
            .header("connection", "keep-alive, x-mine, te")
            .header("keep-alive", "5")
            .header("x-mine", "1")
            .header("te", "trailers")
            .header("x-yours", "2");
        let mut request = request.body(Body::empty()).unwrap();
        remove_what_is_for_one_hop(&mut request);
        let mut left: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["te", "x-yours"]);
    }
}
