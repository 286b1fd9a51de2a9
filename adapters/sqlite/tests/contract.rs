//! SQLite keeps the promises that every store and bus makes.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_foundation::SystemClock;
use highstreet_sqlite::{EmbeddedBus, SqliteAgenda, SqliteJournal, SqliteOutbox, SqliteViews, Store};
use highstreet_testkit::contract::{self, BusPorts, Buses, StorePorts, Stores};
use highstreet_testkit::counter;

struct Sqlite;

struct Embedded;

#[async_trait]
impl Stores for Sqlite {
    async fn store(&self) -> StorePorts {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(Store::open_context(&folder.path().join("counting.db")).expect("a store"));
        let journal = Arc::new(SqliteJournal::new(store.clone(), counter::publish));
        let bus = EmbeddedBus::open(&folder.path().join("bus.db")).expect("a bus");
        let views = Arc::new(SqliteViews::new(store.clone()));
        StorePorts {
            journal: journal.clone(),
            listing: journal,
            agenda: Arc::new(SqliteAgenda::new(store.clone())),
            outbox: Arc::new(SqliteOutbox::new(store.clone(), "counting", Arc::new(bus)).expect("an outbox")),
            views: views.clone(),
            renewal: views,
            clock: Arc::new(SystemClock),
            guard: Box::new(folder),
        }
    }
}

#[async_trait]
impl Buses for Embedded {
    async fn bus(&self) -> BusPorts {
        let folder = tempfile::tempdir().expect("a folder");
        let bus = Arc::new(EmbeddedBus::open(&folder.path().join("bus.db")).expect("a bus"));
        BusPorts {
            bus: bus.clone(),
            letters: bus.clone(),
            durables: bus,
            clock: Arc::new(SystemClock),
            guard: Box::new(folder),
        }
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
async fn renewal() {
    contract::renewal(&Sqlite).await;
}
