//! One RPC at one path.

use prost_reflect::{MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::context;
use super::parameter::{headers, in_path, in_query};
use super::schema::Schemas;
use crate::access;
use crate::api::{Api, revision};
use crate::field::FieldPath;
use crate::rule::{Rule, RuleBody};
use crate::template::{Segment, Template};

/// The operation that is the RPC's `number`th.
pub(super) fn operation(
    api: &Api,
    schemas: &mut Schemas<'_>,
    method: &MethodDescriptor,
    rule: &Rule,
    number: usize,
) -> Value {
    let service = method.parent_service();
    let said = api.comments.of(method);
    let again = if number == 0 { String::new() } else { format!("_{}", number + 1) };
    let mut parameters = in_path(schemas, &method.input(), &rule.template);
    if rule.body == RuleBody::None {
        parameters.extend(in_query(schemas, &method.input(), &rule.template));
    }
    parameters.extend(headers(method, rule));
    let mut operation = json!({
        "operationId": format!("{}_{}{again}", service.name(), method.name()),
        "tags": [context(service.package_name())],
        "summary": first_sentence(said),
        "description": said,
        "parameters": parameters,
        "responses": responses(schemas, method, rule),
        "x-access": access::of(method).json(),
    });
    if rule.body == RuleBody::Message {
        let schema = schemas.body(&method.input(), &rule.template);
        operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn responses(schemas: &mut Schemas<'_>, method: &MethodDescriptor, rule: &Rule) -> Value {
    let answer = method.output();
    let schema = schemas.reference(&answer);
    let mut content = Map::new();
    if method.is_server_streaming() {
        let events =
            "Events whose data is a message as JSON, and whose id is its cursor; an error is an event `error`.";
        content.insert("text/event-stream".into(), json!({"schema": {"type": "string", "description": events}}));
        content.insert("application/x-ndjson".into(), json!({"schema": schema}));
    } else {
        content.insert("application/json".into(), json!({"schema": schema}));
    }
    let mut ok = json!({"description": schemas.said_of(&answer), "content": content});
    let mut responses = json!({"default": {"$ref": "#/components/responses/Error"}});
    if !method.is_server_streaming() && revision(&answer).is_some() {
        let tag = "The revision, for `If-Match`.";
        ok["headers"] = json!({"ETag": {"description": tag, "schema": {"type": "string", "examples": ["\"7\""]}}});
        if rule.method == http::Method::GET {
            responses["304"] = json!({"description": "It has the revision of `If-None-Match`."});
        }
    }
    responses["200"] = ok;
    responses
}

/// The path, with its fields by their names in JSON.
pub(crate) fn path(input: &MessageDescriptor, template: &Template) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => Segment::Literal(text.clone()),
        Segment::Field(name) => Segment::Field(json_name(input, name)),
    };
    Template { segments: template.segments.iter().map(segment).collect(), verb: template.verb.clone() }.to_string()
}

pub(crate) fn json_name(input: &MessageDescriptor, name: &str) -> String {
    FieldPath::find(input, name).map_or_else(|| name.to_owned(), |path| path.json_name())
}

/// Up to the first full stop that ends a sentence, in one line.
pub(crate) fn first_sentence(said: &str) -> String {
    let paragraph = said.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches('.').to_owned()
}
