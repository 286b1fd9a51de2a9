//! The API as an `OpenAPI` 3.1 document, with every comment of the `.proto` files in it.

mod operation;
mod parameter;
mod schema;

use prost_reflect::ServiceDescriptor;
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::rule::rules;
use operation::operation;
pub(crate) use operation::{first_sentence, json_name};
use schema::Schemas;
pub(crate) use schema::is_required;

pub(crate) const DESCRIPTION: &str = "\
Five small shops as a mesh of services. Everything here is also gRPC on the same port, where names are the same.

- **JSON** is protobuf's own mapping: names in lowerCamelCase (snake_case is read, too), 64-bit numbers as strings, \
times as RFC 3339, enum values by name. Answers hold every field that is not a message nor optional, set or not.
- **Repeating a call** is safe with an `Idempotency-Key` (a UUID; the same as `requestId`): the same key with the same \
content gets the first answer again.
- **Changing what you saw**: `If-Match` with the `ETag` of an earlier answer (the same as `expectedRevision`); what has \
changed since is answered 412.
- **Errors** are `{\"error\": {code, status, message, details}}`; `details` holds a `google.rpc.ErrorInfo` whose \
`reason` is for programs. What may be tried again later says when in `Retry-After`.
- **Streams** are server-sent events with `Accept: text/event-stream` (`Last-Event-ID` resumes), and one JSON object a \
line otherwise.";

/// The document.
pub(crate) fn document(api: &Api) -> Value {
    let mut schemas = Schemas::new(api);
    let mut paths = Map::new();
    for method in api.services().iter().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        // They were read when the API was; what cannot be served is not there.
        for (number, rule) in rules(&method).unwrap_or_default().iter().enumerate() {
            let path = operation::path(&method.input(), &rule.template);
            let verbs = paths.entry(path).or_insert_with(|| json!({}));
            verbs[rule.method.as_str().to_lowercase()] = operation(api, &mut schemas, &method, rule, number);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Highstreet",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The back office of a high street",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearerAuth": []}],
        "tags": api.services().iter().map(|service| tag(api, service)).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "parameters": parameter::shared(),
            "responses": {"Error": error()},
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    })
}

fn tag(api: &Api, service: &ServiceDescriptor) -> Value {
    json!({"name": context(service.package_name()), "description": api.comments.of(service)})
}

/// `highstreet.ordering.v1` is context `ordering`.
pub(crate) fn context(package: &str) -> &str {
    package.split('.').rev().nth(1).unwrap_or(package)
}

fn error() -> Value {
    json!({
        "description": "It was refused, or failed.",
        "headers": {
            "Retry-After": {"description": "When to try again, in seconds.", "schema": {"type": "integer"}},
            "X-Correlation-Id": {"description": "Names the call in logs and traces.", "schema": {"type": "string"}},
        },
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    })
}
