//! How calls are made again: with a street in this process that is away as often as it is told to.
#![allow(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use highstreet_client::proto::kitchen::{CompletePreparationRequest, GetPreparationRequest};
use highstreet_client::proto::operations::RetryStepRequest;
use highstreet_client::{Patience, Street};
use http_body_util::BodyExt as _;
use prost::Message as _;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Request, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::service_fn;
use uuid::Uuid;

const MS: Duration = Duration::from_millis(1);

/// What a street saw of the calls.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Attempt>>>);

struct Attempt {
    request_id: String,
    timeout: Option<String>,
}

/// A street that refuses with `refusal` until it has been called `refusals` times.
fn away(refusal: Status, refusals: usize) -> (Street, Seen) {
    let seen = Seen::default();
    let noting = seen.clone();
    let carrier = service_fn(move |request: http::Request<Body>| {
        let (noting, refusal) = (noting.clone(), refusal.clone());
        async move {
            let attempts = noting.note(request).await;
            let response = if attempts <= refusals { refusal.into_http() } else { answer() };
            Ok::<_, Infallible>(response)
        }
    });
    (Street::over(carrier), seen)
}

/// An empty message, and that all is well.
fn answer() -> http::Response<Body> {
    let frame = Body::new(http_body_util::Full::from(&[0_u8; 5][..]).with_trailers(async {
        let trailers: http::HeaderMap =
            [(http::HeaderName::from_static("grpc-status"), "0".parse().unwrap())].into_iter().collect();
        Some(Ok(trailers))
    }));
    http::Response::builder().header("content-type", "application/grpc").body(frame).unwrap()
}

fn told(code: Code, wait: Duration) -> Status {
    Status::with_error_details(code, "later", ErrorDetails::with_retry_info(Some(wait)))
}

fn look() -> GetPreparationRequest {
    GetPreparationRequest::default()
}

#[tokio::test(start_paused = true)]
async fn a_change_is_made_again_under_the_id_of_the_first_attempt() {
    let (street, seen) = away(Status::unavailable("away"), 3);
    street.kitchen().complete_preparation(CompletePreparationRequest::default()).await.unwrap();
    let ids = seen.ids();
    assert_eq!(ids.len(), 4);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1, "{ids:?}");
    assert!(Uuid::parse_str(&ids[0]).is_ok(), "{ids:?}");
    street.kitchen().complete_preparation(CompletePreparationRequest::default()).await.unwrap();
    assert_ne!(seen.ids()[4], ids[0]);
}

#[tokio::test(start_paused = true)]
async fn it_waits_as_long_as_it_is_told() {
    for code in [Code::Unavailable, Code::ResourceExhausted] {
        let (street, seen) = away(told(code, 2000 * MS), 1);
        let begun = Instant::now();
        street.kitchen().get_preparation(look()).await.unwrap();
        let took = begun.elapsed();
        assert!(took >= 2000 * MS && took <= 2600 * MS, "{took:?}");
        assert_eq!(seen.ids().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends() {
    let standard = Patience::default();
    let cases = [
        ("after five attempts", Status::unavailable(""), standard, 5),
        ("told to wait longer than it would", told(Code::Unavailable, 11_000 * MS), standard, 1),
        ("beyond its time", told(Code::Unavailable, 9000 * MS), Patience { in_all: 12_000 * MS, ..standard }, 2),
        ("too much of something else", Status::resource_exhausted(""), standard, 1),
        ("an answer", told(Code::FailedPrecondition, MS), standard, 1),
    ];
    for (what, refusal, patience, attempts) in cases {
        let code = refusal.code();
        let (street, seen) = away(refusal, usize::MAX);
        let status = street.with_patience(patience).kitchen().get_preparation(look()).await.unwrap_err();
        assert_eq!((status.code(), seen.ids().len()), (code, attempts), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_calls_own_deadline() {
    let (street, seen) = away(told(Code::Unavailable, 400 * MS), usize::MAX);
    let mut request = Request::new(look());
    request.set_timeout(1000 * MS);
    let begun = Instant::now();
    street.kitchen().get_preparation(request).await.unwrap_err();
    assert!(begun.elapsed() < 1000 * MS);
    let left: Vec<u64> = seen.timeouts().iter().map(|it| it.strip_suffix('m').unwrap().parse().unwrap()).collect();
    assert!(left.len() >= 2 && left[0] <= 1000 && left[1] <= left[0] - 400, "what is left goes with each: {left:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operators_order_is_given_once() {
    let (street, seen) = away(Status::unavailable("away"), 1);
    let status = street.operations().retry_step(RetryStepRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), seen.ids().len()), (Code::Unavailable, 1));
}

// === impl Seen ===

impl Seen {
    /// Notes an attempt, and says how many there were.
    async fn note(&self, request: http::Request<Body>) -> usize {
        let (head, body) = request.into_parts();
        let framed = body.collect().await.unwrap().to_bytes();
        let is_change = head.uri.path().ends_with("CompletePreparation");
        let decoded = is_change.then(|| CompletePreparationRequest::decode(&framed[5..]).unwrap());
        let timeout = head.headers.get("grpc-timeout").map(|it| it.to_str().unwrap().to_owned());
        let mut seen = self.0.lock().unwrap();
        seen.push(Attempt { request_id: decoded.unwrap_or_default().request_id, timeout });
        seen.len()
    }

    fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|attempt| attempt.request_id.clone()).collect()
    }

    fn timeouts(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().filter_map(|attempt| attempt.timeout.clone()).collect()
    }
}
