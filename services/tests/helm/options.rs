//! The charts know the options of `highstreet serve`.

use std::collections::BTreeSet;

use clap::{Args as _, Command};
use highstreet::config::ServeArgs;
use serde_json::{Value, json};

use crate::chart::{context, root};

/// What the templates set by themselves: what differs from pod to pod, and files in volumes.
const SET_BY_TEMPLATES: [&str; 24] = [
    "HIGHSTREET_LISTEN",
    "HIGHSTREET_ADMIN",
    "HIGHSTREET_DRAIN",
    "HIGHSTREET_GRACE",
    "HIGHSTREET_DATA",
    "HIGHSTREET_STORE",
    "HIGHSTREET_STORE_CA",
    "HIGHSTREET_BUS",
    "HIGHSTREET_BUS_CREDENTIALS",
    "HIGHSTREET_BUS_CA",
    "HIGHSTREET_BUS_CERTIFICATE",
    "HIGHSTREET_BUS_KEY",
    "HIGHSTREET_PEERS",
    "HIGHSTREET_AUTH_JWKS",
    "HIGHSTREET_AUTH_ISSUER",
    "HIGHSTREET_AUTH_AUDIENCE",
    "HIGHSTREET_AUTH_MESH_KEYS",
    "HIGHSTREET_TLS_CERTIFICATE",
    "HIGHSTREET_TLS_KEY",
    "HIGHSTREET_TLS_CLIENT_CA",
    "HIGHSTREET_PEER_CA",
    // Set from `telemetry`.
    "HIGHSTREET_OTLP_ENDPOINT",
    "HIGHSTREET_TRACE_SAMPLE",
    // Never set: the charts' pods know each other by keys.
    "HIGHSTREET_TRUST_PEERS",
];

fn schema() -> Value {
    let text = std::fs::read_to_string(root().join("deploy/helm/context/values.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// `payWithin` is `HIGHSTREET_PAY_WITHIN`.
fn variable(option: &str) -> String {
    let letter =
        |letter: char| if letter.is_uppercase() { format!("_{letter}") } else { letter.to_uppercase().to_string() };
    format!("HIGHSTREET_{}", option.chars().map(letter).collect::<String>())
}

fn options(section: &str) -> BTreeSet<String> {
    schema()["properties"][section]["properties"].as_object().unwrap().keys().map(|option| variable(option)).collect()
}

/// Every option of the program can be said in values, and values say none that it does not have.
#[test]
fn values_have_the_options_of_the_program() {
    let command = ServeArgs::augment_args(Command::new("serve"));
    let variables = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).map(str::to_owned);
    // What is logged is read before the command line is.
    let there: BTreeSet<_> = variables.chain(["HIGHSTREET_LOG".into()]).collect();
    let (config, secrets) = (options("config"), options("secrets"));
    let ours: BTreeSet<_> = SET_BY_TEMPLATES.iter().map(|name| (*name).to_owned()).collect();
    for name in config.iter().chain(&secrets) {
        assert!(there.contains(name), "values.schema.json has an option for {name}, which the program does not have");
        assert!(!ours.contains(name), "{name} is set by the templates");
    }
    for name in &there {
        let said = config.contains(name) || secrets.contains(name) || ours.contains(name);
        assert!(said, "{name} cannot be said in values: give it a place in config of values.schema.json");
    }
}

/// Options that hide their values are never in `config`, which becomes a map that everybody may read.
#[test]
fn what_is_hidden_is_not_in_config() {
    let command = ServeArgs::augment_args(Command::new("serve"));
    let hidden = command.get_arguments().filter(|argument| argument.is_hide_env_values_set());
    let hidden: BTreeSet<_> = hidden.filter_map(|it| it.get_env()?.to_str()).map(str::to_owned).collect();
    assert!(hidden.contains("HIGHSTREET_WEBHOOK_SECRET"), "{hidden:?}");
    assert_eq!(hidden.intersection(&options("config")).count(), 0);
}

/// Numbers, lists and truths arrive as the program reads them.
#[test]
fn options_are_written_as_the_program_reads_them() {
    let config = json!({
        "busRetentionBytes": 1_073_741_824, "providerDeclineRate": 0.05, "autoShip": true, "payWithin": "10m",
        "corsOrigins": ["https://a.example", "https://b.example"], "mostCalls": 100_000_000,
    });
    let telemetry = json!({"otlp": {"endpoint": "http://collector:4317"}, "sample": 0});
    let objects = context("all", json!({"context": "all", "config": config, "telemetry": telemetry})).unwrap();
    let wanted = json!({
        "HIGHSTREET_STORE": "sqlite", "HIGHSTREET_BUS": "embedded", "HIGHSTREET_BUS_RETENTION_BYTES": "1073741824",
        "HIGHSTREET_PROVIDER_DECLINE_RATE": "0.05", "HIGHSTREET_AUTO_SHIP": "true", "HIGHSTREET_PAY_WITHIN": "10m",
        "HIGHSTREET_CORS_ORIGINS": "https://a.example,https://b.example", "HIGHSTREET_MOST_CALLS": "100000000",
        "HIGHSTREET_OTLP_ENDPOINT": "http://collector:4317", "HIGHSTREET_TRACE_SAMPLE": "0",
    });
    assert_eq!(objects.get("ConfigMap", "all")["data"], wanted);
}

/// The arguments of every set of values are understood by the program.
#[test]
fn the_program_understands_its_arguments() {
    for (set, objects) in crate::chart::value_sets() {
        for deployment in objects.of_kind("Deployment") {
            let args = objects.args(deployment["metadata"]["name"].as_str().unwrap());
            let command = ServeArgs::augment_args(Command::new("serve"));
            let read = command.try_get_matches_from(args.clone());
            assert!(read.is_ok(), "{set}: {args:?}: {}", read.unwrap_err());
        }
    }
}
