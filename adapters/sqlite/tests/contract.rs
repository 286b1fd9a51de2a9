//! SQLite keeps the promises that every store and bus makes.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Forgets, ForgetsMessages};
use highstreet_foundation::SystemClock;
use highstreet_sqlite::{EmbeddedBus, SqliteAgenda, SqliteJournal, SqliteOutbox, SqliteViews, Store};
use highstreet_testkit::contract::{self, BusPorts, Buses, ForgetfulBuses, ForgetfulStores, StorePorts, Stores};
use highstreet_testkit::counter;

struct Sqlite;

struct Embedded;

#[async_trait]
impl Stores for Sqlite {
    async fn store(&self) -> StorePorts {
        self.forgetful_store().await.0
    }
}

#[async_trait]
impl ForgetfulStores for Sqlite {
    async fn forgetful_store(&self) -> (StorePorts, Arc<dyn Forgets>) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(Store::open_context(&folder.path().join("counting.db")).expect("a store"));
        let journal = Arc::new(SqliteJournal::new(store.clone(), counter::publish));
        let bus = EmbeddedBus::open(&folder.path().join("bus.db")).expect("a bus");
        let views = Arc::new(SqliteViews::new(store.clone()));
        let ports = StorePorts {
            journal: journal.clone(),
            listing: journal,
            agenda: Arc::new(SqliteAgenda::new(store.clone())),
            outbox: Arc::new(SqliteOutbox::new(store.clone(), "counting", Arc::new(bus)).expect("an outbox")),
            views: views.clone(),
            renewal: views,
            clock: Arc::new(SystemClock),
            guard: Box::new(folder),
        };
        (ports, store)
    }
}

#[async_trait]
impl Buses for Embedded {
    async fn bus(&self) -> BusPorts {
        self.forgetful_bus().await.0
    }
}

#[async_trait]
impl ForgetfulBuses for Embedded {
    async fn forgetful_bus(&self) -> (BusPorts, Arc<dyn ForgetsMessages>) {
        let folder = tempfile::tempdir().expect("a folder");
        let bus = Arc::new(EmbeddedBus::open(&folder.path().join("bus.db")).expect("a bus"));
        let ports = BusPorts {
            bus: bus.clone(),
            letters: bus.clone(),
            durables: bus.clone(),
            clock: Arc::new(SystemClock),
            guard: Box::new(folder),
        };
        (ports, bus)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn journal() {
    contract::journal(&Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listing() {
    contract::listing(&Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agenda() {
    contract::agenda(&Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outbox() {
    contract::outbox(&Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views() {
    contract::views(&Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bus() {
    contract::bus(&Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_streams() {
    contract::forgetting_streams(&Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_messages() {
    contract::forgetting_messages(&Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renewal() {
    contract::renewal(&Sqlite).await;
}
