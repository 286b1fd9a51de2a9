//! The Connect protocol's unary calls: `POST /package.Service/Method` with a message in JSON or in protobuf.

use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use prost::Message as _;
use prost_reflect::{DynamicMessage, ReflectMessage};
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::answer::{Desk, deadline_exceeded, is, read_body};
use crate::api::Call;
use crate::body;
use crate::headers::returned;
use crate::refused::{any, decoded, name};
use crate::wrong::{INVALID_REQUEST, Wrong, refusal};
use highstreet_wire::json::pool;

const TIMEOUT: &str = "connect-timeout-ms";

/// The form of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/json`
    Json,
    /// `application/proto`
    Proto,
}

// === impl Form ===

impl Form {
    /// The form that a content type names, if Connect knows it.
    pub(crate) fn of(content_type: &HeaderValue) -> Option<Self> {
        if is(content_type, "application/json") {
            return Some(Self::Json);
        }
        is(content_type, "application/proto").then_some(Self::Proto)
    }

    fn read(self, call: &Call, bytes: Bytes) -> Result<DynamicMessage, Status> {
        if self == Self::Json {
            return body::read(&call.input, &bytes);
        }
        let unreadable = |error| {
            let message = format!("the body is no {}: {error}", call.input.name());
            refusal(Code::InvalidArgument, INVALID_REQUEST, message)
        };
        DynamicMessage::decode(call.input.clone(), bytes).map_err(unreadable)
    }

    fn write(self, message: &DynamicMessage) -> Result<Vec<u8>, Status> {
        if self == Self::Json { body::write(message) } else { Ok(message.encode_to_vec()) }
    }

    const fn name(self) -> HeaderValue {
        match self {
            Self::Json => HeaderValue::from_static("application/json"),
            Self::Proto => HeaderValue::from_static("application/proto"),
        }
    }
}

/// Answers a unary call.
pub(crate) async fn answer(desk: Desk, call: &Call, form: Form, request: Request<Body>) -> Response<Body> {
    let answered = match timeout(request.headers(), desk.terms.timeout) {
        Ok(timeout) => match tokio::time::timeout(timeout, ask(&desk, call, form, request, timeout)).await {
            Ok(answered) => answered,
            Err(_) => Err(deadline_exceeded()),
        },
        Err(status) => Err(status),
    };
    answered.unwrap_or_else(|status| refused(&status))
}

async fn ask(
    desk: &Desk,
    call: &Call,
    form: Form,
    request: Request<Body>,
    timeout: Duration,
) -> Result<Response<Body>, Status> {
    if call.streams || call.takes_stream {
        let message = "over Connect there are unary calls only; streams go over gRPC, gRPC-Web and JSON";
        return Err(refusal(Code::Unimplemented, "STREAM_OVER_CONNECT", message));
    }
    let (parts, body) = request.into_parts();
    if parts.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(refusal(Code::Unimplemented, "UNKNOWN_ENCODING", "bodies are not compressed here"));
    }
    let bytes = read_body(body, desk.terms.most_bytes).await.map_err(|refused| refused.status)?;
    let message = form.read(call, bytes)?;
    let (metadata, message, _) = desk.unary(call, message, &parts.headers, Some(timeout)).await?.into_parts();
    debug_assert_eq!(message.descriptor(), call.output);
    let mut response = Response::new(Body::from(form.write(&message)?));
    response.headers_mut().insert(CONTENT_TYPE, form.name());
    returned(&metadata, response.headers_mut());
    Ok(response)
}

fn timeout(headers: &HeaderMap, otherwise: Duration) -> Result<Duration, Status> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(otherwise) };
    let read = value.to_str().ok().filter(|text| text.len() <= 10).and_then(|text| text.parse().ok());
    read.map(Duration::from_millis).ok_or_else(|| Wrong::one(TIMEOUT, "must be up to ten digits").into())
}

/// Connect's own words for an error.
fn refused(status: &Status) -> Response<Body> {
    let detail = |detail: &prost_types::Any| {
        let mut debug = decoded(pool(), detail);
        let kind = detail.type_url.rsplit('/').next().unwrap_or_default();
        if let Some(fields) = debug.as_object_mut() {
            fields.remove("@type");
        }
        json!({"type": kind, "value": BASE64_STANDARD_NO_PAD.encode(&detail.value), "debug": debug})
    };
    let details: Vec<Value> = any(status).iter().map(detail).collect();
    let code = if status.code() == Code::Cancelled { "canceled".into() } else { name(status.code()).to_lowercase() };
    let body = json!({"code": code, "message": status.message(), "details": details}).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = http_status(status.code());
    response.headers_mut().insert(CONTENT_TYPE, Form::Json.name());
    returned(status.metadata(), response.headers_mut());
    response
}

/// Connect has a table of its own, which differs in a few places.
fn http_status(code: Code) -> StatusCode {
    match code {
        Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        other => crate::refused::http_status(other),
    }
}
