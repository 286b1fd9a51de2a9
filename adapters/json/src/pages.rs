//! `/openapi.json` and `/docs`: made once, when somebody asks first.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response};

use crate::api::Api;
use crate::refused::Refused;
use crate::{docs, openapi};
use highstreet_wire::json::pool;

/// Nothing but this server's style sheet.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What was made; the same for all doors of the process.
struct Made {
    openapi: Bytes,
    pages: BTreeMap<String, Bytes>,
}

/// Their paths.
pub(crate) fn router() -> Router {
    let page = |name: String| match made().pages.get(&name) {
        Some(page) => answer("text/html; charset=utf-8", page.clone()),
        None => Refused::no_such_path(&format!("/docs/{name}")).respond(pool()),
    };
    Router::new()
        .route("/openapi.json", get(async || document()))
        .route("/docs", get(async move || page(String::new())))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route(
            "/docs/style.css",
            get(async || answer("text/css; charset=utf-8", Bytes::from_static(docs::STYLE.as_bytes()))),
        )
        .route("/docs/{service}", get(async move |Path(name): Path<String>| page(name)))
}

fn made() -> &'static Made {
    static MADE: LazyLock<Made> = LazyLock::new(|| Made {
        openapi: openapi::document(Api::get()).to_string().into(),
        pages: docs::pages(Api::get()).into_iter().map(|(name, page)| (name, page.into())).collect(),
    });
    &MADE
}

/// The same for everybody, and no secret: pages of any site may read it, such as those that show such documents.
fn document() -> Response<Body> {
    let mut response = answer("application/json", made().openapi.clone());
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn answer(content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "max-age=300"),
    ];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
