//! Streams that end, and calls whose context behaves oddly: the way leads to a service made for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use highstreet_json::{JsonSettings, Way, doors, router};
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::tracking::{Trace, WatchTracesResponse};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;

/// A message in gRPC's frame.
fn framed(message: &impl Message) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.encoded_len()).unwrap());
    message.encode(&mut frame).unwrap();
    frame.freeze()
}

fn change(cursor: &str) -> WatchTracesResponse {
    let order = Some(Reference { context: "ordering".into(), id: "7".into() });
    WatchTracesResponse { trace: Some(Trace { order, ..Trace::default() }), cursor: cursor.into() }
}

/// One change, and then the end of the server.
fn ending() -> Way {
    Way::new(tower::service_fn(async |_: Request<tonic::body::Body>| {
        let mut details = ErrorDetails::new();
        details.set_error_info("SHUTTING_DOWN", "highstreet.dev", []);
        details.set_retry_info(Some(std::time::Duration::from_secs(2)));
        let status = Status::with_error_details(Code::Unavailable, "the server shuts down", details);
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers).unwrap();
        let frames = [Frame::data(framed(&change("12"))), Frame::trailers(trailers)];
        let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, Infallible>)));
        let response = Response::builder().header("content-type", "application/grpc");
        Ok(response.body(tonic::body::Body::new(body)).unwrap())
    }))
}

async fn watched(accept: &str) -> (String, String) {
    let router = router(ending(), JsonSettings::default()).unwrap();
    let request = Request::get("/v1/shops/skanu/traces:watch").header("accept", accept).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (content_type, String::from_utf8(body.to_vec()).unwrap())
}

/// CAP-10: a stream that fails says so at its end, and when to come back.
#[tokio::test]
async fn a_stream_that_fails_says_so_at_its_end() {
    let (content_type, events) = watched("text/event-stream").await;
    assert_eq!(content_type, "text/event-stream");
    let blocks: Vec<_> = events.trim_end().split("\n\n").collect();
    assert_eq!(blocks.len(), 2, "{events}");
    assert!(blocks[0].contains("id: 12") && blocks[0].contains(r#""cursor":"12""#), "{events}");
    assert!(blocks[1].contains("event: error") && blocks[1].contains("SHUTTING_DOWN"), "{events}");
    assert!(blocks[1].contains("retry: 2000"), "{events}");

    let (content_type, lines) = watched("*/*").await;
    assert_eq!(content_type, "application/x-ndjson");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["cursor"], "12");
    assert_eq!((lines.len(), lines[1]["error"]["code"].as_u64()), (2, Some(503)));
}

/// What a call brings to its service, and nothing else.
#[tokio::test]
async fn a_call_brings_along_what_it_may() {
    let heard = Arc::new(Mutex::new(HeaderMap::new()));
    let hears = heard.clone();
    let way = Way::new(tower::service_fn(move |request: Request<tonic::body::Body>| {
        *hears.lock().unwrap() = request.headers().clone();
        async { Ok(Status::not_found("nobody").into_http()) }
    }));
    let router = router(way, JsonSettings::default()).unwrap();
    let request = Request::get("/v1/orders/7")
        .header("authorization", "Bearer x")
        .header("traceparent", "00-1-2-01")
        .header("x-correlation-id", "case")
        .header("x-highstreet-actor", "context:payment")
        .header("cookie", "a=b")
        .body(Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let heard = heard.lock().unwrap();
    assert_eq!(
        (&heard["authorization"], &heard["x-correlation-id"]),
        (&"Bearer x".parse().unwrap(), &"case".parse().unwrap())
    );
    assert_eq!(heard["traceparent"], "00-1-2-01");
    assert_eq!(heard["grpc-timeout"], "30000m", "who does not say how long waits half a minute");
    assert!(!heard.contains_key("x-highstreet-actor") && !heard.contains_key("cookie"));
}

/// Whoever may not is told by what to show who they are.
#[tokio::test]
async fn who_may_not_is_told_how_to_say_who_they_are() {
    let refuse = |status: Status| {
        Way::new(tower::service_fn(move |_: Request<tonic::body::Body>| {
            let status = status.clone();
            async move { Ok(status.into_http()) }
        }))
    };
    let get = async |status| {
        let router = router(refuse(status), JsonSettings::default()).unwrap();
        router.oneshot(Request::get("/v1/orders/7").body(Body::empty()).unwrap()).await.unwrap()
    };
    let unknown = get(Status::unauthenticated("no token")).await;
    assert_eq!(
        (unknown.status(), &unknown.headers()["www-authenticate"]),
        (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
    );
    for (status, http) in [
        (Status::permission_denied("no"), 403),
        (Status::already_exists("no"), 409),
        (Status::cancelled("no"), 499),
        (Status::internal("no"), 500),
        (Status::unimplemented("no"), 501),
    ] {
        assert_eq!(get(status).await.status().as_u16(), http);
    }
}

/// What is neither a service's path nor anything else is not found, as JSON.
#[tokio::test]
async fn nothing_is_at_any_other_path() {
    let doors = doors(ending(), &JsonSettings::default());
    let response = doors.oneshot(Request::get("/favicon.ico").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()["content-type"], "application/json");
}
