//! What strangers rely on: examples/marketing says it in `relies-on.json`.

use std::path::Path;

use prost_reflect::{FieldDescriptor, Kind};
use serde_json::Value;

use crate::golden::POOL;

/// The field of an event at a path such as `amount.units`.
fn field(event: &str, path: &str) -> Result<FieldDescriptor, String> {
    let gone = |what: &str| format!("{event} has no {what} any more");
    let mut message = POOL.get_message_by_name(event).ok_or_else(|| format!("{event} is not published any more"))?;
    let (parents, name) = path.rsplit_once('.').map_or((None, path), |(parents, name)| (Some(parents), name));
    for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
        message = match message.get_field_by_name(parent).ok_or_else(|| gone(path))?.kind() {
            Kind::Message(inner) => inner,
            other => return Err(format!("{parent} of {event} is {other:?} and has nothing in it")),
        };
    }
    message.get_field_by_name(name).ok_or_else(|| gone(path))
}

/// Why the contract does not offer what a consumer relies on.
fn broken(relied_on: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (event, fields) in relied_on.as_object().unwrap() {
        for (path, wanted) in fields.as_object().unwrap() {
            let wanted = (wanted["number"].as_u64().unwrap(), wanted["type"].as_str().unwrap());
            match field(event, path) {
                Ok(found) => {
                    let kind = format!("{:?}", found.kind()).to_lowercase();
                    if (u64::from(found.number()), kind.as_str()) != wanted {
                        broken.push(format!("{path} of {event} was {wanted:?} and is {kind} {}", found.number()));
                    }
                }
                Err(why) => broken.push(why),
            }
        }
    }
    broken
}

/// CAP-18: the contract offers what the marketing service says that it relies on, and what it reads in its program is
/// what it says.
#[test]
fn cap_18_what_strangers_rely_on_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/marketing");
    let relied_on: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("relies-on.json")).unwrap()).unwrap();
    assert_eq!(broken(&relied_on), Vec::<String>::new());
    let program = std::fs::read_to_string(folder.join("marketing.py")).unwrap();
    let known: Vec<_> = relied_on.as_object().unwrap().keys().collect();
    let used: Vec<_> =
        program.split('"').filter(|text| text.starts_with("highstreet.") && !text.ends_with('>')).collect();
    assert!(!used.is_empty() && used.iter().all(|event| known.iter().any(|it| it == event)), "{used:?}");
}

/// CAP-18: an event or a field that is gone, or is of another type, is noticed.
#[test]
fn cap_18_what_strangers_miss_is_noticed() {
    let missing = serde_json::json!({
        "highstreet.payment.v1.PaymentForgotten": {"amount.units": {"number": 2, "type": "int64"}},
        "highstreet.payment.v1.PaymentApproved": {
            "amount.units": {"number": 2, "type": "string"},
            "amount.pence": {"number": 2, "type": "int64"},
            "payment_id.part": {"number": 1, "type": "string"},
        },
    });
    assert_eq!(broken(&missing).len(), 4, "{:?}", broken(&missing));
}
