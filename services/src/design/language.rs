//! What the published language says of a context.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ContextName;

/// An RPC that changes something, and who may call it.
pub(super) struct Change {
    pub(super) name: String,
    pub(super) callers: Vec<String>,
}

/// The repository.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn proto(context: ContextName, file: &str) -> String {
    let path = root().join(format!("proto/highstreet/{context}/v1/{file}.proto"));
    fs::read_to_string(path).unwrap_or_default()
}

/// The RPCs of a context that change something: what people and other contexts may ask of it.
pub(super) fn changes(context: ContextName) -> Vec<Change> {
    let text = proto(context, context.as_str());
    let changing = |name: &str| {
        let request = text.split_once(&format!("message {name}Request {{")).map_or("", |(_, rest)| rest);
        request.split_once("\n}").is_some_and(|(body, _)| body.contains("string request_id"))
    };
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next());
    let package = format!("highstreet.{context}.v1");
    let change = |name: &str| Change { name: name.to_owned(), callers: highstreet_json::callers(&package, name) };
    names.filter(|name| changing(name)).map(change).collect()
}

/// The events that a context publishes.
pub(super) fn events(context: ContextName) -> Vec<String> {
    let text = proto(context, "events");
    let names = text.lines().filter_map(|line| line.strip_prefix("message ")?.split(' ').next());
    names.map(str::to_owned).collect()
}
