//! Messages and enums as JSON Schema.

use std::collections::BTreeMap;

use prost_reflect::{
    EnumDescriptor, EnumValueDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as Reflected,
};
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::comments::Commented;
use crate::template::Template;

const BEHAVIOR: &str = "google.api.field_behavior";
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;

/// The schemas that a document refers to, each once.
pub(super) struct Schemas<'a> {
    api: &'a Api,
    found: BTreeMap<String, Value>,
}

// === impl Schemas ===

impl<'a> Schemas<'a> {
    pub(super) fn new(api: &'a Api) -> Self {
        let mut schemas = Self { api, found: BTreeMap::new() };
        let detail = schemas.details();
        schemas.found.insert("Error".into(), error(&detail));
        schemas
    }

    /// All of them, by name.
    pub(super) fn finish(self) -> BTreeMap<String, Value> {
        self.found
    }

    /// What its comment says.
    pub(super) fn said_of(&self, thing: &impl Commented) -> String {
        self.api.comments.of(thing).to_owned()
    }

    /// Refers to a message, and describes it if nobody did yet.
    pub(super) fn reference(&mut self, message: &MessageDescriptor) -> Value {
        let name = message.full_name().to_owned();
        if !self.found.contains_key(&name) {
            // It may hold itself.
            self.found.insert(name.clone(), Value::Null);
            let schema = self.message(message, &[]);
            self.found.insert(name.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A request's body: the message without what is in the path.
    pub(super) fn body(&mut self, message: &MessageDescriptor, template: &Template) -> Value {
        let without: Vec<&str> = template.fields().collect();
        let mut schema = self.message(message, &without);
        schema["additionalProperties"] = json!(false);
        schema
    }

    fn message(&mut self, message: &MessageDescriptor, without: &[&str]) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields().filter(|field| !without.contains(&field.name())) {
            let mut schema = self.of_field(&field);
            let mut said = self.said_of(&field);
            said.push_str(&rivals(&field));
            schema["description"] = json!(said.trim());
            if behaves(&field, OUTPUT_ONLY) {
                schema["readOnly"] = json!(true);
            }
            if is_required(&field) {
                required.push(field.json_name().to_owned());
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut schema = json!({"type": "object", "description": self.said_of(message), "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    /// What a field holds.
    pub(super) fn of_field(&mut self, field: &FieldDescriptor) -> Value {
        let kind = field.kind();
        if let Some(entry) = kind.as_message().filter(|_| field.is_map()) {
            let value = self.of_kind(&entry.map_entry_value_field().kind());
            return json!({"type": "object", "additionalProperties": value});
        }
        let one = self.of_kind(&kind);
        if field.is_list() { json!({"type": "array", "items": one}) } else { one }
    }

    fn of_kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "string", "format": "int64"}),
            Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64"}),
            Kind::Float => json!({"type": "number", "format": "float"}),
            Kind::Double => json!({"type": "number", "format": "double"}),
            Kind::Enum(names) => self.enumeration(names),
            Kind::Message(message) => match message.full_name() {
                "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
                "google.protobuf.Duration" => json!({"type": "string", "examples": ["1.5s"]}),
                "google.protobuf.FieldMask" => json!({"type": "string", "examples": ["status,updateTime"]}),
                "google.protobuf.Any" | "google.protobuf.Struct" => json!({"type": "object"}),
                "google.protobuf.Value" => json!({}),
                _ => self.reference(message),
            },
        }
    }

    fn enumeration(&mut self, names: &EnumDescriptor) -> Value {
        let name = names.full_name().to_owned();
        let said = |it: &EnumValueDescriptor| format!("- `{}`: {}", it.name(), self.said_of(it));
        let values: Vec<_> = names.values().map(|value| said(&value)).collect();
        let description = format!("{}\n\n{}", self.said_of(names), values.join("\n"));
        let names: Vec<_> = names.values().map(|value| value.name().to_owned()).collect();
        let schema = json!({"type": "string", "description": description, "enum": names});
        self.found.insert(name.clone(), schema);
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// The details that errors carry.
    fn details(&mut self) -> Vec<Value> {
        let names = ["ErrorInfo", "BadRequest", "RetryInfo", "ResourceInfo", "PreconditionFailure"];
        let known = names.map(|name| self.api.pool.get_message_by_name(&format!("google.rpc.{name}")));
        known.into_iter().flatten().map(|message| self.reference(&message)).collect()
    }
}

pub(crate) fn is_required(field: &FieldDescriptor) -> bool {
    behaves(field, REQUIRED)
}

/// Whether `google.api.field_behavior` says so of it.
fn behaves(field: &FieldDescriptor, how: i32) -> bool {
    let Some(extension) = field.parent_pool().get_extension_by_name(BEHAVIOR) else { return false };
    let options = field.options();
    let behaviors = options.get_extension(&extension);
    behaviors.as_list().unwrap_or_default().iter().any(|it| *it == Reflected::EnumNumber(how))
}

/// The fields that cannot be given beside it.
fn rivals(field: &FieldDescriptor) -> String {
    let Some(oneof) = field.containing_oneof().filter(|oneof| oneof.fields().len() > 1) else { return String::new() };
    let names: Vec<_> = oneof.fields().map(|field| format!("`{}`", field.json_name())).collect();
    format!("\n\nAt most one of {} is given.", names.join(", "))
}

fn error(details: &[Value]) -> Value {
    json!({
        "type": "object",
        "description": "An error, as AIP-193 has it.",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "status", "message", "details"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status."},
                "status": {"type": "string", "description": "The gRPC code.", "enum": highstreet_wire::call::STATUSES},
                "message": {"type": "string", "description": "What is wrong and what to do, for people."},
                "details": {
                    "type": "array",
                    "description": "Details for programs, each with its type; `google.rpc.ErrorInfo` always.",
                    "items": {
                        "type": "object",
                        "required": ["@type"],
                        "properties": {"@type": {"type": "string"}},
                        "anyOf": details.iter().cloned().chain([json!({"type": "object"})]).collect::<Vec<_>>(),
                    },
                },
            },
        }},
    })
}
