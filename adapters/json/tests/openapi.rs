//! The document that describes the API is one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use axum::body::Body;
use highstreet_json::{JsonSettings, Way, router};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// The schema of `OpenAPI` 3.1 documents, as its initiative publishes it.
const SCHEMA: &str = include_str!("openapi-3.1.schema.json");

/// Nobody is called.
fn nobody() -> Way {
    Way::new(tower::service_fn(async |_: Request<tonic::body::Body>| Ok(Response::new(tonic::body::Body::empty()))))
}

async fn get(path: &str) -> (StatusCode, String, String) {
    let router = router(nobody(), JsonSettings::default()).unwrap();
    let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let policy = response.headers().get("content-security-policy").map(|it| it.to_str().unwrap().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, policy.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
}

async fn document() -> Value {
    let (status, _, body) = get("/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_str(&body).unwrap()
}

/// Every `$ref` in it.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// CAP-10: the API is described by a valid `OpenAPI` 3.1 document, in which nothing is missing that is referred to.
#[tokio::test]
async fn the_document_is_valid() {
    let document = document().await;
    let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let wrong: Vec<_> = validator.iter_errors(&document).map(|it| format!("{} {it}", it.instance_path)).collect();
    assert_eq!(wrong, [""; 0]);
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 200, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some_and(|it| !it.is_null()), "{reference}");
    }
    let mut broken = document.clone();
    broken["paths"]["/v1/orders/{orderId}"]["get"]["responses"] = serde_json::json!({"ok": {}});
    assert!(!validator.is_valid(&broken), "a wrong document is found");
}

#[tokio::test]
async fn operations_say_what_callers_must_know() {
    let document = document().await;
    let mut names = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (verb, operation) in operations.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            names.push(name);
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
            assert!(operation["x-access"]["roles"].is_array(), "{name}");
            let parameters = operation["parameters"].as_array().unwrap();
            let in_path = parameters.iter().filter(|it| it["in"] == "path");
            let expected = path.matches('{').count();
            assert_eq!(in_path.clone().count(), expected, "{verb} {path}");
            for parameter in in_path {
                assert!(path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap())), "{path}");
            }
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "operation ids are unique");
    assert!(count > 60, "{count}");
    let place = &document["paths"]["/v1/shops/{shopId}/orders"]["post"];
    assert_eq!(place["operationId"], "OrderingService_PlaceOrder");
    assert_eq!(place["x-access"]["own"][0], "customer");
    let body = &place["requestBody"]["content"]["application/json"]["schema"];
    assert!(body["properties"]["shopId"].is_null() && body["properties"]["lines"].is_object());
    assert!(body["properties"]["lines"]["description"].as_str().unwrap().contains("1 to 100 lines"));
}

/// Every service has a page, with its RPCs and their fields; nothing on it runs.
#[tokio::test]
async fn every_service_has_a_page() {
    let document = document().await;
    let services: Vec<_> = document["tags"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(services.len() >= 15, "{services:?}");
    for service in services {
        let (status, policy, page) = get(&format!("/docs/{service}")).await;
        assert_eq!(status, StatusCode::OK, "{service}");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        assert!(page.contains("May call:") && page.contains("grpcurl -plaintext"), "{service}");
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("onclick"), "{service}");
    }
    let (_, _, ordering) = get("/docs/ordering").await;
    for told in ["OrderCancelled", "PlaceOrder", "1 to 100 lines", "customer (what is their own)", "curl --json"] {
        assert!(ordering.contains(told), "{told}");
    }
    assert_eq!(get("/docs/nothing").await.0, StatusCode::NOT_FOUND);
    assert!(get("/docs").await.2.contains("Who may call what"));
    assert!(get("/docs/style.css").await.2.contains("light-dark"));
}
