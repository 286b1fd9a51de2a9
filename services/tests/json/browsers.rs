//! Browsers: pages of other origins, and gRPC-Web.

use bytes::Bytes;
use highstreet_wire::proto::ordering::{GetOrderRequest, GetOrderResponse};
use http::Method;
use prost::Message;

use crate::client::Web;
use crate::common::HighStreet;
use crate::street::{Gateway, order, text};

const PAGE: &str = "https://shop.example";
const PATH: &str = "/v1/shops/skanu/orders";
const GET: &str = "/highstreet.ordering.v1.OrderingService/GetOrder";

async fn open_to_pages(street: &HighStreet) -> Gateway {
    Gateway::with(&street.url(), |ground| ground.web.cors_origins = vec![PAGE.parse().unwrap()]).await
}

/// CAP-10: pages of the origins that were named may call, read what they need, and no other may.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_named_origins_may_call() {
    let street = HighStreet::open().await;
    let gateway = open_to_pages(&street).await;
    let web = Web::new(&gateway.url);
    for path in [PATH, GET] {
        let preflight = web.ask(Method::OPTIONS, path).with("origin", PAGE);
        let preflight = preflight.with("access-control-request-method", "POST").send().await;
        assert_eq!(preflight.header("access-control-allow-origin"), PAGE, "{path}");
        assert!(preflight.header("access-control-allow-methods").contains("POST"), "{path}");
        let sent = preflight.header("access-control-allow-headers");
        for name in ["authorization", "content-type", "idempotency-key", "if-match", "x-grpc-web"] {
            assert!(sent.contains(name), "{name}: {sent}");
        }
    }
    let called = web.get(PATH).with("origin", PAGE).send().await;
    assert_eq!(called.header("access-control-allow-origin"), PAGE);
    assert!(called.header("access-control-expose-headers").contains("etag"));
    assert!(called.header("vary").to_lowercase().contains("origin"));
    let stranger = web.get(PATH).with("origin", "https://elsewhere.example").send().await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
    // Browsers send a plain POST without a body without asking first.
    let plain = "/v1/contexts/tracking/views/traces:rebuild";
    let foreign = web.ask(Method::POST, plain).with("origin", "https://elsewhere.example").send().await;
    assert_eq!(foreign.refusal(), (403, "PERMISSION_DENIED".into(), "ORIGIN_NOT_ALLOWED".into()));
    let own = web.ask(Method::POST, plain).with("origin", gateway.url.clone()).send().await;
    assert_ne!(own.status, 403, "this server's own pages may");
    let asked = web.ask(Method::OPTIONS, PATH).send().await;
    assert_eq!(asked.header("allow"), "GET, HEAD, OPTIONS, POST", "who is no browser asks the path itself");

    let closed = Web::new(&street.url());
    let called = closed.get(PATH).with("origin", PAGE).send().await;
    assert_eq!(called.header("access-control-allow-origin"), "", "no origin may call unless it was named");
}

/// A message as gRPC frames it.
fn framed(message: &impl Message) -> Bytes {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), &message].concat().into()
}

/// The frames of an answer: the message's, and the trailers' as text.
fn frames(mut body: &[u8]) -> (Vec<u8>, String) {
    let (mut message, mut trailers) = (Vec::new(), String::new());
    while let Some((head, rest)) = body.split_at_checked(5) {
        let (frame, rest) = rest.split_at(u32::from_be_bytes(head[1..].try_into().unwrap()) as usize);
        if head[0] == 0x80 {
            trailers = String::from_utf8(frame.to_vec()).unwrap();
        } else {
            message = frame.to_vec();
        }
        body = rest;
    }
    (message, trailers)
}

/// CAP-10, CAP-12: a browser calls by gRPC-Web over HTTP/1.1, through the gateway, from a page of another origin.
#[tokio::test(flavor = "multi_thread")]
async fn browsers_call_by_grpc_web() {
    let street = HighStreet::open().await;
    let gateway = open_to_pages(&street).await;
    let web = Web::new(&gateway.url);
    let placed = order(&web).await;
    let order_id = text(&placed, "orderId").to_owned();
    let ask = |request: &GetOrderRequest| {
        let ask = web.ask(Method::POST, GET).with("content-type", "application/grpc-web+proto").with("origin", PAGE);
        ask.with("x-grpc-web", "1").body(framed(request))
    };
    let got = ask(&GetOrderRequest { order_id: order_id.clone() }).send().await;
    assert_eq!(got.header("access-control-allow-origin"), PAGE);
    let (message, trailers) = frames(&got.body);
    assert_eq!(GetOrderResponse::decode(&*message).unwrap().order.unwrap().order_id, order_id);
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
    let missing = ask(&GetOrderRequest::default()).send().await;
    let (_, trailers) = frames(&missing.body);
    let told = [missing.header("grpc-status"), trailers.as_str()].concat();
    assert!(told.contains('3'), "{missing:?}");
    assert!(missing.header("access-control-expose-headers").contains("grpc-status"));
}
