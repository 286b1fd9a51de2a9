//! All contexts in this process.

use std::time::Duration;

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet::{ContextName, Door, Platform, Street};
use highstreet_provider::{Simulated, Simulation};
use rusqlite::Connection;
use tempfile::TempDir;
use tonic::transport::Channel;

/// All contexts in this process, behind one door.
pub(super) struct OneProcess {
    pub(super) street: Street,
    pub(super) address: String,
    data: Option<TempDir>,
}

// === impl OneProcess ===

impl OneProcess {
    /// On SQLite files and the embedded bus.
    pub(super) async fn with(args: ShopArgs) -> Self {
        let data = tempfile::tempdir().unwrap();
        let process = Self::on(GroundArgs::embedded(data.path()), args).await;
        Self { data: Some(data), ..process }
    }

    /// On this ground.
    pub(super) async fn on(ground: GroundArgs, args: ShopArgs) -> Self {
        let simulation = Simulation {
            latency: args.provider_latency.clone(),
            decline_rate: args.provider_decline_rate,
            ..Simulation::default()
        };
        let provider = Simulated::recording(simulation).unwrap();
        let platform = Platform::open(ground, args).await.unwrap().with_provider(provider);
        let street = Street::open(platform, &ContextName::ALL).await.unwrap();
        let door = Door::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let (listening, serving) = door.open(&street, std::future::pending()).unwrap();
        tokio::spawn(serving);
        listening.report(tonic_health::ServingStatus::Serving).await;
        Self { street, address: format!("http://{}", listening.address), data: None }
    }

    /// Nothing is written to the bus until the connection is dropped.
    pub(super) fn hold_bus(&self) -> Connection {
        let bus = self.data.as_ref().expect("the bus is on files of our own").path().join("bus.db");
        let connection = Connection::open(bus).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }

    pub(super) async fn channel(&self) -> Channel {
        Channel::from_shared(self.address.clone()).unwrap().connect().await.unwrap()
    }
}
