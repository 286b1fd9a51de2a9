//! JetStream keeps the promises that every bus makes.

mod common;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use common::{any_prefix, settings};
use highstreet_domain::kernel::ports::Bus;
use highstreet_foundation::SystemClock;
use highstreet_nats::JetStreamBus;
use highstreet_testkit::contract::{self, BusPorts, Buses};
use highstreet_testkit::servers::NatsServer;
use uuid::Uuid;

/// One server; every bus has a prefix of its own.
struct JetStream {
    server: NatsServer,
    made_last: Mutex<Option<Arc<JetStreamBus>>>,
}

// === impl JetStream ===

#[async_trait]
impl Buses for JetStream {
    async fn bus(&self) -> BusPorts {
        let settings = any_prefix(settings(&self.server));
        let bus = Arc::new(JetStreamBus::connect(settings).await.expect("settings that can be used"));
        *self.made_last.lock().unwrap_or_else(PoisonError::into_inner) = Some(bus.clone());
        BusPorts { bus: bus as Arc<dyn Bus>, clock: Arc::new(SystemClock), guard: Box::new(()) }
    }

    async fn dead_letters(&self) -> Vec<(String, Uuid, String)> {
        let made_last = self.made_last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let letters = made_last.expect("a bus was made").dead_letters().await.expect("dead letters");
        let id = |message: Option<highstreet_domain::kernel::Message>| message.expect("a message that can be read").id;
        letters.into_iter().map(|letter| (letter.consumer, id(letter.message), letter.error)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bus() {
    contract::bus(&JetStream { server: NatsServer::start().await, made_last: Mutex::default() }).await;
}
