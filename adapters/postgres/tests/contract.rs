//! PostgreSQL keeps the promises that every store makes.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::Forgets;
use highstreet_foundation::SystemClock;
use highstreet_postgres::{PostgresAgenda, PostgresJournal, PostgresOutbox, PostgresSettings, PostgresViews, Store};
use highstreet_testkit::contract::{self, ForgetfulStores, StorePorts, Stores};
use highstreet_testkit::counter;
use highstreet_testkit::servers::PostgresServer;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Postgres {
    server: PostgresServer,
    stores: AtomicUsize,
}

impl Postgres {
    async fn start() -> Self {
        Self { server: PostgresServer::start().await, stores: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Stores for Postgres {
    async fn store(&self) -> StorePorts {
        self.forgetful_store().await.0
    }
}

#[async_trait]
impl ForgetfulStores for Postgres {
    async fn forgetful_store(&self) -> (StorePorts, Arc<dyn Forgets>) {
        let schema = format!("counting{}", self.stores.fetch_add(1, Ordering::SeqCst));
        let store = Arc::new(Store::open(&PostgresSettings::new(self.server.url(), schema)).await.expect("a store"));
        let journal = Arc::new(PostgresJournal::new(store.clone(), counter::publish));
        let views = Arc::new(PostgresViews::new(store.clone()));
        let ports = StorePorts {
            journal: journal.clone(),
            listing: journal,
            agenda: Arc::new(PostgresAgenda::new(store.clone())),
            outbox: Arc::new(PostgresOutbox::new(store.clone(), "counting")),
            views: views.clone(),
            renewal: views,
            clock: Arc::new(SystemClock),
            guard: Box::new(()),
        };
        (ports, store)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn journal() {
    contract::journal(&Postgres::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listing() {
    contract::listing(&Postgres::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agenda() {
    contract::agenda(&Postgres::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outbox() {
    contract::outbox(&Postgres::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views() {
    contract::views(&Postgres::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_streams() {
    contract::forgetting_streams(&Postgres::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renewal() {
    contract::renewal(&Postgres::start().await).await;
}
