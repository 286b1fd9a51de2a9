//! Errors, and what HTTP calls them.

use std::time::Duration;

use highstreet::ContextName::{Ordering, Payment};
use highstreet::config::ShopArgs;
use http::Method;
use serde_json::json;

use crate::client::Web;
use crate::common::HighStreet;
use crate::street::{Gateway, lattes, order, text};

const NOBODY: &str = "0197a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";

/// CAP-10: a status has its HTTP status, and its details are there to be read.
#[tokio::test(flavor = "multi_thread")]
async fn errors_have_their_http_status_and_their_details() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    let missing = web.get(format!("/v1/orders/{NOBODY}")).send().await;
    assert_eq!(missing.refusal(), (404, "NOT_FOUND".into(), "ORDER_NOT_FOUND".into()));
    let details = &missing.json()["error"]["details"];
    let resource = details.as_array().unwrap().iter().find(|it| it["resourceName"].is_string()).unwrap();
    assert_eq!((resource["resourceType"].as_str(), resource["resourceName"].as_str()), (Some("order"), Some(NOBODY)));

    let bad = web.post("/v1/shops/skanu/orders", json!({"lines": [{"quantity": -1}]})).send().await;
    let fields = bad.bad_fields();
    for field in ["customer_phone", "lines[0].quantity", "lines[0].unit_price"] {
        assert!(fields.iter().any(|it| it == field), "{fields:?}");
    }
}

/// CAFE-A3: while payment is down an order is 503, with the time to come back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_away_says_when_to_come_back() {
    let mut street = HighStreet::open().await;
    let web = Web::new(&street.url());
    street.stop(Payment).await;
    let refused = web.post("/v1/shops/skanu/orders", lattes()).send().await;
    assert_eq!(refused.refusal(), (503, "UNAVAILABLE".into(), "PAYMENT_UNAVAILABLE".into()));
    assert_eq!(refused.header("retry-after"), "1");
    assert!(!refused.header("x-correlation-id").is_empty());
    street.stop(Ordering).await;
    let stopped = web.get(format!("/v1/orders/{NOBODY}")).send().await;
    assert_eq!(stopped.refusal(), (503, "UNAVAILABLE".into(), "CONTEXT_STOPPED".into()));
}

/// CAP-7: beyond the limit a call is 429, with the time to come back.
#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_429() {
    let street = HighStreet::open().await;
    let gateway = Gateway::with(&street.url(), |ground| ground.rate_limit = std::num::NonZeroU32::new(1)).await;
    let web = Web::new(&gateway.url);
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(web.get(format!("/v1/orders/{NOBODY}")).send().await);
    }
    let refused = answers.iter().find(|it| it.status == 429).expect("one of five at once is too much");
    assert_eq!(refused.refusal(), (429, "RESOURCE_EXHAUSTED".into(), "RATE_LIMITED".into()));
    assert_eq!(refused.header("retry-after"), "1");
}

/// CAP-10: a caller says how long it waits; what takes longer is 504.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_kept() {
    let latency = Duration::from_secs(20)..=Duration::from_secs(20);
    let street = HighStreet::with(ShopArgs { provider_latency: latency, ..ShopArgs::standard() }).await;
    let gateway = Gateway::before(&street.url()).await;
    let web = Web::new(&gateway.url);
    for (header, value) in [("x-request-timeout", "0.2"), ("grpc-timeout", "200m")] {
        let placed = order(&web).await;
        let path = format!("/v1/payments/{}:pay", text(&placed, "paymentId"));
        let late = web.post(path, json!({"method": 1})).with(header, value).send().await;
        assert_eq!(late.refusal(), (504, "DEADLINE_EXCEEDED".into(), "DEADLINE_EXCEEDED".into()), "{header}");
    }
    let nonsense = web.get("/v1/shops/skanu/orders").with("x-request-timeout", "soon").send().await;
    assert_eq!(nonsense.bad_fields(), ["x-request-timeout"]);
}

/// CAP-10: paths and methods are told apart from what is behind them.
#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_are_as_http_has_them() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    for nothing in ["/v1/nothing", "/v1/orders/a/b", "/v2/orders", "/nothing"] {
        assert_eq!(web.get(nothing).send().await.refusal().2, "NO_SUCH_PATH", "{nothing}");
    }
    let wrong = web.ask(Method::DELETE, "/v1/shops/skanu/orders").send().await;
    assert_eq!(wrong.refusal(), (405, "UNIMPLEMENTED".into(), "METHOD_NOT_ALLOWED".into()));
    assert_eq!(wrong.header("allow"), "GET, HEAD, OPTIONS, POST");
    let no_verb = web.post("/v1/orders/a:nothing", json!({})).send().await;
    assert_eq!((no_verb.status.as_u16(), no_verb.header("allow")), (405, "GET, HEAD, OPTIONS"));
    let options = web.ask(Method::OPTIONS, "/v1/shops/skanu/orders").send().await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET, HEAD, OPTIONS, POST"));
    let head = web.ask(Method::HEAD, "/v1/shops/skanu/orders").send().await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    let length = web.get("/v1/shops/skanu/orders").send().await.body.len().to_string();
    assert_eq!(head.header("content-length"), length);
}
