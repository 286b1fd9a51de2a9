//! What browsers are told they may do with these pages, and whose forms are listened to.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use crate::Console;
use crate::frame;
use crate::visit::Passer;

/// Nothing but what this server serves: no inline script or style, no frames, no forms to elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const TOLD: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds what every answer says. A page is its visitor's alone, so no one keeps it.
pub(crate) async fn tell_browsers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in TOLD {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Listens to forms of these pages only: another site cannot click for a visitor.
pub(crate) async fn refuse_other_sites(State(_): State<Console>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_of_this_site(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    let passer = Passer::of(request.headers(), request.uri());
    let l = passer.lang;
    let page = frame::notice(&passer, l.refused_title(), l.refused_other_site());
    (StatusCode::FORBIDDEN, page).into_response()
}

/// Whether the browser says that the form stood on a page of this server. Browsers always say so, one way or the other.
fn is_of_this_site(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text(HOST.as_str()).or_else(|| uri.authority().map(http::uri::Authority::as_str));
    let origin = text(ORIGIN.as_str()).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(headers: &[(&'static str, &'static str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_of_this_site(&headers.collect(), &Uri::from_static("/"))
    }

    #[test]
    fn a_form_of_this_site_is_known_by_what_the_browser_says() {
        assert!(from(&[("sec-fetch-site", "same-origin")]));
        assert!(from(&[("host", "a:1"), ("origin", "http://a:1")]));
        for other in ["cross-site", "same-site", "none"] {
            assert!(!from(&[("sec-fetch-site", other), ("host", "a:1"), ("origin", "http://a:1")]), "{other}");
        }
        assert!(!from(&[("host", "a:1"), ("origin", "http://b:1")]));
        assert!(!from(&[("host", "a:1"), ("origin", "null")]));
        assert!(!from(&[("host", "a:1")]));
    }
}
