//! The Connect protocol.

use highstreet_wire::proto::ordering::{GetOrderRequest, GetOrderResponse};
use http::Method;
use prost::Message;
use serde_json::json;

use crate::client::Web;
use crate::common::HighStreet;
use crate::street::{Gateway, lattes, order, text};

const PLACE: &str = "/highstreet.ordering.v1.OrderingService/PlaceOrder";
const GET: &str = "/highstreet.ordering.v1.OrderingService/GetOrder";

/// CAP-10: a Connect client calls by the RPC's own name, in JSON or in protobuf, through the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn unary_calls_go_over_connect() {
    let street = HighStreet::open().await;
    let gateway = Gateway::before(&street.url()).await;
    let web = Web::new(&gateway.url);
    let mut request = lattes();
    request["shopId"] = json!("skanu");
    let placed = web.post(PLACE, request).with("connect-protocol-version", "1").ok().await;
    let id = text(&placed["order"], "orderId").to_owned();
    let body = GetOrderRequest { order_id: id.clone() }.encode_to_vec();
    let got = web.ask(Method::POST, GET).with("content-type", "application/proto").body(body).send().await;
    assert_eq!(got.header("content-type"), "application/proto");
    assert_eq!(GetOrderResponse::decode(got.body).unwrap().order.unwrap().order_id, id);
}

/// CAP-10: errors are as Connect has them.
#[tokio::test(flavor = "multi_thread")]
async fn errors_go_over_connect() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    let missing = web.post(GET, json!({"orderId": "0197a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b"})).send().await;
    assert_eq!((missing.status.as_u16(), missing.json()["code"].as_str()), (404, Some("not_found")));
    let details = missing.json()["details"].clone();
    let info = details.as_array().unwrap().iter().find(|it| it["type"] == "google.rpc.ErrorInfo").unwrap();
    assert_eq!(info["debug"]["reason"], "ORDER_NOT_FOUND");
    assert!(!info["value"].as_str().unwrap().contains('='));
    let unknown = web.post(GET, json!({"order": 1})).send().await;
    assert_eq!((unknown.status.as_u16(), unknown.json()["code"].as_str()), (400, Some("invalid_argument")));
    let timeout = web.post(GET, json!({})).with("connect-timeout-ms", "soon").send().await;
    assert_eq!(timeout.json()["code"], "invalid_argument");
    let stream = web.post("/highstreet.tracking.v1.TrackingService/WatchTraces", json!({})).send().await;
    assert_eq!((stream.status.as_u16(), stream.json()["code"].as_str()), (501, Some("unimplemented")));
    let placed = order(&web).await;
    assert_eq!(web.get(format!("{GET}?orderId={}", text(&placed, "orderId"))).send().await.status, 405);
    let form = web.ask(Method::POST, GET).with("content-type", "text/plain").body("x").send().await;
    assert_eq!(form.refusal().0, 415);
}
