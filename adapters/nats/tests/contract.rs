//! JetStream keeps the promises that every bus makes.

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use common::{any_prefix, settings};
use highstreet_foundation::SystemClock;
use highstreet_nats::JetStreamBus;
use highstreet_testkit::contract::{self, BusPorts, Buses};
use highstreet_testkit::servers::NatsServer;

/// One server; every bus has a prefix of its own.
struct JetStream {
    server: NatsServer,
}

// === impl JetStream ===

#[async_trait]
impl Buses for JetStream {
    async fn bus(&self) -> BusPorts {
        let settings = any_prefix(settings(&self.server));
        let bus = Arc::new(JetStreamBus::connect(settings).await.expect("settings that can be used"));
        BusPorts {
            bus: bus.clone(),
            letters: bus.clone(),
            durables: bus,
            clock: Arc::new(SystemClock),
            guard: Box::new(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bus() {
    contract::bus(&JetStream { server: NatsServer::start().await }).await;
}
