//! The port that speaks JSON over HTTP, by paths and by the names of RPCs.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prost_reflect::{DynamicMessage, MethodDescriptor, SerializeOptions, Value as Field};
use serde_json::Value;

use crate::findings::Findings;
use crate::mold::Mold;
use crate::spoil;

const PATIENCE: Duration = Duration::from_mins(1);
const MOST_TRIES: usize = 5;

/// Calls through connections that are kept.
pub(crate) struct Caller {
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A request in the making.
struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    streams: bool,
}

fn text(rule: &DynamicMessage, name: &str) -> Option<String> {
    let value = rule.get_field_by_name(name)?;
    value.as_str().filter(|it| !it.is_empty()).map(str::to_owned)
}

/// The verb and the template of one of an RPC's paths.
fn rule(rng: &mut Rng, method: &MethodDescriptor) -> Option<(Method, String)> {
    let extension = method.parent_pool().get_extension_by_name("google.api.http")?;
    let options = method.options();
    let rule = options.get_extension(&extension);
    let rule = rule.as_message()?;
    let more = rule.get_field_by_name("additional_bindings")?.into_owned();
    let more: Vec<_> = more.as_list()?.iter().filter_map(Field::as_message).collect();
    let all: Vec<_> = [rule].into_iter().chain(more).collect();
    let rule = all[rng.usize(..all.len())];
    let get = text(rule, "get").map(|template| (Method::GET, template));
    get.or_else(|| Some((Method::POST, text(rule, "post")?)))
}

/// As URLs write it.
fn escaped(text: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.iter().map(|byte| if plain(byte) { char::from(*byte).into() } else { format!("%{byte:02X}") }).collect()
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Takes the field that a template names, such as `order.id`.
fn take(message: &mut Value, name: &str) -> Option<Value> {
    let (outer, inner) = name.split_once('.').map_or((name, None), |(outer, inner)| (outer, Some(inner)));
    match inner {
        None => message.as_object_mut()?.remove(outer),
        Some(inner) => take(message.get_mut(outer)?, inner),
    }
}

/// The path with what the message says in its places.
fn filled(rng: &mut Rng, template: &str, message: &mut Value) -> String {
    let (mut path, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap();
        let mut said = take(message, name).map_or("x".into(), |value| words(&value)).into_bytes();
        if rng.u8(..30) == 0 {
            spoil::any(rng, &mut said);
            said.truncate(1000);
        }
        path.push_str(before);
        path.push_str(&escaped(&said));
        rest = behind;
    }
    path + rest
}

fn query(message: &Value) -> String {
    let mut pairs = Vec::new();
    for (name, value) in message.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => {
                let inner =
                    inner.iter().map(|(field, value)| format!("{name}.{field}={}", escaped(words(value).as_bytes())));
                pairs.extend(inner);
            }
            Value::Array(values) => {
                pairs.extend(values.iter().map(|value| format!("{name}={}", escaped(words(value).as_bytes()))));
            }
            value => pairs.push(format!("{name}={}", escaped(words(value).as_bytes()))),
        }
    }
    pairs.join("&")
}

