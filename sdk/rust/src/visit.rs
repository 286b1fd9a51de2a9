//! The way of a call: who calls, under which id, and how often.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, sleep};
use tonic::Status;
use tonic::body::Body;
use tower::util::{BoxCloneSyncService, ServiceExt as _};
use tower::{BoxError, Service};

use crate::method::Method;
use crate::patience::Patience;

/// How long the caller is ready to wait: a number and the letter of its unit.
const TIMEOUT: &str = "grpc-timeout";

/// Whatever carries a call to a street.
pub(crate) type Carrier = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// The way of a call to a street; what the generated clients of [`crate::Street`] call through.
#[derive(Clone)]
pub struct Visit {
    pub(crate) carrier: Carrier,
    pub(crate) bearer: Option<HeaderValue>,
    pub(crate) patience: Patience,
}

/// A call that can be made again, for its request is all here.
struct Call {
    head: Parts,
    request: Bytes,
    /// When nobody waits for its answer any more.
    deadline: Option<Instant>,
}

/// What came of one attempt.
enum Outcome {
    /// An answer.
    Answered(Response<Body>),
    /// None, for this reason.
    Refused(Status),
}

// === impl Visit ===

impl Visit {
    async fn once(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        self.carrier.clone().oneshot(request).await.map_err(Status::from_error)
    }

    async fn patiently(&self, call: Call) -> Result<Response<Body>, Status> {
        let begun = Instant::now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let status = match self.attempt(&call).await {
                Outcome::Answered(response) => return Ok(response),
                Outcome::Refused(status) => status,
            };
            let Some(wait) = self.patience.wait(attempts, &status, fastrand::f64()) else { return Err(status) };
            let over = Instant::now() + wait;
            if over > begun + self.patience.in_all || call.deadline.is_some_and(|deadline| over >= deadline) {
                return Err(status);
            }
            sleep(wait).await;
        }
    }

    async fn attempt(&self, call: &Call) -> Outcome {
        let response = match self.once(call.request()).await {
            Ok(response) => response,
            Err(status) => return Outcome::Refused(status),
        };
        if let Some(status) = refusal(response.headers()) {
            return Outcome::Refused(status);
        }
        // How it ended is said after the answer.
        let (head, body) = response.into_parts();
        let answer = match body.collect().await {
            Ok(answer) => answer,
            Err(status) => return Outcome::Refused(status),
        };
        match answer.trailers().and_then(refusal) {
            Some(status) => Outcome::Refused(status),
            None => Outcome::Answered(Response::from_parts(head, Body::new(answer))),
        }
    }
}

impl Service<Request<Body>> for Visit {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // The carrier is asked at each attempt.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let visit = self.clone();
        if let Some(bearer) = &visit.bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.clone());
        }
        Box::pin(async move {
            let Some(method) = Method::at(request.uri().path()) else { return visit.once(request).await };
            let (head, body) = request.into_parts();
            let sent = body.collect().await?.to_bytes();
            let Some(request) = method.identified(sent.clone()).filter(|_| method.is_repeatable()) else {
                return visit.once(Request::from_parts(head, body_of(sent))).await;
            };
            let deadline = head.headers.get(TIMEOUT).and_then(read_timeout).map(|left| Instant::now() + left);
            visit.patiently(Call { head, request, deadline }).await
        })
    }
}

// === impl Call ===

impl Call {
    /// The request as it is sent now, with what is left of its deadline.
    fn request(&self) -> Request<Body> {
        let mut request = Request::from_parts(self.head.clone(), body_of(self.request.clone()));
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            // Eight digits is the most that a timeout may have: more than a day of milliseconds.
            let left = format!("{}m", left.as_millis().min(99_999_999));
            let left = HeaderValue::from_str(&left).expect("digits and a letter are a header's value");
            request.headers_mut().insert(TIMEOUT, left);
        }
        request
    }
}

fn body_of(request: Bytes) -> Body {
    Body::new(Full::new(request))
}

/// Why there is no answer, if these headers or trailers say so.
fn refusal(said: &HeaderMap) -> Option<Status> {
    Status::from_header_map(said).filter(|status| status.code() != tonic::Code::Ok)
}

fn read_timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_in_each_unit() {
        let read = |text| read_timeout(&HeaderValue::from_static(text));
        assert_eq!(read("2H"), Some(Duration::from_hours(2)));
        assert_eq!(read("3M"), Some(Duration::from_mins(3)));
        assert_eq!(read("4S"), Some(Duration::from_secs(4)));
        assert_eq!(read("5m"), Some(Duration::from_millis(5)));
        assert_eq!(read("6u"), Some(Duration::from_micros(6)));
        assert_eq!(read("7n"), Some(Duration::from_nanos(7)));
        assert_eq!([read(""), read("S"), read("8"), read("9x")], [None; 4]);
    }
}
