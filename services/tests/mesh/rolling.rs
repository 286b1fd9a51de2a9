//! A new version, one process after another, while people order.

use std::time::Duration;

use tokio::time::Instant;

use crate::harness::{Load, Mesh, Plan};

const CALLS: usize = 5_000;
/// What `cargo xtask soak` asks for.
const MANY_CALLS: usize = 100_000;
/// The longest that takes.
const PATIENCE: Duration = Duration::from_mins(30);

/// CAP-16: every process, two of each, is restarted one after another while customers order; not one call fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_call() {
    let wanted = if std::env::var_os("HIGHSTREET_SOAK").is_some() { MANY_CALLS } else { CALLS };
    let plan = Plan::default().replicas(2).gateways(2).all_with(&["--drain", "300ms"]);
    let mut mesh = Mesh::with(plan).await;
    let load = Load::everywhere(&mesh.calls(), 6).with_onlookers(6);
    load.busy(10).await;
    let begun = Instant::now();
    let mut restarts = 0;
    // Again and again, so that every call is made while something restarts.
    while restarts < mesh.replicas.len() || load.calls.counted().made < wanted {
        assert!(begun.elapsed() < PATIENCE, "{} of {wanted} calls", load.calls.counted().made);
        let place = restarts % mesh.replicas.len();
        mesh.replicas[place].stopped().await;
        mesh.replicas[place].started().await;
        restarts += 1;
        let failed = load.calls.counted().failed;
        assert!(failed.is_empty(), "when {} restarted: {failed:#?}", mesh.replicas[place].name());
    }
    let calls = load.calls.clone();
    let notes = load.stop().await;
    let counted = calls.counted();
    println!("{restarts} restarts, {} calls, {} failed", counted.made, counted.failed.len());
    assert_eq!(counted.failed, [""; 0]);
    mesh.settle(&notes).await;
}
