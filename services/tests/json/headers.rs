//! Headers that mean something.

use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::client::Web;
use crate::common::HighStreet;
use crate::street::{lattes, order, text};

/// CAP-10: a call that is repeated under its key is answered as it was, and nothing happens twice; the same key with
/// other content is refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_makes_a_call_repeatable() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    let key = Uuid::now_v7().to_string();
    let place = |json| web.post("/v1/shops/skanu/orders", json).with("idempotency-key", key.clone());
    let first = place(lattes()).ok().await;
    assert_eq!(place(lattes()).ok().await, first);
    // The field says the same as the header.
    let mut said = lattes();
    said["requestId"] = json!(key);
    assert_eq!(web.post("/v1/shops/skanu/orders", said).ok().await, first);
    assert_eq!(web.get("/v1/shops/skanu/orders").ok().await["orders"].as_array().unwrap().len(), 1);

    let mut other = lattes();
    other["lines"][0]["quantity"] = json!(3);
    let reused = place(other).send().await;
    assert_eq!(reused.refusal(), (400, "INVALID_ARGUMENT".into(), "REQUEST_ID_REUSED".into()));
    let mut both = lattes();
    both["requestId"] = json!(Uuid::now_v7().to_string());
    assert_eq!(place(both).send().await.bad_fields(), ["requestId"]);
    let no_uuid = web.post("/v1/shops/skanu/orders", lattes()).with("idempotency-key", "order-1").send().await;
    assert_eq!(no_uuid.bad_fields(), ["idempotency-key"]);
}

/// CAP-10: what a caller saw has an `ETag`; what has changed since is not changed again by `If-Match`.
#[tokio::test(flavor = "multi_thread")]
async fn an_etag_guards_against_changing_what_one_did_not_see() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    let placed = order(&web).await;
    let path = format!("/v1/orders/{}", text(&placed, "orderId"));
    let got = web.get(&path).send().await;
    let tag = got.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", text(&placed, "revision")));
    let unchanged = web.get(&path).with("if-none-match", tag.clone()).send().await;
    assert_eq!((unchanged.status, unchanged.body.len()), (StatusCode::NOT_MODIFIED, 0));

    let cancel = |json| web.post(format!("{path}:cancel"), json);
    let stale = cancel(json!({})).with("if-match", "\"99\"").send().await;
    assert_eq!(stale.refusal(), (412, "ABORTED".into(), "REVISION_MISMATCH".into()));
    let by_field = cancel(json!({"expectedRevision": "99"})).send().await;
    assert_eq!(by_field.refusal(), (409, "ABORTED".into(), "REVISION_MISMATCH".into()));
    let both = cancel(json!({"expectedRevision": "98"})).with("if-match", tag.clone()).send().await;
    assert_eq!(both.bad_fields(), ["expectedRevision"]);
    assert_eq!(cancel(json!({})).with("if-match", "7").send().await.bad_fields(), ["if-match"]);
    let done = cancel(json!({})).with("if-match", tag.clone()).send().await;
    assert_eq!(done.status, StatusCode::OK);
    assert_ne!(done.header("etag"), tag);
}

/// CAP-2: a call brings its correlation along and gets it back; who brings none gets one.
#[tokio::test(flavor = "multi_thread")]
async fn correlations_are_returned() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    for path in ["/v1/shops/skanu/orders", "/v1/nothing", "/v1/orders/no-uuid"] {
        let said = web.get(path).with("x-correlation-id", "case-7").send().await;
        assert_eq!(said.header("x-correlation-id"), "case-7", "{path}");
        assert!(Uuid::try_parse(web.get(path).send().await.header("x-correlation-id")).is_ok(), "{path}");
    }
}
