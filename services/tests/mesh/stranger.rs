//! A service by strangers, in another language: `examples/marketing`.

use std::path::{Path, PathBuf};
use std::process::Command;

use highstreet_testkit::servers::{Proc, eventually};
use highstreet_wire::proto::payment::PaymentStatus;
use serde_json::Value;

use crate::harness::{Load, Mesh};

/// CAP-11: marketing joins while customers order, is killed, comes back, and goes for good; its report counts every
/// payment once, and nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_comes_and_goes_and_nobody_notices() {
    prepare();
    let mesh = Mesh::open().await;
    let report = mesh.folder.path().join("marketing.db");
    let follow = || Proc::start(marketing("follow", &report).args(["--server", &mesh.nats.url()]));
    let load = Load::start(&mesh.calls(), 6);
    load.busy(5).await;
    let mut stranger = follow();
    eventually("marketing hears of a payment", || async { (orders_in(&read(&report)) > 0).then_some(()) }).await;
    stranger.kill();
    load.busy(10).await;
    let mut stranger = follow();
    load.busy(5).await;
    let notes = load.stop().await;
    let books = mesh.settle(&notes).await;

    let payments = books.payments.values().flatten();
    let approved: Vec<_> = payments.filter(|payment| payment.status() == PaymentStatus::Approved).collect();
    let money: i64 = approved.iter().filter_map(|payment| payment.amount.as_ref()).map(|amount| amount.units).sum();
    let wanted = (i64::try_from(approved.len()).unwrap(), money);
    eventually("the report is complete", || async {
        let report = read(&report);
        ((orders_in(&report), money_in(&report)) == wanted).then_some(())
    })
    .await;

    stranger.signal("TERM");
    eventually("marketing ends", || {
        let ended = stranger.ended();
        async move { ended }
    })
    .await;
    let load = Load::start(&mesh.calls(), 6);
    load.busy(5).await;
    mesh.settle(&load.stop().await).await;
}

/// Makes what marketing needs, if it is not there.
fn prepare() {
    let prepared = Command::new(folder().join("prepare.sh")).status().unwrap();
    assert!(prepared.success(), "examples/marketing/prepare.sh failed: it needs python3 with venv, and PyPI");
}

fn marketing(what: &str, report: &Path) -> Command {
    let mut command = Command::new(folder().join(".venv/bin/python"));
    command.arg(folder().join("marketing.py")).arg(what).arg("--file").arg(report);
    command
}

/// Every customer's line.
fn read(report: &Path) -> Vec<Value> {
    let said = marketing("report", report).args(["--most", "1000000"]).output().unwrap();
    // It may be writing.
    serde_json::from_slice(&said.stdout).unwrap_or_default()
}

fn orders_in(report: &[Value]) -> i64 {
    report.iter().filter_map(|line| line["orders"].as_i64()).sum()
}

#[allow(clippy::cast_possible_truncation, reason = "whole numbers of won")]
fn money_in(report: &[Value]) -> i64 {
    report.iter().filter_map(|line| line["spent"].as_f64()).sum::<f64>() as i64
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/marketing")
}
