//! Messages as CloudEvents in binary mode: attributes in headers, the body as it is.

use std::fmt::Write;
use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, NATS_MESSAGE_ID};
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use uuid::Uuid;

use crate::names::Names;

const SPEC_VERSION: HeaderName = HeaderName::from_static("ce-specversion");
pub(crate) const ID: HeaderName = HeaderName::from_static("ce-id");
const SOURCE: HeaderName = HeaderName::from_static("ce-source");
const TYPE: HeaderName = HeaderName::from_static("ce-type");
const TIME: HeaderName = HeaderName::from_static("ce-time");
pub(crate) const SUBJECT: HeaderName = HeaderName::from_static("ce-subject");
pub(crate) const ACTOR: HeaderName = HeaderName::from_static("ce-actor");
const CORRELATION: HeaderName = HeaderName::from_static("ce-correlationid");
const CAUSATION: HeaderName = HeaderName::from_static("ce-causationid");
pub(crate) const TRACE: HeaderName = HeaderName::from_static("traceparent");
const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

/// Why something is not a message; said of the first header that is wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the header {0} is missing or cannot be read")]
pub(crate) struct NotAnEvent(String);

/// The headers of a message.
pub(crate) fn headers(names: &Names, message: &Message) -> HeaderMap {
    let id = message.id.to_string();
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, id.as_str());
    headers.insert(SPEC_VERSION, "1.0");
    headers.insert(ID, id);
    headers.insert(SOURCE, encode(&names.event_source(&message.source)));
    headers.insert(TYPE, encode(&names.event_type(&message.source, &message.name)));
    headers.insert(TIME, encode_time(message.time));
    headers.insert(SUBJECT, message.subject.to_string());
    headers.insert(CONTENT_TYPE, "application/protobuf");
    let Origin { actor, correlation, causation, trace } = &message.origin;
    let origin = [(ACTOR, actor), (CORRELATION, correlation), (CAUSATION, causation)];
    for (name, value) in origin.into_iter().chain(trace.as_ref().map(|trace| (TRACE, trace))) {
        if !value.is_empty() {
            headers.insert(name, encode(value));
        }
    }
    headers
}

/// The message that has these headers and this body.
pub(crate) fn message(headers: Option<&HeaderMap>, body: &[u8]) -> Result<Message, NotAnEvent> {
    let headers = headers.ok_or_else(|| not_an_event(&ID))?;
    Ok(Message {
        id: read(headers, &ID, |text| text.parse::<Uuid>().ok())?,
        source: read(headers, &SOURCE, |text| text.rsplit('/').next().map(|source| Arc::from(decode(source))))?,
        name: read(headers, &TYPE, name_of)?,
        subject: read(headers, &SUBJECT, |text| text.parse::<Uuid>().ok())?,
        time: read(headers, &TIME, decode_time)?,
        origin: Origin {
            actor: text(headers, &ACTOR).unwrap_or_default(),
            correlation: text(headers, &CORRELATION).unwrap_or_default(),
            causation: text(headers, &CAUSATION).unwrap_or_default(),
            trace: text(headers, &TRACE),
        },
        body: body.to_vec(),
    })
}

/// The name of an event of this type. One of another version keeps that in front, so that nobody takes it for ours.
fn name_of(event_type: &str) -> Option<String> {
    let mut tokens = event_type.rsplit('.');
    let name = decode(tokens.next()?);
    Some(match tokens.next() {
        Some("v1") | None => name,
        Some(version) => format!("{version}.{name}"),
    })
}

/// The text of a header, if it is there.
pub(crate) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name.clone()).map(|value| decode(value.as_str()))
}

/// A time as headers have it: RFC 3339, to the microsecond.
pub(crate) fn encode_time(time: Timestamp) -> String {
    let micros = time.as_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or(0);
    prost_types::Timestamp { seconds: micros.div_euclid(1_000_000), nanos }.to_string()
}

/// A time as a header has it.
pub(crate) fn decode_time(text: &str) -> Option<Timestamp> {
    let time: prost_types::Timestamp = text.parse().ok()?;
    let micros = time.seconds.checked_mul(1_000_000)?.checked_add(i64::from(time.nanos / 1000))?;
    Some(Timestamp::from_micros(micros))
}

/// A text as headers have it: what is not printable ASCII, and spaces, quotes and percent signs, percent-encoded, as
/// CloudEvents demands.
pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'%';
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    text.bytes().fold(String::with_capacity(text.len() + 8), |mut encoded, byte| {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// A text as a header has it. A percent sign that encodes nothing stands for itself.
pub(crate) fn decode(encoded: &str) -> String {
    if !encoded.contains('%') {
        return encoded.to_owned();
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read<T>(headers: &HeaderMap, name: &HeaderName, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, NotAnEvent> {
    let value = headers.get(name.clone()).and_then(|value| parse(value.as_str()));
    value.ok_or_else(|| not_an_event(name))
}

fn not_an_event(header: &HeaderName) -> NotAnEvent {
    NotAnEvent(header.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was() {
        let names = Names { prefix: "highstreet".into() };
        for (micros, actor, trace) in [
            (1_795_221_498_123_456, "mina", None),
            (-1, "context:ordering", Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned())),
            (0, "민아 \"100 %\"\r\nce-id: forged", None),
        ] {
            let message = Message {
                id: Uuid::from_u128(1),
                source: "ordering".into(),
                name: "OrderPlaced".into(),
                subject: Uuid::from_u128(2),
                time: Timestamp::from_micros(micros),
                origin: Origin { actor: actor.into(), correlation: String::new(), causation: "request".into(), trace },
                body: vec![0, 255],
            };
            assert_eq!(super::message(Some(&headers(&names, &message)), &message.body), Ok(message));
        }
    }

    #[test]
    fn an_event_of_another_version_has_another_name() {
        assert_eq!(name_of("highstreet.ordering.v1.OrderPlaced").as_deref(), Some("OrderPlaced"));
        assert_eq!(name_of("highstreet.ordering.v2.OrderPlaced").as_deref(), Some("v2.OrderPlaced"));
    }

    #[test]
    fn what_is_not_a_cloud_event_says_what_it_lacks() {
        assert_eq!(message(None, b"hello").unwrap_err().to_string(), "the header ce-id is missing or cannot be read");
    }
}
