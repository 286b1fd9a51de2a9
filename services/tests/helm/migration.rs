//! Schemas are migrated before anything is served from them.

use std::process::Stdio;

use highstreet_testkit::servers::PostgresServer;
use serde_json::json;

use crate::chart::{street_with, texts};
use crate::node::Node;

/// Several replicas start at once: each migrates, under one lock, and all succeed; so does one that comes later.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_migrate_together() {
    let postgres = PostgresServer::start().await;
    let mut node = Node::new();
    node.keep("street-store", "url", &postgres.url());
    let objects = street_with(&json!({"payment": {"replicas": 4}}));
    let pod = objects.pod("street-payment");
    let migrate = &pod["initContainers"][0];
    assert_eq!(texts(&migrate["args"]), ["migrate", "payment"]);
    let mut start = || {
        let mut command = node.command(&objects, pod, migrate, &[]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let together: Vec<_> = (0..4).map(|_| start()).collect();
    for replica in together.into_iter().chain([start()]) {
        let output = replica.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "payment is ready for this version");
    }
    let schemas = "SELECT string_agg(nspname, ',') FROM pg_namespace WHERE nspname IN ('payment', 'ordering')";
    assert_eq!(postgres.run_in("highstreet", schemas).trim(), "payment", "its own and no other");
}

/// A schema that cannot be migrated keeps the pod from starting, and the reason is told.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_migrated_does_not_start() {
    let postgres = PostgresServer::start().await;
    postgres.run_in("highstreet", "CREATE ROLE guest LOGIN");
    let mut node = Node::new();
    node.keep("street-store", "url", &postgres.url().replace("postgres@", "guest@"));
    let objects = street_with(&json!({}));
    let pod = objects.pod("street-payment");
    let output = node.command(&objects, pod, &pod["initContainers"][0], &[]).output().unwrap();
    assert!(!output.status.success());
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(why.contains("permission denied"), "{why}");
}
