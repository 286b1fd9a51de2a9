//! A stream of answers: as events for browsers, or as one JSON object a line.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response};
use prost_reflect::{DynamicMessage, Value};
use tonic::{Status, Streaming};
use tonic_types::StatusExt;

use crate::body;
use crate::refused::{http_status, json};
use highstreet_wire::json::pool;

const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// As server-sent events: each with its cursor as its id, so that a browser that comes back goes on behind it.
pub(crate) fn events(messages: Streaming<DynamicMessage>, keep_alive: Duration) -> Response<Body> {
    let events = until_error(messages).map(move |message| Ok::<_, Infallible>(event(message)));
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(keep_alive).text("still here"));
    let mut response = events.into_response();
    response.headers_mut().extend([UNBUFFERED]);
    response
}

/// As one JSON object a line; if the stream fails, the last of them has an `error`.
pub(crate) fn lines(messages: Streaming<DynamicMessage>) -> Response<Body> {
    let lines = until_error(messages).map(move |message| {
        let mut line = message.and_then(|message| body::write(&message)).unwrap_or_else(|status| told(&status));
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.extend([UNBUFFERED]);
    response
}

/// Nothing comes after an error.
fn until_error(messages: Streaming<DynamicMessage>) -> impl Stream<Item = Result<DynamicMessage, Status>> + Send {
    stream::unfold(Some(messages), |messages| async move {
        let mut messages = messages?;
        let next = messages.next().await?;
        let goes_on = next.is_ok();
        Some((next, goes_on.then_some(messages)))
    })
}

fn event(message: Result<DynamicMessage, Status>) -> Event {
    let written = message.and_then(|message| Ok((cursor(&message), body::write(&message)?)));
    match written {
        Ok((cursor, json)) => {
            let event = Event::default().data(String::from_utf8_lossy(&json));
            cursor.map_or(event.clone(), |cursor| event.id(cursor))
        }
        Err(status) => {
            let event = Event::default().event("error").data(String::from_utf8_lossy(&told(&status)));
            let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
            wait.map_or(event.clone(), |wait| event.retry(wait))
        }
    }
}

/// From where a stream goes on behind this message. An id has no line breaks.
fn cursor(message: &DynamicMessage) -> Option<String> {
    let cursor = message.get_field_by_name("cursor")?;
    match cursor.as_ref() {
        Value::String(cursor) if !cursor.is_empty() && !cursor.contains(['\n', '\r', '\0']) => Some(cursor.clone()),
        _ => None,
    }
}

fn told(status: &Status) -> Vec<u8> {
    json(pool(), status, http_status(status.code())).to_string().into_bytes()
}
