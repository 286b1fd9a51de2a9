//! Spans of calls, as they arrive and as they are made.

use std::pin::Pin;
use std::task::{Context, Poll};

use highstreet_foundation::trace::{self, Place};
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::body::Body;
use tower::Service;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::call::TRACE;
use crate::peer::{Answering, BoxError, Reach};
use crate::red::{is_offered, status};

/// What everybody offers, and asks for all the time.
const HOUSEKEEPING: &str = "/grpc.";
/// `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE`, `DATA_LOSS`: no fault of the caller's.
const FAULTS: [usize; 6] = [2, 4, 12, 13, 14, 15];

/// The span of a call that arrives, or its place if nobody looks at it. It continues the trace that the caller is in, if
/// it says so; what the call leads to continues from it.
pub(crate) fn arriving(path: &str, headers: &mut HeaderMap) -> (Span, Option<Place>) {
    if !trace::is_on() || path.starts_with(HOUSEKEEPING) {
        return (Span::none(), None);
    }
    let parent = headers.get(TRACE).and_then(|trace| trace.to_str().ok());
    if !trace::chosen(parent) {
        let place = trace::unseen(parent);
        hand_on(place.map(|place| place.to_string()), headers);
        return (Span::none(), place);
    }
    let span = seen(path);
    trace::continue_from(&span, parent);
    hand_on(trace::traceparent(&span), headers);
    (span, None)
}

fn seen(path: &str) -> Span {
    // Callers choose paths, and what they write there is not told.
    let (service, method) = if is_offered(path) { split(path) } else { ("unknown", "unknown") };
    info_span!(
        parent: None,
        "call",
        otel.name = format!("{service}/{method}"),
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = Empty,
    )
}

/// The span of a call that is made to `callee`. None in a trace that nobody looks at.
fn leaving(callee: &str, path: &str, headers: &mut HeaderMap) -> Span {
    let parent = headers.get(TRACE).and_then(|trace| trace.to_str().ok());
    let Some(parent) = trace::looked_at(parent) else { return Span::none() };
    let (service, method) = if is_offered(path) { split(path) } else { ("unknown", "unknown") };
    let span = info_span!(
        parent: None,
        "call",
        otel.name = format!("{service}/{method}"),
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = Empty,
        peer.service = callee,
    );
    trace::continue_from(&span, Some(parent));
    hand_on(trace::traceparent(&span), headers);
    span
}

/// Tells a span how its call was answered.
pub(crate) fn answered(span: &Span, headers: &HeaderMap) {
    let status = status(headers);
    span.record("rpc.grpc.status_code", status);
    if FAULTS.contains(&status) {
        trace::failed(span);
    }
}

fn hand_on(own: Option<String>, headers: &mut HeaderMap) {
    if let Some(trace) = own.and_then(|trace| HeaderValue::try_from(trace).ok()) {
        headers.insert(TRACE, trace);
    }
}

/// `/package.Service/Method`.
fn split(path: &str) -> (&str, &str) {
    path.trim_start_matches('/').split_once('/').unwrap_or((path, ""))
}

/// Calls to a callee, each of which is a span.
#[derive(Clone)]
pub struct Traced {
    callee: &'static str,
    inner: Reach,
}

// === impl Traced ===

impl Traced {
    /// The way to `callee` that is `inner`.
    pub fn new(callee: &'static str, inner: Reach) -> Self {
        Self { callee, inner }
    }
}

impl Service<Request<Body>> for Traced {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Answering {
        let path = request.uri().path().to_owned();
        let span = leaving(self.callee, &path, request.headers_mut());
        let answer = self.inner.call(request);
        if span.is_none() {
            return answer;
        }
        let told = span.clone();
        let told = async move {
            let answer = answer.await;
            match &answer {
                Ok(response) => answered(&told, response.headers()),
                Err(_) => trace::failed(&told),
            }
            answer
        };
        Box::pin(told.instrument(span)) as Pin<Box<_>>
    }
}
