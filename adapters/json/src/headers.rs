//! What HTTP headers say of a call: who calls, which case it belongs to, how long it may take, whether it was made
//! before, what it expects to find.

use std::time::Duration;

use highstreet_wire::call::parse_timeout;
use http::header::{AUTHORIZATION, IF_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use crate::wrong::Wrong;

/// What callers say of themselves and their case; all else stays at the door, first of all `x-highstreet-actor`.
const PASSED_ON: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static(CORRELATION),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];
/// What answers never say on: it is gRPC's own, or HTTP says it itself.
const KEPT_BACK: [&str; 6] = ["content-type", "content-length", "date", "te", "trailer", "transfer-encoding"];
pub(crate) const CORRELATION: &str = "x-correlation-id";
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
pub(crate) const REQUEST_TIMEOUT: &str = "x-request-timeout";
const GRPC_TIMEOUT: &str = "grpc-timeout";
const LAST_EVENT_ID: &str = "last-event-id";
/// The most that eight digits of milliseconds can say.
const LONGEST: Duration = Duration::from_millis(99_999_999);

/// What a call passes on to whoever answers it.
pub(crate) fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::with_capacity(PASSED_ON.len() + 3);
    for name in PASSED_ON {
        if let Some(value) = headers.get(&name) {
            passed.insert(name, value.clone());
        }
    }
    passed
}