fn made(rng: &mut Rng, mold: &Mold) -> Call {
    let rpc = mold.method(rng);
    let options = SerializeOptions::new().use_proto_field_name(true);
    // Not everything that protobuf can say can be said in JSON, such as a time far beyond all calendars.
    let mut message = loop {
        let made = mold.message(rng, &rpc.input());
        if let Ok(said) = made.serialize_with_options(serde_json::value::Serializer, &options) {
            break said;
        }
    };
    let by_name = (Method::POST, format!("/{}/{}", rpc.parent_service().full_name(), rpc.name()));
    let (method, template) = if rng.u8(..8) == 0 { by_name } else { rule(rng, rpc).unwrap_or(by_name) };
    let mut path = filled(rng, &template, &mut message);
    let kind = rng.u8(..10);
    if (3..6).contains(&kind) {
        for _ in 0..=rng.usize(..3) {
            spoil::value(rng, &mut message);
        }
    }
    let mut body = Vec::new();
    if method == Method::GET {
        let mut asked = query(&message).into_bytes();
        if kind >= 6 {
            spoil::any(rng, &mut asked);
            asked.truncate(8000);
            asked = String::from_utf8(asked).unwrap_or_else(|error| escaped(error.as_bytes())).into_bytes();
            asked.retain(u8::is_ascii_graphic);
        }
        path = format!("{path}?{}", String::from_utf8(asked).unwrap());
    } else {
        body = message.to_string().into_bytes();
        if kind >= 6 {
            spoil::text(rng, &mut body);
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if rng.u8(..10) == 0 {
        let (name, said) = spoil::header(rng);
        // What HTTP does not allow, no client sends.
        headers.extend(HeaderValue::from_bytes(&said).ok().map(|said| (HeaderName::from_static(name), said)));
    }
    let methods = [Method::PUT, Method::DELETE, Method::OPTIONS, Method::HEAD, Method::PATCH, Method::GET];
    let method = if rng.u8(..100) == 0 { methods[rng.usize(..methods.len())].clone() } else { method };
    Call { method, path, headers, body, streams: rpc.is_server_streaming() }
}

// === impl Caller ===

impl Caller {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Makes a request and sends it until it is answered.
    pub(crate) async fn call(&self, rng: &mut Rng, mold: &Mold, findings: &Findings) {
        let call = made(rng, mold);
        let asked = format!("{} {} {:?}", call.method, call.path, call.headers);
        let mut why = String::new();
        for _ in 0..MOST_TRIES {
            let request = Request::builder().method(&call.method).uri(format!("http://{}{}", self.address, call.path));
            let Ok(mut request) = request.body(Full::new(Bytes::from(call.body.clone()))) else {
                // No client writes such an address.
                return findings.answer("not sent");
            };
            *request.headers_mut() = call.headers.clone();
            match tokio::time::timeout(PATIENCE, self.send(request, call.streams)).await {
                Ok(Ok((status, bytes))) => {
                    mold.learn(rng, &bytes);
                    return judge(status, &bytes, &asked, &call, findings);
                }
                // The server closes the connection over a body that it does not want to read.
                Ok(Err(_)) if call.body.len() > 1 << 16 => return findings.answer("closed"),
                // Or has just closed it after the request before.
                Ok(Err(error)) => why = error,
                Err(_) => return findings.wrong("no answer", &asked, &call.body),
            }
        }
        findings.wrong(&why, &asked, &call.body);
    }

    async fn send(&self, request: Request<Full<Bytes>>, streams: bool) -> Result<(StatusCode, Bytes), String> {
        let response = self.client.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (parts, body) = response.into_parts();
        if streams && parts.status == StatusCode::OK {
            return Ok((parts.status, Bytes::new()));
        }
        let body = body.collect().await.map_err(|error| format!("{error:?}"))?;
        Ok((parts.status, body.to_bytes()))
    }
}

fn judge(status: StatusCode, bytes: &[u8], asked: &str, call: &Call, findings: &Findings) {
    let error: Value = serde_json::from_slice(bytes).unwrap_or_default();
    // Connect says it in its own words.
    let code = error["error"]["status"].as_str().or_else(|| error["code"].as_str()).unwrap_or_default();
    let broken = ["INTERNAL", "UNKNOWN", "DATA_LOSS", "internal", "unknown", "data_loss"].contains(&code);
    if status == StatusCode::INTERNAL_SERVER_ERROR || (broken && !status.is_success()) {
        findings.wrong(&format!("{status} {}", bytes.escape_ascii()), asked, &call.body);
    } else {
        findings.answer(format!("{} {}", status.as_u16(), if status.is_success() { "" } else { code }).trim());
    }
}
