//! Looks after what a process stands on, and reports it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use highstreet_grpc::Channel;
use highstreet_telemetry::{Check, Readiness, Status};
use tonic_health::ServingStatus;

use crate::carrier::Carrier;
use crate::store::ContextStore;
use crate::{ContextName, Listening, Platform};

const EVERY: Duration = Duration::from_secs(1);

/// The stores and the bus of a process, and the contexts elsewhere that it calls.
pub(crate) struct GroundChecks {
    stores: Vec<(ContextName, ContextStore)>,
    peers: Vec<Peer>,
    carrier: Arc<Carrier>,
    /// Whether some contexts run elsewhere.
    partial: bool,
}

/// A context elsewhere that contexts of this process call.
struct Peer {
    callee: ContextName,
    channel: Channel,
    /// What fails without it.
    needed: String,
}

// === impl GroundChecks ===

impl GroundChecks {
    pub(crate) async fn of(platform: &Platform, contexts: &[ContextName]) -> Self {
        let partial = !contexts.is_empty() && contexts.len() < ContextName::ALL.len();
        let peers = peers(platform, contexts);
        Self { stores: platform.stores().await, peers, carrier: platform.carrier(), partial }
    }

    /// Looks once: no work without the stores; without the bus or a peer it goes on, and is made up for.
    pub(crate) async fn look(&self, readiness: &Readiness) {
        let mut away = Vec::new();
        for (context, store) in &self.stores {
            if let Err(error) = store.reachable().await {
                away.push(format!("{context}: {error}"));
            }
        }
        let stores = if away.is_empty() { Check::Ok } else { Check::Failed(away.join("; ")) };
        readiness.report("store", stores);
        readiness.report("bus", self.bus());
        let checks = join_all(self.peers.iter().map(Peer::check)).await;
        for (peer, check) in self.peers.iter().zip(checks) {
            readiness.report(peer.callee.as_str(), check);
        }
    }

    fn bus(&self) -> Check {
        if self.partial && self.carrier.is_embedded() {
            let why = "the embedded bus reaches the contexts of this process only; the others need --bus nats://…";
            return Check::Degraded(why.into());
        }
        self.carrier.away().map_or(Check::Ok, Check::Degraded)
    }

    /// Looks again and again, for as long as it is polled. Whoever asks after the services' health is told what probes are.
    pub(crate) async fn watch(self, readiness: Readiness, listening: Arc<Listening>) {
        let mut serves = true;
        loop {
            tokio::time::sleep(EVERY).await;
            self.look(&readiness).await;
            let now = readiness.summary().status != Status::NotReady;
            if now != serves {
                serves = now;
                listening.report(if now { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
            }
        }
    }
}

/// Whom the contexts of this process call elsewhere.
fn peers(platform: &Platform, contexts: &[ContextName]) -> Vec<Peer> {
    let elsewhere = ContextName::ALL.into_iter().filter(|context| !contexts.contains(context));
    let peer = |callee: ContextName| {
        let of = |caller: &ContextName| {
            let calls = caller.calls().iter().filter(|(called, _)| *called == callee);
            calls.map(|(_, call)| *call).collect::<Vec<_>>()
        };
        let calls = contexts.iter().flat_map(of).collect::<Vec<_>>();
        let channel = platform.channel(callee).filter(|_| !calls.is_empty())?;
        Some(Peer { callee, channel, needed: calls.join(", ") })
    };
    elsewhere.filter_map(peer).collect()
}

// === impl Peer ===

impl Peer {
    async fn check(&self) -> Check {
        match self.channel.reachable().await {
            Ok(()) => Check::Ok,
            Err(why) => Check::Degraded(format!(
                "{} does not answer ({why}): without it {} will answer UNAVAILABLE",
                self.callee, self.needed
            )),
        }
    }
}
