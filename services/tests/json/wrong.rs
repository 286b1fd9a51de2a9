//! Requests that are wrong in every way.

use http::Method;
use serde_json::json;

use crate::client::{Answer, Web};
use crate::common::HighStreet;
use crate::street::lattes;

const PATH: &str = "/v1/shops/skanu/orders";

async fn sent(web: &Web, body: impl Into<bytes::Bytes>) -> Answer {
    web.ask(Method::POST, PATH).with("content-type", "application/json").body(body).send().await
}

/// CAP-10: what is not understood is refused, and the field that is wrong is named.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_refused_by_name() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    let cases = [
        (json!({"linse": []}).to_string(), vec!["linse"]),
        (json!({"lines": [{"prize": 1}]}).to_string(), vec!["lines.prize"]),
        (r#"{"customerPhone": "1", "customer_phone": "2"}"#.into(), vec!["customer_phone"]),
        (json!({"lines": [{"quantity": "two"}]}).to_string(), vec!["lines[0].quantity"]),
        (json!({"lines": [{"quantity": 2_147_483_648_i64}]}).to_string(), vec!["lines[0].quantity"]),
        (json!({"paymentMethod": "GOLD"}).to_string(), vec!["paymentMethod"]),
        (json!({"shopId": "another"}).to_string(), vec!["shopId"]),
        (json!([]).to_string(), vec!["body"]),
        ("{".into(), vec![]),
        ("{} {}".into(), vec![]),
        (format!("{{\"lines\": {}{}}}", "[".repeat(500), "]".repeat(500)), vec![]),
    ];
    for (body, fields) in cases {
        assert_eq!(sent(&web, body.clone()).await.bad_fields(), fields, "{body}");
    }
    let no_text = [b"{\"customerPhone\": \"".as_slice(), &[0xff], b"\"}"].concat();
    assert_eq!(sent(&web, no_text).await.bad_fields(), ["customerPhone"]);
    // The path says it already; saying the same again is no error.
    let mut same = lattes();
    same["shopId"] = json!("skanu");
    assert_eq!(sent(&web, same.to_string()).await.status, 200);
}

/// CAP-10: queries, bodies and types that do not belong there.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_belong_there_is_refused() {
    let street = HighStreet::open().await;
    let web = Web::new(&street.url());
    for (query, field) in [
        ("nothing=1", "nothing"),
        ("pageSize=1&page_size=2", "page_size"),
        ("status=GOLD", "status"),
        ("shop_id=another", "shopId"),
        ("customerPhone=%FF", "customerPhone"),
    ] {
        assert_eq!(web.get(format!("{PATH}?{query}")).send().await.bad_fields(), [field], "{query}");
    }
    let in_query = web.post(format!("{PATH}?customerPhone=1"), lattes()).send().await;
    assert_eq!(in_query.bad_fields(), ["customerPhone"]);
    let with_body = web.get(PATH).with("content-type", "application/json").body("{}").send().await;
    assert_eq!(with_body.bad_fields(), ["body"]);
    let both = "/v1/payments:lookup?paymentId=1&order.context=ordering&order.id=2";
    assert_eq!(web.get(both).send().await.bad_fields(), ["order.context", "order.id"]);

    for other in ["application/x-www-form-urlencoded", "text/plain", "application/xml"] {
        let typed = web.ask(Method::POST, PATH).with("content-type", other).body(lattes().to_string()).send().await;
        assert_eq!(typed.refusal(), (415, "INVALID_ARGUMENT".into(), "UNSUPPORTED_MEDIA_TYPE".into()), "{other}");
    }
    let charset = web.ask(Method::POST, PATH).with("content-type", "application/json; charset=utf-8");
    assert_eq!(charset.body(lattes().to_string()).send().await.status, 200);
    let large = format!("{{\"customerPhone\": \"{}\"}}", "1".repeat(4 * 1024 * 1024));
    assert_eq!(sent(&web, large).await.refusal(), (413, "OUT_OF_RANGE".into(), "BODY_TOO_LARGE".into()));
}
