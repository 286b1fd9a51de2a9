//! What stands in the path, the query and the headers of a request.

use http::Method;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};

use super::operation::json_name;
use super::schema::{Schemas, is_required};
use crate::field::FieldPath;
use crate::rule::Rule;
use crate::template::Template;

/// How far into messages a query leads.
const DEPTH: usize = 3;

pub(super) fn in_path(schemas: &mut Schemas<'_>, input: &MessageDescriptor, template: &Template) -> Vec<Value> {
    let mut parameter = |name: &str| {
        let path = FieldPath::find(input, name)?;
        let schema = schemas.of_field(path.field());
        Some(json!({
            "name": json_name(input, name),
            "in": "path",
            "required": true,
            "description": schemas.said_of(path.field()),
            "schema": schema,
        }))
    };
    template.fields().filter_map(&mut parameter).collect()
}

pub(super) fn in_query(schemas: &mut Schemas<'_>, input: &MessageDescriptor, template: &Template) -> Vec<Value> {
    let mut found = Vec::new();
    let taken: Vec<_> = template.fields().map(|name| json_name(input, name)).collect();
    fields(schemas, input, "", DEPTH, &mut found);
    found.retain(|parameter| !taken.iter().any(|name| parameter["name"] == name.as_str()));
    found
}

fn fields(schemas: &mut Schemas<'_>, message: &MessageDescriptor, within: &str, depth: usize, found: &mut Vec<Value>) {
    for field in message.fields().filter(|field| !field.is_map()) {
        let name = format!("{within}{}", field.json_name());
        if let Some(inner) = plain_message(&field) {
            if !field.is_list() && depth > 0 {
                fields(schemas, &inner, &format!("{name}."), depth - 1, found);
            }
            continue;
        }
        let schema = schemas.of_field(&field);
        found.push(json!({
            "name": name,
            "in": "query",
            // What is required within a message is so only where there is one.
            "required": within.is_empty() && is_required(&field),
            "description": schemas.said_of(&field),
            "schema": schema,
        }));
    }
}

/// The message that a field holds, unless it is written as one value.
fn plain_message(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if message.package_name() != "google.protobuf" => Some(message),
        _ => None,
    }
}

/// The headers that mean something to this RPC.
pub(super) fn headers(method: &MethodDescriptor, rule: &Rule) -> Vec<Value> {
    let has = |name: &str| method.input().get_field_by_name(name).is_some();
    let changes = rule.method != Method::GET;
    let mut names = vec!["RequestTimeout", "CorrelationId"];
    if changes && has("request_id") {
        names.push("IdempotencyKey");
    }
    if has("expected_revision") {
        names.push("IfMatch");
    }
    if method.is_server_streaming() && has("since") {
        names.push("LastEventId");
    }
    names.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect()
}

/// The headers, described once.
pub(super) fn shared() -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema});
    json!({
        "RequestTimeout": header(
            "X-Request-Timeout",
            "How long the caller waits, in seconds (`2`, `0.5`, `500ms`). 30 seconds if it is not said.",
            json!({"type": "string", "examples": ["2"]}),
        ),
        "CorrelationId": header(
            "X-Correlation-Id",
            "Names the case in logs, events and traces; made if it is not said, returned always.",
            json!({"type": "string"}),
        ),
        "IdempotencyKey": header(
            "Idempotency-Key",
            "Makes the call repeatable; the same as `requestId`.",
            json!({"type": "string", "format": "uuid"}),
        ),
        "IfMatch": header(
            "If-Match",
            "The `ETag` of what the caller last saw; the same as `expectedRevision`. Answered 412 if it has changed.",
            json!({"type": "string", "examples": ["\"7\""]}),
        ),
        "LastEventId": header(
            "Last-Event-ID",
            "The id of the last event that was seen, to go on behind it; the same as `since`, and goes before it.",
            json!({"type": "string"}),
        ),
    })
}
