//! Strangers' requests, good and bad, by the thousand against a real server (CAP-7, CAP-12): whatever comes, it is
//! answered, nothing breaks and nothing is kept.
//!
//! `cargo xtask fuzz --requests 100000 --seed 7` sends more of them. The seed is printed; with the same one the same
//! requests are sent, but for the ids that the server made up.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod findings;
mod grpc;
mod json;
mod mold;
mod server;
mod spoil;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use tokio::task::JoinSet;

use crate::findings::Findings;
use crate::mold::Mold;
use crate::server::Server;

/// Callers at once.
const CALLERS: usize = 16;
const USUAL_SEED: u64 = 0x00c0_ffee;
const USUAL_REQUESTS: u64 = 3000;

/// A way into the server.
#[derive(Clone, Copy)]
enum Port {
    Grpc,
    Json,
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// The seeds, and how many requests are made of each.
fn plan() -> (Vec<u64>, u64) {
    let requests = number("HIGHSTREET_FUZZ_REQUESTS").unwrap_or(USUAL_REQUESTS);
    match number("HIGHSTREET_FUZZ_SEED") {
        Some(seed) => (vec![seed], requests),
        None => (vec![USUAL_SEED, fastrand::u64(..)], requests / 2),
    }
}

/// Sends `requests` requests and collects what came of them.
async fn send(port: Port, server: &Server, seed: u64, requests: std::ops::Range<u64>, findings: &Arc<Findings>) {
    let (next, end) = (Arc::new(AtomicU64::new(requests.start)), requests.end);
    let mold = Arc::new(Mold::new());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (next, mold, findings, address) = (next.clone(), mold.clone(), findings.clone(), server.address);
        callers.spawn(async move {
            let mut grpc = grpc::Caller::new(address);
            let json = json::Caller::new(address);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= end {
                    break;
                }
                // Each request is made of its own number, whoever sends it.
                let mut rng = Rng::with_seed(seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
                match port {
                    Port::Grpc => grpc.call(&mut rng, &mold, &findings).await,
                    Port::Json => json.call(&mut rng, &mold, &findings).await,
                }
            }
        });
    }
    callers.join_all().await;
}

async fn fuzz(port: Port, name: &str) {
    let (seeds, requests) = plan();
    for seed in seeds {
        println!("{name}: {requests} requests, HIGHSTREET_FUZZ_SEED={seed}");
        let mut server = Server::start().await;
        let findings = Arc::new(Findings::default());
        send(port, &server, seed, 0..requests / 2, &findings).await;
        let before = server.memory();
        send(port, &server, seed, requests / 2..requests, &findings).await;
        let after = server.memory();
        println!("{name}: {findings}\n{name}: at most {} kB, then {} kB", before.peak, after.now);
        findings.none(seed);
        server.is_well(seed);
        assert_eq!(findings.answered(), requests, "each is answered (seed {seed})");
        let most = before.peak + before.peak / 5;
        assert!(after.now <= most, "memory grows: {} kB is more than {most} kB (seed {seed})", after.now);
    }
}

/// CAP-7, CAP-12: valid, nearly valid and senseless protobuf is answered, never with `INTERNAL` or `UNKNOWN`; nothing
/// panics, and memory does not grow.
#[tokio::test(flavor = "multi_thread")]
async fn cap_7_cap_12_whatever_comes_by_grpc_is_answered() {
    fuzz(Port::Grpc, "gRPC").await;
}

/// CAP-7, CAP-10: the same of JSON, of paths, queries and headers.
#[tokio::test(flavor = "multi_thread")]
async fn cap_7_cap_10_whatever_comes_by_json_is_answered() {
    fuzz(Port::Json, "JSON").await;
}
