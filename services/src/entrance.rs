//! Tells gRPC from whatever else comes in by the same socket: it goes straight to the services, past the routes, the
//! checks and the wrapped bodies that pages and JSON need.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures_util::future::Either;
use http::header::CONTENT_TYPE;
use http::{Request, Response, Version};
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;

/// Leads calls to `grpc`, and everything else to `others`.
#[derive(Clone)]
pub(crate) struct Entrance<G> {
    grpc: G,
    others: Routes,
}

// === impl Entrance ===

impl<G> Entrance<G> {
    pub(crate) fn new(grpc: G, others: Routes) -> Self {
        Self { grpc, others: others.prepare() }
    }
}

impl<G> Service<Request<Body>> for Entrance<G>
where
    G: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<G::Future, <Routes as Service<Request<Body>>>::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self.grpc.poll_ready(context) {
            Poll::Ready(Ok(())) => Service::<Request<Body>>::poll_ready(&mut self.others, context),
            busy => busy,
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_grpc(&request) { Either::Left(self.grpc.call(request)) } else { Either::Right(self.others.call(request)) }
    }
}

/// Whether it is gRPC as it is, without anything around it. Over HTTP/1 nothing is: a page can say that it sends this.
fn is_grpc(request: &Request<Body>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    request.version() == Version::HTTP_2 && rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_grpc_is_taken_for_it() {
        for (version, kind, expected) in [
            (Version::HTTP_2, "application/grpc", true),
            (Version::HTTP_2, "application/grpc+proto", true),
            (Version::HTTP_2, "application/grpc;charset=utf-8", true),
            (Version::HTTP_2, "application/grpc-web", false),
            (Version::HTTP_2, "application/grpc-web+proto", false),
            (Version::HTTP_2, "application/json", false),
            (Version::HTTP_11, "application/grpc", false),
        ] {
            let mut request = Request::new(Body::empty());
            *request.version_mut() = version;
            assert!(!is_grpc(&request), "it does not say what it is");
            request.headers_mut().insert(CONTENT_TYPE, kind.parse().unwrap());
            assert_eq!(is_grpc(&request), expected, "{kind} by {version:?}");
        }
    }
}
