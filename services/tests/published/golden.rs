//! Every published event, as it was first written to the wire.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use highstreet_wire::DESCRIPTORS;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value as Field};
use serde_json::{Value, json};

pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap());

/// Contexts whose resources stand at the beginning of everything that follows.
const ROOTS: [&str; 5] = ["ordering", "booking", "lending", "sales", "replenishment"];
const ID: &str = "01950000-0000-7000-8000-000000000001";

/// An event as somebody published it.
pub(crate) struct Golden {
    pub(crate) context: String,
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    /// What it says, as JSON.
    says: Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/published/golden")
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// All goldens, in the order of the files and their lines.
pub(crate) fn all() -> Vec<Golden> {
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: PathBuf| {
        let context = file.file_name().unwrap().to_str().unwrap().trim_end_matches(".v1.jsonl").to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let name = line["event"].as_str().unwrap().to_owned();
            let body = bytes(line["body"].as_str().unwrap());
            Golden { context: context.clone(), name, body, says: line["says"].clone() }
        };
        text.lines().map(line).collect::<Vec<_>>()
    };
    files.into_iter().flat_map(read).collect()
}

/// The events that the contract has now, by context.
fn contract() -> BTreeMap<String, Vec<MessageDescriptor>> {
    let context = |name: &str| Some(name.strip_prefix("highstreet/")?.strip_suffix("/v1/events.proto")?.to_owned());
    let events = POOL.files().filter_map(|file| {
        let events = file.messages().filter(|message| message.get_field_by_name("header").is_some()).collect();
        Some((context(file.name())?, events))
    });
    events.collect()
}

/// What an event says when every field is set.
fn filled(context: &str, kind: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(kind.clone());
    for field in kind.fields() {
        let value = value(context, &field);
        message.set_field(&field, if field.is_list() { Field::List(vec![value]) } else { value });
    }
    message
}

fn value(context: &str, field: &FieldDescriptor) -> Field {
    match field.kind() {
        Kind::String => Field::String(text(context, field.name())),
        Kind::Bool => Field::Bool(true),
        Kind::Int32 => Field::I32(if field.name() == "nanos" { 0 } else { 2 }),
        Kind::Int64 if field.name() == "seconds" => Field::I64(1_767_225_600),
        Kind::Int64 => Field::I64(2),
        Kind::Enum(kind) => Field::EnumNumber(kind.values().map(|value| value.number()).find(|it| *it > 0).unwrap()),
        Kind::Message(kind) => Field::Message(filled(context, &kind)),
        other => panic!("{}: goldens have no {other:?} yet: say here what one is", field.full_name()),
    }
}

fn text(context: &str, name: &str) -> String {
    match name {
        "context" if ROOTS.contains(&context) => context,
        "context" => "ordering",
        "shop_id" => "skanu",
        "currency_code" => "KRW",
        "customer" | "customer_phone" | "member" => "010-1234-5678",
        "sku" | "product_id" | "book_id" => "latte",
        "seats" => "1A",
        _ if name == "id" || name.ends_with("_id") => ID,
        _ => "text",
    }
    .into()
}

/// What an event on the wire says to this version, with the names of the contract.
fn read(context: &str, name: &str, body: &[u8]) -> Result<Value, String> {
    let kind = format!("highstreet.{context}.v1.{name}");
    let kind = POOL.get_message_by_name(&kind).ok_or_else(|| format!("{kind} is no event any more"))?;
    let message = DynamicMessage::decode(kind, body).map_err(|error| error.to_string())?;
    serde_json::to_value(&message).map_err(|error| error.to_string())
}

fn append(context: &str, event: &MessageDescriptor) {
    let body = filled(context, event).encode_to_vec();
    let says = read(context, event.name(), &body).unwrap();
    let line = json!({"event": event.name(), "body": hex(&body), "says": says});
    let file = folder().join(format!("{context}.v1.jsonl"));
    let before = fs::read_to_string(&file).unwrap_or_default();
    fs::write(file, format!("{before}{line}\n")).unwrap();
}

/// Whether a golden shows every field of an event as it is now.
fn shows_all(golden: &Golden, event: &MessageDescriptor) -> bool {
    golden.name == event.name() && event.fields().all(|field| golden.says.get(field.json_name()).is_some())
}

/// CAP-18: each event that the contract has is kept as it is written, with every field, and what was kept by any earlier
/// version still says the same.
#[test]
fn cap_18_what_was_published_once_still_says_the_same() {
    let (kept, write) = (all(), std::env::var_os("HIGHSTREET_WRITE_GOLDEN").is_some());
    for (context, events) in contract() {
        for event in events {
            if !kept.iter().any(|golden| golden.context == context && shows_all(golden, &event)) {
                assert!(write, "{} has no golden: set HIGHSTREET_WRITE_GOLDEN=1 to add one", event.full_name());
                append(&context, &event);
            }
        }
    }
    let kept = all();
    assert!(kept.len() > 50, "{}", kept.len());
    for Golden { context, name, body, says } in kept {
        let now = read(&context, &name, &body);
        let said = now
            .as_ref()
            .map(|now| says.as_object().unwrap().iter().all(|(field, value)| now.get(field) == Some(value)));
        assert_eq!(said, Ok(true), "{context}.{name} said {says}, and is read as {now:?}");
    }
}
