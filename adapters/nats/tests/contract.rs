//! JetStream keeps the promises that every bus makes.

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use common::{any_prefix, settings};
use highstreet_domain::kernel::ports::ForgetsMessages;
use highstreet_foundation::SystemClock;
use highstreet_nats::JetStreamBus;
use highstreet_testkit::contract::{self, BusPorts, Buses, ForgetfulBuses};
use highstreet_testkit::servers::NatsServer;

/// One server; every bus has a prefix of its own.
struct JetStream {
    server: NatsServer,
}

// === impl JetStream ===

#[async_trait]
impl Buses for JetStream {
    async fn bus(&self) -> BusPorts {
        self.forgetful_bus().await.0
    }
}

#[async_trait]
impl ForgetfulBuses for JetStream {
    async fn forgetful_bus(&self) -> (BusPorts, Arc<dyn ForgetsMessages>) {
        let settings = any_prefix(settings(&self.server));
        let bus = Arc::new(JetStreamBus::connect(settings).await.expect("settings that can be used"));
        let ports = BusPorts {
            bus: bus.clone(),
            letters: bus.clone(),
            durables: bus.clone(),
            clock: Arc::new(SystemClock),
            guard: Box::new(()),
        };
        (ports, bus)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_messages() {
    contract::forgetting_messages(&JetStream { server: NatsServer::start().await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bus() {
    contract::bus(&JetStream { server: NatsServer::start().await }).await;
}
