//! What operators see of a context in this process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use highstreet_domain::kernel::ports::Subscription;
use highstreet_foundation::Backlog;
use highstreet_grpc::BreakerView;
use highstreet_grpc::operations::{Lag, Vitals};

use crate::carrier::Carrier;
use crate::gauges::answered;
use crate::store::ContextStore;

/// Whoever takes longer to say how much waits is left out: what the others say is shown all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// A context, seen from the outside.
pub(crate) struct Seen {
    pub(crate) breakers: Vec<BreakerView>,
    /// What it listens to.
    pub(crate) hears: Vec<Subscription>,
    pub(crate) carrier: Arc<Carrier>,
    pub(crate) store: ContextStore,
}

#[async_trait]
impl Vitals for Seen {
    fn breakers(&self) -> Vec<BreakerView> {
        self.breakers.clone()
    }

    async fn lags(&self) -> Vec<Lag> {
        if self.carrier.away().is_some() {
            return Vec::new();
        }
        let lags = self.hears.iter().map(async |it| {
            let messages = answered(PATIENCE, self.carrier.lag(it)).await?;
            Some(Lag { consumer: it.consumer.clone(), source: it.source.clone(), messages })
        });
        join_all(lags).await.into_iter().flatten().collect()
    }

    async fn backlog(&self) -> Option<Backlog> {
        answered(PATIENCE, self.store.backlog()).await
    }
}
