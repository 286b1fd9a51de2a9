//! A request, the RPC it is for, and the answer.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use prost_reflect::{DynamicMessage, Value};
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::api::{Api, Binding, Call, Terms};
use crate::codec::DynamicCodec;
use crate::headers::{self, CORRELATION};
use crate::refused::{Refused, allow};
use crate::routes::Found;
use crate::rule::RuleBody;
use crate::wrong::{Wrong, refusal};
use crate::{JsonSettings, Way, body, query, stream};
use highstreet_wire::json::pool;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Answers requests in JSON.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) way: Way,
    pub(crate) terms: Terms,
}

/// A call that is ready to be made.
struct Ready {
    message: DynamicMessage,
    headers: HeaderMap,
    timeout: Option<Duration>,
    /// A revision was expected by header, so that HTTP has a word for a mismatch.
    expects: bool,
}

// === impl Desk ===

impl Desk {
    pub(crate) fn new(way: Way, settings: &JsonSettings) -> Self {
        let JsonSettings { timeout, most_bytes, keep_alive, .. } = *settings;
        Self { way, terms: Terms { timeout, most_bytes, keep_alive } }
    }

    /// Answers whatever comes.
    pub(crate) async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let correlation = headers::correlation(request.headers_mut());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let looked_for = if method == Method::HEAD { &Method::GET } else { &method };
        let mut response = match Api::get().routes.find(looked_for, &path) {
            Found::Target(binding, values) => match self.call(binding, &values, request).await {
                Ok(response) => response,
                Err(refused) => refused.respond(pool()),
            },
            Found::Methods(methods) if method == Method::OPTIONS => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().insert(ALLOW, allow(&methods));
                response
            }
            Found::Methods(methods) => Refused::wrong_method(&methods).respond(pool()),
            Found::Nothing => Refused::no_such_path(&path).respond(pool()),
        };
        response.headers_mut().entry(CORRELATION).or_insert(correlation);
        if method == Method::HEAD { response.map(|_| Body::empty()) } else { response }
    }

    async fn call(
        &self,
        binding: &Binding,
        values: &[&str],
        request: Request<Body>,
    ) -> Result<Response<Body>, Refused> {
        let wanted = headers::timeout(request.headers())?;
        let timeout = wanted.unwrap_or(self.terms.timeout);
        let (parts, body) = request.into_parts();
        let called = async {
            let json = self.body_of(binding, &parts.headers, body).await?;
            let read = read(binding, values, parts.uri.query().unwrap_or_default(), &parts.headers, &json);
            let (message, expects) = read?;
            // Streams last until somebody ends them, unless the client said how long.
            let timeout = wanted.or((!binding.call.streams).then_some(timeout));
            let ready = Ready { message, headers: parts.headers, timeout, expects };
            if binding.call.streams {
                self.watch(&binding.call, ready).await
            } else {
                self.ask(&binding.call, ready).await
            }
        };
        match tokio::time::timeout(timeout, called).await {
            Ok(answered) => answered,
            Err(_) => Err(deadline_exceeded().into()),
        }
    }

    /// The bytes of a body, which must say that it is JSON.
    async fn body_of(&self, binding: &Binding, headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
        let takes_body = binding.body == RuleBody::Message;
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let body = read_body(body, if takes_body { self.terms.most_bytes } else { 0 }).await.map_err(|refused| {
            let message = "this call takes no body: its fields stand in the path and the query";
            if takes_body { refused } else { Status::from(Wrong::one("body", message)).into() }
        })?;
        if !body.is_empty() && !headers.get(CONTENT_TYPE).is_some_and(|it| is(it, "application/json")) {
            return Err(Refused::wrong_type("the body must be application/json, and say so in content-type"));
        }
        Ok(body)
    }

    /// Calls for one answer.
    async fn ask(&self, call: &Call, ready: Ready) -> Result<Response<Body>, Refused> {
        let (expects, none_match) = (ready.expects, ready.headers.get(IF_NONE_MATCH).cloned());
        let answered = self.unary(call, ready.message, &ready.headers, ready.timeout).await;
        let (metadata, message, _) = answered.map_err(|status| refused(status, expects))?.into_parts();
        let tag = etag(call, &message);
        let mut response = if tag.is_some() && none_match == tag {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        } else {
            let json = body::write(&message)?;
            let length = HeaderValue::from(json.len());
            let mut found = Response::new(Body::from(json));
            found.headers_mut().insert(CONTENT_TYPE, JSON);
            found.headers_mut().insert(CONTENT_LENGTH, length);
            found
        };
        headers::returned(&metadata, response.headers_mut());
        if let Some(tag) = tag {
            response.headers_mut().insert(ETAG, tag);
        }
        Ok(response)
    }

    /// Calls for one answer, in whatever protocol.
    pub(crate) async fn unary(
        &self,
        call: &Call,
        message: DynamicMessage,
        headers: &HeaderMap,
        timeout: Option<Duration>,
    ) -> Result<tonic::Response<DynamicMessage>, Status> {
        let mut grpc = self.grpc();
        grpc.unary(outgoing(message, headers, timeout), call.path.clone(), DynamicCodec(call.output.clone())).await
    }

    /// Calls for a stream of answers.
    async fn watch(&self, call: &Call, ready: Ready) -> Result<Response<Body>, Refused> {
        let request = outgoing(ready.message, &ready.headers, ready.timeout);
        let codec = DynamicCodec(call.output.clone());
        let answered = self.grpc().server_streaming(request, call.path.clone(), codec).await?;
        let (metadata, messages, _) = answered.into_parts();
        let events = ready.headers.get_all(ACCEPT).iter().any(|accept| is(accept, "text/event-stream"));
        let mut response =
            if events { stream::events(messages, self.terms.keep_alive) } else { stream::lines(messages) };
        headers::returned(&metadata, response.headers_mut());
        Ok(response)
    }

    fn grpc(&self) -> Grpc<Way> {
        // The answer comes from within: whoever gives it knows how much is too much.
        Grpc::new(self.way.clone()).max_decoding_message_size(usize::MAX)
    }
}