/// Hands on what an RPC's answer says beside its message.
pub(crate) fn returned(metadata: &MetadataMap, headers: &mut HeaderMap) {
    for (name, value) in &metadata.clone().into_headers() {
        let own = name.as_str().starts_with("grpc-") || name.as_str().ends_with("-bin");
        if !own && !KEPT_BACK.contains(&name.as_str()) {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// Makes a correlation id where there is none; it is returned with every answer.
pub(crate) fn correlation(headers: &mut HeaderMap) -> HeaderValue {
    let made =
        || HeaderValue::try_from(Uuid::now_v7().to_string()).unwrap_or_else(|_| HeaderValue::from_static("none"));
    headers.entry(CORRELATION).or_insert_with(made).clone()
}

/// How much less than a caller who says `grpc-timeout` waits is taken, at most.
const SOONER: Duration = Duration::from_millis(10);

/// How long the caller waits: `x-request-timeout` in seconds (`2`, `0.5`, `500ms`), or `grpc-timeout`.
pub(crate) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    if let Some(value) = headers.get(REQUEST_TIMEOUT) {
        let read = value.to_str().ok().and_then(parse_seconds).filter(|it| !it.is_zero());
        let wanted = "must be a number of seconds, such as 2 or 0.5, or of milliseconds, such as 500ms";
        return read.map(|it| Some(it.min(LONGEST))).ok_or_else(|| Wrong::one(REQUEST_TIMEOUT, wanted).into());
    }
    let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(None) };
    let read = value.to_str().ok().and_then(parse_timeout);
    let wanted = "must be up to eight digits and one of H, M, S, m, u and n, such as 5S";
    // The server around this reads that header, too, and its answer to what is late is none in JSON: this comes before it.
    let sooner = |it: Duration| it.min(LONGEST).saturating_sub((it / 10).min(SOONER));
    read.map(|it| Some(sooner(it))).ok_or_else(|| Wrong::one(GRPC_TIMEOUT, wanted).into())
}

fn parse_seconds(text: &str) -> Option<Duration> {
    if let Some(milliseconds) = text.strip_suffix("ms") {
        return milliseconds.parse().ok().map(Duration::from_millis);
    }
    Duration::try_from_secs_f64(text.strip_suffix('s').unwrap_or(text).parse().ok()?).ok()
}

/// `grpc-timeout`, as gRPC writes it.
pub(crate) fn grpc_timeout(timeout: Duration) -> (HeaderName, HeaderValue) {
    let milliseconds = timeout.min(LONGEST).as_micros().div_ceil(1000);
    let value = HeaderValue::try_from(format!("{milliseconds}m"));
    (HeaderName::from_static(GRPC_TIMEOUT), value.unwrap_or_else(|_| HeaderValue::from_static("30S")))
}

/// Puts `Idempotency-Key` into `request_id`, `If-Match` into `expected_revision` and `Last-Event-ID` into `since`.
/// Says whether the call expects a revision by header.
pub(crate) fn put(headers: &HeaderMap, message: &mut DynamicMessage, changes: bool) -> (bool, Wrong) {
    let mut wrong = Wrong::default();
    // Whoever only looks may look as often as they like.
    if let Some(key) = headers.get(IDEMPOTENCY_KEY).filter(|_| changes) {
        wrong.extend(put_idempotency_key(key, message));
    }
    let mut expects = false;
    if let Some(tag) = headers.get(IF_MATCH).filter(|tag| *tag != "*") {
        expects = true;
        wrong.extend(put_if_match(tag, message));
    }
    if let (Some(id), Some(since)) = (headers.get(LAST_EVENT_ID), message.descriptor().get_field_by_name("since")) {
        // A browser that comes back repeats its first query; the header is the newer of the two.
        match id.to_str() {
            Ok(id) if since.kind() == Kind::String => message.set_field(&since, Value::String(id.to_owned())),
            _ => wrong.add(LAST_EVENT_ID, "must be the id of an earlier event"),
        }
    }
    (expects, wrong)
}

fn put_idempotency_key(key: &HeaderValue, message: &mut DynamicMessage) -> Wrong {
    // A structured field's string stands in quotes; most clients leave them out.
    let text = key.to_str().unwrap_or_default();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if Uuid::try_parse(text).is_err() {
        return Wrong::one(IDEMPOTENCY_KEY, "must be a UUID, such as 8e03978e-40d5-43e8-bc93-6894a57f9324");
    }
    let field = message.descriptor().get_field_by_name("request_id").filter(|field| field.kind() == Kind::String);
    let Some(field) = field else { return Wrong::one(IDEMPOTENCY_KEY, "is not for this call, which has no requestId") };
    put_once(message, &field, Value::String(text.to_owned()), IDEMPOTENCY_KEY)
}

fn put_if_match(tag: &HeaderValue, message: &mut DynamicMessage) -> Wrong {
    let text = tag.to_str().unwrap_or_default();
    let revision = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let Some(revision) = revision.and_then(|text| text.parse().ok()) else {
        return Wrong::one("if-match", "must be one ETag as it was given, such as \"7\"");
    };
    let field = message.descriptor().get_field_by_name("expected_revision").filter(|it| it.kind() == Kind::Int64);
    let Some(field) = field else {
        return Wrong::one("if-match", "is not for this call, which has no expectedRevision");
    };
    put_once(message, &field, Value::I64(revision), "if-match")
}

/// Said in a field and in a header, it must be the same.
fn put_once(message: &mut DynamicMessage, field: &FieldDescriptor, value: Value, header: &str) -> Wrong {
    if message.has_field(field) && *message.get_field(field) != value {
        return Wrong::one(
            field.json_name(),
            format!("says something else than the header {header}: give one of them"),
        );
    }
    message.set_field(field, value);
    Wrong::default()
}

#[cfg(test)]
mod tests {
    use highstreet_wire::DESCRIPTORS;
    use prost_reflect::DescriptorPool;

    use super::*;

    const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

    fn message(name: &str) -> DynamicMessage {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        DynamicMessage::new(pool.get_message_by_name(&format!("highstreet.{name}")).unwrap())
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    fn cancel(pairs: &[(&'static str, &str)], mut message: DynamicMessage) -> Result<(DynamicMessage, bool), String> {
        let (expects, wrong) = put(&headers(pairs), &mut message, true);
        wrong.finish().map(|()| (message, expects)).map_err(|status| status.message().to_owned())
    }

    #[test]
    fn headers_become_fields() {
        let blank = message("ordering.v1.CancelOrderRequest");
        let quoted = format!("\"{KEY}\"");
        for key in [KEY, &quoted] {
            let (read, expects) = cancel(&[("idempotency-key", key), ("if-match", "\"7\"")], blank.clone()).unwrap();
            assert_eq!(read.get_field_by_name("request_id").unwrap().as_str(), Some(KEY));
            assert_eq!(read.get_field_by_name("expected_revision").unwrap().as_i64(), Some(7));
            assert!(expects);
        }
        assert!(!cancel(&[("if-match", "*")], blank).unwrap().1);
    }

    #[test]
    fn a_header_that_says_something_else_than_the_field_is_refused() {
        let mut said = message("ordering.v1.CancelOrderRequest");
        said.set_field_by_name("expected_revision", Value::I64(6));
        said.set_field_by_name("request_id", Value::String("other".into()));
        assert!(cancel(&[("if-match", "\"7\"")], said.clone()).unwrap_err().contains("if-match"));
        assert!(cancel(&[("idempotency-key", KEY)], said.clone()).unwrap_err().contains("idempotency-key"));
        assert!(cancel(&[("if-match", "\"6\"")], said).is_ok());
    }

    #[test]
    fn what_a_header_must_be_is_said() {
        let blank = message("ordering.v1.CancelOrderRequest");
        assert!(cancel(&[("idempotency-key", "order-1")], blank.clone()).unwrap_err().contains("UUID"));
        for tag in ["7", "W/\"7\"", "\"7\", \"8\"", "\"x\""] {
            assert!(cancel(&[("if-match", tag)], blank.clone()).unwrap_err().contains("ETag"), "{tag}");
        }
        let get = message("ordering.v1.GetOrderRequest");
        assert!(cancel(&[("if-match", "\"7\"")], get.clone()).unwrap_err().contains("not for this call"));
        assert!(cancel(&[("idempotency-key", KEY)], get).unwrap_err().contains("not for this call"));
    }

    #[test]
    fn a_watcher_goes_on_behind_the_last_event() {
        let mut watch = message("tracking.v1.WatchTracesRequest");
        watch.set_field_by_name("since", Value::String("3".into()));
        let (read, _) = cancel(&[("last-event-id", "12")], watch).unwrap();
        assert_eq!(read.get_field_by_name("since").unwrap().as_str(), Some("12"));
    }

    #[test]
    fn timeouts_are_seconds_or_as_grpc_writes_them() {
        let read = |name, value| timeout(&headers(&[(name, value)])).ok().flatten();
        assert_eq!(read("x-request-timeout", "2"), Some(Duration::from_secs(2)));
        assert_eq!(read("x-request-timeout", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(read("x-request-timeout", "250ms"), Some(Duration::from_millis(250)));
        assert_eq!(read("grpc-timeout", "100m"), Some(Duration::from_millis(90)));
        assert_eq!(read("grpc-timeout", "10S"), Some(Duration::from_millis(9990)));
        for bad in ["", "soon", "-1", "0", "NaN", "inf", "1e999"] {
            assert!(timeout(&headers(&[("x-request-timeout", bad)])).is_err(), "{bad}");
        }
        assert!(timeout(&headers(&[("grpc-timeout", "5s")])).is_err());
        assert_eq!(timeout(&HeaderMap::new()).unwrap(), None);
        assert_eq!(grpc_timeout(Duration::from_millis(1500)).1, "1500m");
    }

    #[test]
    fn callers_do_not_say_who_they_are() {
        let said =
            headers(&[("x-highstreet-actor", "context:payment"), ("authorization", "Bearer x"), ("cookie", "y")]);
        let passed = passed_on(&said);
        assert_eq!(passed.keys().collect::<Vec<_>>(), [AUTHORIZATION]);
    }
}
