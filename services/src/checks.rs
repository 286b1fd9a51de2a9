//! Looks after what a process stands on, and reports it.

use std::sync::Arc;
use std::time::Duration;

use highstreet_telemetry::{Check, Readiness};

use crate::carrier::Carrier;
use crate::store::ContextStore;
use crate::{ContextName, Platform};

const EVERY: Duration = Duration::from_secs(1);

/// The stores and the bus of a process.
pub(crate) struct GroundChecks {
    stores: Vec<(ContextName, ContextStore)>,
    carrier: Arc<Carrier>,
    /// Whether some contexts run elsewhere.
    partial: bool,
}

// === impl GroundChecks ===

impl GroundChecks {
    pub(crate) async fn of(platform: &Platform, contexts: &[ContextName]) -> Self {
        let partial = !contexts.is_empty() && contexts.len() < ContextName::ALL.len();
        Self { stores: platform.stores().await, carrier: platform.carrier(), partial }
    }

    /// Looks once: no work without the stores; without the bus it goes on, and is made up for.
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
    }

    fn bus(&self) -> Check {
        if self.partial && self.carrier.is_embedded() {
            let why = "the embedded bus reaches the contexts of this process only; the others need --bus nats://…";
            return Check::Degraded(why.into());
        }
        self.carrier.away().map_or(Check::Ok, Check::Degraded)
    }

    /// Looks again and again, for as long as it is polled.
    pub(crate) async fn watch(self, readiness: Readiness) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.look(&readiness).await;
        }
    }
}
