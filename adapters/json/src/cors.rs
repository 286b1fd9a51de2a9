//! Which pages of other origins may call.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use highstreet_wire::json::pool;
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD as REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_MATCH, IF_NONE_MATCH,
    ORIGIN, RETRY_AFTER,
};
use http::{HeaderName, Method, Request, Response};
use tonic::Code;
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::headers::{CORRELATION, IDEMPOTENCY_KEY, REQUEST_TIMEOUT};
use crate::refused::Refused;
use crate::settings::Origin;
use crate::wrong::refusal;

const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
const SENT: [&str; 10] = [
    CORRELATION,
    IDEMPOTENCY_KEY,
    REQUEST_TIMEOUT,
    "traceparent",
    "tracestate",
    "last-event-id",
    "grpc-timeout",
    "x-grpc-web",
    "connect-protocol-version",
    "connect-timeout-ms",
];
const READ: [&str; 5] = [CORRELATION, "traceparent", "grpc-status", "grpc-message", "grpc-status-details-bin"];
/// How long browsers need not ask again.
const MAX_AGE: Duration = Duration::from_hours(1);

/// Who of other origins is let through; nobody if no origin may.
#[derive(Clone)]
pub(crate) struct Crossing {
    origins: Vec<Origin>,
    layer: Option<CorsLayer>,
}

// === impl Crossing ===

impl Crossing {
    pub(crate) fn new(origins: &[Origin]) -> Self {
        let layer = (!origins.is_empty()).then(|| layer(origins));
        Self { origins: origins.to_vec(), layer }
    }

    /// The answer, with what browsers want to know before they hand it to a page; or, where a browser asks first, just
    /// that.
    pub(crate) async fn through<F, Fut>(&self, request: Request<Body>, answer: F) -> Response<Body>
    where
        F: FnOnce(Request<Body>) -> Fut + Clone,
        Fut: Future<Output = Response<Body>>,
    {
        // Who asks what a path is for and is no browser asks the path itself.
        let asks = request.method() == Method::OPTIONS && !request.headers().contains_key(REQUEST_METHOD);
        if self.is_stranger(&request) {
            let message = "pages of this origin may not call; the operator can let them, with --cors-origin";
            let refused = Refused::from(refusal(Code::PermissionDenied, "ORIGIN_NOT_ALLOWED", message));
            return refused.respond(pool());
        }
        let Some(layer) = self.layer.as_ref().filter(|_| !asks) else { return answer(request).await };
        let inner = tower::service_fn(|request| {
            let answer = answer.clone()(request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        match layer.layer(inner).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Whether a page of an origin that may not call wants to change something. Browsers ask before they send most of
    /// what pages want to send, but not before a plain POST without a body.
    fn is_stranger(&self, request: &Request<Body>) -> bool {
        let Some(origin) = request.headers().get(ORIGIN).filter(|_| !request.method().is_safe()) else { return false };
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
        let authority =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        let own = authority.is_some() && authority == host;
        !own && !self.origins.iter().any(|known| known.is_any() || known.header() == origin)
    }
}

fn layer(origins: &[Origin]) -> CorsLayer {
    let origin: AllowOrigin = if origins.iter().any(Origin::is_any) {
        Any.into()
    } else {
        AllowOrigin::list(origins.iter().map(Origin::header))
    };
    let names = |names: &'static [&'static str]| names.iter().map(|name| HeaderName::from_static(name));
    let sent = names(&SENT).chain([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH]);
    let read = names(&READ).chain([ETAG, RETRY_AFTER]);
    let layer = CorsLayer::new().allow_origin(origin).allow_methods(METHODS).max_age(MAX_AGE);
    layer.allow_headers(sent.collect::<Vec<_>>()).expose_headers(read.collect::<Vec<_>>())
}
