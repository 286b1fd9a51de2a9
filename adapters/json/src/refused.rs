//! An error as HTTP tells it: the status, and AIP-193's JSON with every detail decoded.

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use highstreet_wire::call::STATUSES;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use prost_types::Any;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::headers::returned;
use crate::wrong::refusal;

/// An error, and the HTTP status that says it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: Status,
    pub(crate) http: StatusCode,
    headers: HeaderMap,
}

/// What HTTP calls a gRPC code.
pub(crate) fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        // The client is gone: 499, which has no name.
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The code's name, such as `NOT_FOUND`.
pub(crate) fn name(code: Code) -> &'static str {
    usize::try_from(code as i32).ok().and_then(|code| STATUSES.get(code)).copied().unwrap_or("UNKNOWN")
}

/// `{"error": {"code": 404, "status": "NOT_FOUND", "message": …, "details": […]}}`
pub(crate) fn json(pool: &DescriptorPool, status: &Status, http: StatusCode) -> Value {
    json!({"error": {
        "code": http.as_u16(),
        "status": name(status.code()),
        "message": status.message(),
        "details": details(pool, status),
    }})
}

fn details(pool: &DescriptorPool, status: &Status) -> Vec<Value> {
    any(status).into_iter().map(|detail| decoded(pool, &detail)).collect()
}

/// The details of an error, as they travel.
pub(crate) fn any(status: &Status) -> Vec<Any> {
    tonic_types::pb::Status::decode(status.details()).map(|decoded| decoded.details).unwrap_or_default()
}

/// A detail with its type beside its fields; what this version does not know, as it travelled.
pub(crate) fn decoded(pool: &DescriptorPool, detail: &Any) -> Value {
    let mut fields = Map::from_iter([("@type".to_owned(), Value::from(detail.type_url.clone()))]);
    let name = detail.type_url.rsplit('/').next().unwrap_or_default();
    let known = pool.get_message_by_name(name);
    let message = known.and_then(|known| DynamicMessage::decode(known, detail.value.as_slice()).ok());
    match message.and_then(|message| serde_json::to_value(message).ok()) {
        Some(Value::Object(decoded)) => fields.extend(decoded),
        _ => {
            fields.insert("value".into(), BASE64_STANDARD.encode(&detail.value).into());
        }
    }
    Value::Object(fields)
}

// === impl Refused ===

impl Refused {
    /// Said by another HTTP status than the code's.
    pub(crate) fn with(status: Status, http: StatusCode) -> Self {
        Self { status, http, headers: HeaderMap::new() }
    }

    /// Nothing is at this path.
    pub(crate) fn no_such_path(path: &str) -> Self {
        let message = format!("there is nothing at {path}; what there is stands in /openapi.json and /docs");
        refusal(Code::NotFound, "NO_SUCH_PATH", message).into()
    }

    /// The path is for these methods.
    pub(crate) fn wrong_method(methods: &[Method]) -> Self {
        let allow = allow(methods);
        let message = format!("this path is for {}", allow.to_str().unwrap_or_default());
        let status = refusal(Code::Unimplemented, "METHOD_NOT_ALLOWED", message);
        let mut refused = Self::with(status, StatusCode::METHOD_NOT_ALLOWED);
        refused.headers.insert(ALLOW, allow);
        refused
    }

    /// The body is in a form that nobody reads here.
    pub(crate) fn wrong_type(message: impl Into<String>) -> Self {
        let status = refusal(Code::InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", message);
        Self::with(status, StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    /// The answer.
    pub(crate) fn respond(self, pool: &DescriptorPool) -> Response<Body> {
        let body = json(pool, &self.status, self.http).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.http;
        let headers = response.headers_mut();
        *headers = self.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        returned(self.status.metadata(), headers);
        if self.http == StatusCode::UNAUTHORIZED && !headers.contains_key(WWW_AUTHENTICATE) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.status.get_details_retry_info().and_then(|info| info.retry_delay) {
            // Whole seconds are all that the header knows; whoever comes later is not too early.
            headers
                .insert(RETRY_AFTER, HeaderValue::from(wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)));
        }
        response
    }
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let http = http_status(status.code());
        Self::with(status, http)
    }
}

/// `Allow`: what a path is for.
pub(crate) fn allow(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).chain(["OPTIONS"]).collect();
    if methods.contains(&Method::GET) {
        names.push("HEAD");
    }
    names.sort_unstable();
    names.dedup();
    // Names of methods are letters.
    HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}
