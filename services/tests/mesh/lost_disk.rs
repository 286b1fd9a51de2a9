//! A broker that lost its disk, and the command that fills it again.

use std::process::{Command, Output};

use highstreet::ContextName;

use crate::harness::{HIGHSTREET, Load, Mesh, Plan};

fn republish(arguments: &[&str]) -> Output {
    Command::new(HIGHSTREET).args(["ops", "republish"]).args(arguments).output().unwrap()
}

/// CAP-3: while tracking and loyalty were away the broker lost everything it had for them. `highstreet ops republish`
/// fills it from where it was committed; whoever has seen it already is not disturbed.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_lost_its_disk_is_filled_again() {
    let mut mesh = Mesh::open().await;
    let load = Load::everywhere(&mesh.calls(), 6);
    load.busy(20).await;
    for context in [ContextName::Tracking, ContextName::Loyalty] {
        mesh.of(context).kill();
    }
    load.busy(20).await;
    mesh.nats.restart_empty().await;
    mesh.start_all().await;
    let done = republish(&["--store", &mesh.postgres.url(), "--bus", &mesh.nats.url()]);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let again = said.lines().filter(|line| line.contains("are published again")).count();
    assert_eq!(again, ContextName::ALL.len(), "{said}");
    mesh.recovers().await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

/// CAP-3, CAP-9: the same where payment keeps its events in a file: it is stopped for that, and told so if it is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_is_filled_again_from_files() {
    let plan = Plan::default().with(ContextName::Payment, &["--store", "payment=sqlite"]);
    let mut mesh = Mesh::with(plan).await;
    let load = Load::start(&mesh.calls(), 4);
    load.busy(10).await;
    mesh.of(ContextName::Tracking).kill();
    load.busy(10).await;
    mesh.nats.restart_empty().await;

    let data = mesh.data(mesh.places(ContextName::Payment)[0]).display().to_string();
    let refused = republish(&["payment", "--store", "sqlite", "--data", &data]);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains("another process is using the data folder"), "{why}");

    mesh.of(ContextName::Payment).stopped().await;
    let done = republish(&["payment", "--store", "sqlite", "--data", &data]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("at its next start"));
    mesh.start_all().await;
    let others = ["ordering", "kitchen", "delivery", "loyalty", "--store", &mesh.postgres.url()];
    assert!(republish(&others).status.success());
    mesh.recovers().await;
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

/// A context that never kept anything there was not meant.
#[test]
fn what_was_never_kept_is_not_published_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let refused = republish(&["payment", "--data", &data]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("payment keeps nothing in files in"));
    assert!(republish(&["--data", &data]).status.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it makes nothing");
}
