//! A call as it is typed: with curl, and with grpcurl.

use http::Method;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::openapi::{is_required, json_name};
use crate::rule::{Rule, RuleBody};
use crate::template::Segment;

/// How deep examples go.
const DEPTH: usize = 4;
const ADDRESS: &str = "http://127.0.0.1:8088";

/// With curl.
pub(super) fn curl(api: &Api, method: &MethodDescriptor, rule: &Rule) -> String {
    let mut request = message(api, &method.input(), DEPTH);
    let mut path = String::new();
    for segment in &rule.template.segments {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Field(name) => path.push_str(&taken(&mut request, &json_name(&method.input(), name))),
        }
    }
    if let Some(verb) = &rule.template.verb {
        path.push(':');
        path.push_str(verb);
    }
    let mut command = String::from("curl");
    if method.is_server_streaming() {
        command.push_str(" -N -H 'Accept: text/event-stream'");
    }
    if rule.body == RuleBody::Message {
        let json = serde_json::to_string(&request).unwrap_or_default();
        let verb = if rule.method == Method::POST { String::new() } else { format!(" -X {}", rule.method) };
        return format!("{command}{verb} --json '{json}' \\\n  {ADDRESS}{path}");
    }
    let mut query = Vec::new();
    flattened("", &Value::Object(request), &mut query);
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{command} '{ADDRESS}{path}{query}'")
}

/// With grpcurl.
pub(super) fn grpcurl(api: &Api, method: &MethodDescriptor) -> String {
    let json = serde_json::to_string(&message(api, &method.input(), DEPTH)).unwrap_or_default();
    let address = ADDRESS.trim_start_matches("http://");
    format!("grpcurl -plaintext -d '{json}' \\\n  {address} {}/{}", method.parent_service().full_name(), method.name())
}

/// What has to be said, and nothing else.
fn message(api: &Api, message: &MessageDescriptor, depth: usize) -> Map<String, Value> {
    let money = message.full_name() == "google.type.Money";
    if money {
        return Map::from_iter([("currencyCode".into(), json!("KRW")), ("units".into(), json!("4500"))]);
    }
    // Of those that exclude each other, the first.
    let first = |field: &FieldDescriptor| {
        let oneof = field.containing_oneof().filter(|oneof| oneof.fields().len() > 1);
        oneof.is_some_and(|oneof| oneof.fields().next().as_ref() == Some(field))
    };
    let fields = message.fields().filter(|field| is_required(field) || first(field));
    fields.map(|field| (field.json_name().to_owned(), of_field(api, &field, depth))).collect()
}

fn of_field(api: &Api, field: &FieldDescriptor, depth: usize) -> Value {
    let one = match field.kind() {
        Kind::Bool => json!(true),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => json!(1),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => json!("1"),
        Kind::Float | Kind::Double => json!(1.5),
        Kind::Enum(names) => json!(names.values().nth(1).map(|value| value.name().to_owned())),
        Kind::Message(inner) => match inner.full_name() {
            "google.protobuf.Timestamp" => json!("2026-11-21T19:30:00Z"),
            "google.protobuf.Duration" => json!("60s"),
            _ if depth == 0 => json!({}),
            _ => Value::Object(message(api, &inner, depth - 1)),
        },
        Kind::String | Kind::Bytes => json!(said(api.comments.of(field)).unwrap_or_else(|| placeholder(field))),
    };
    if field.is_list() { json!([one]) } else { one }
}

/// The example that a comment gives: ``such as `skanu` ``.
fn said(comment: &str) -> Option<String> {
    let comment = comment.replace('\n', " ");
    let (_, after) = comment.split_once("such as `")?;
    after.split_once('`').map(|(example, _)| example.to_owned())
}

/// `ORDER_ID`, to be replaced.
fn placeholder(field: &FieldDescriptor) -> String {
    field.name().to_uppercase()
}

/// Takes what stands in the path out of the rest.
fn taken(request: &mut Map<String, Value>, name: &str) -> String {
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => name.to_uppercase(),
    };
    let Some((outer, inner)) = name.split_once('.') else { return text(request.remove(name)) };
    let Some(Value::Object(within)) = request.get_mut(outer) else { return inner.to_uppercase() };
    let value = text(within.remove(inner));
    if within.is_empty() {
        request.remove(outer);
    }
    value
}

fn flattened(within: &str, value: &Value, query: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if within.is_empty() { "" } else { "." };
                flattened(&format!("{within}{dot}{name}"), value, query);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| flattened(within, value, query)),
        Value::String(text) => query.push(format!("{within}={text}")),
        other => query.push(format!("{within}={other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::rules;

    fn method(service: &str, method: &str) -> (&'static Api, MethodDescriptor) {
        let api = Api::get();
        let service = api.pool.get_service_by_name(service).unwrap();
        let found = service.methods().find(|it| it.name() == method).unwrap();
        (api, found)
    }

    #[test]
    fn examples_are_what_one_would_type() {
        let (api, place) = method("highstreet.ordering.v1.OrderingService", "PlaceOrder");
        let typed = curl(api, &place, &rules(&place).unwrap()[0]);
        assert!(typed.starts_with("curl --json '{") && typed.ends_with("8088/v1/shops/skanu/orders"), "{typed}");
        assert!(typed.contains(r#""unitPrice":{"currencyCode":"KRW","units":"4500"}"#), "{typed}");
        assert!(grpcurl(api, &place).contains(r#""shopId":"skanu""#));
        let (api, trace) = method("highstreet.tracking.v1.TrackingService", "GetTrace");
        let typed = curl(api, &trace, &rules(&trace).unwrap()[0]);
        assert_eq!(typed, "curl 'http://127.0.0.1:8088/v1/traces/ordering/ID'");
    }
}