/// The bytes of a body, as far as it is not too large.
pub(crate) async fn read_body(body: Body, most: usize) -> Result<Bytes, Refused> {
    let read = Limited::new(body, most).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            let message = format!("the body is larger than {most} bytes");
            return Refused::with(refusal(Code::OutOfRange, "BODY_TOO_LARGE", message), StatusCode::PAYLOAD_TOO_LARGE);
        }
        refusal(Code::Cancelled, "BODY_INTERRUPTED", format!("the body did not come in whole: {error}")).into()
    })
}

/// The message that a request is, and whether its headers expect a revision.
fn read(
    binding: &Binding,
    values: &[&str],
    query: &str,
    headers: &HeaderMap,
    json: &[u8],
) -> Result<(DynamicMessage, bool), Status> {
    let mut message = body::read(&binding.call.input, json)?;
    let mut wrong = match binding.body {
        RuleBody::None => query::put(&mut message, query),
        RuleBody::Message if query.is_empty() => Wrong::default(),
        RuleBody::Message => {
            let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
            let mut wrong = Wrong::default();
            names.for_each(|name| wrong.add(name, "stands in the query, and this call's fields stand in the body"));
            wrong
        }
    };
    for (field, value) in binding.fields.iter().zip(values) {
        let Some(value) = query::segment(value) else {
            wrong.add(field.json_name(), "is not percent-encoded UTF-8");
            continue;
        };
        let said = field.get(&message);
        if let Err(why) = field.put(&mut message, &value) {
            wrong.add(field.json_name(), why);
        } else if said.is_some() && said != field.get(&message) {
            wrong.add(field.json_name(), "says something else than the path: leave it out, or say the same");
        }
    }
    let (expects, wrong_headers) = headers::put(headers, &mut message, binding.changes);
    wrong.extend(wrong_headers);
    wrong.finish()?;
    Ok((message, expects))
}

fn outgoing(message: DynamicMessage, headers: &HeaderMap, timeout: Option<Duration>) -> tonic::Request<DynamicMessage> {
    let mut passed = headers::passed_on(headers);
    passed.extend(timeout.map(headers::grpc_timeout));
    let mut request = tonic::Request::new(message);
    *request.metadata_mut() = MetadataMap::from_headers(passed);
    request
}

/// `"7"`, of what holds one resource with a revision.
fn etag(call: &Call, message: &DynamicMessage) -> Option<HeaderValue> {
    let (resource, revision) = call.revision.as_ref().filter(|(resource, _)| message.has_field(resource))?;
    match message.get_field(resource).as_message()?.get_field(revision).as_ref() {
        Value::I64(revision) => HeaderValue::try_from(format!("\"{revision}\"")).ok(),
        _ => None,
    }
}

fn refused(status: Status, expects: bool) -> Refused {
    let mismatch = |status: &Status| {
        let reason = status.get_details_error_info().map(|info| info.reason);
        status.code() == Code::Aborted && reason.as_deref() == Some("REVISION_MISMATCH")
    };
    if expects && mismatch(&status) {
        return Refused::with(status, StatusCode::PRECONDITION_FAILED);
    }
    status.into()
}

pub(crate) fn deadline_exceeded() -> Status {
    let message = "not done before the deadline; what was begun goes on: repeat with the same Idempotency-Key to learn \
                   the outcome";
    refusal(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message)
}

/// Whether a header names this type, among others perhaps; parameters aside.
pub(crate) fn is(header: &HeaderValue, wanted: &str) -> bool {
    let types = header.to_str().unwrap_or_default().split(',');
    types.into_iter().any(|it| it.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted))
}
