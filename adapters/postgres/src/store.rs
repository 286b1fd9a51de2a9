//! A context's schema: writers that commit what waits in groups, a pool to read with, and a session that listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_postgres::Object;
use highstreet_domain::kernel::ports::{AppendError, StoreError};
use highstreet_foundation::codec::count;
use highstreet_foundation::encoded::EncodedAppend;
use highstreet_foundation::tally::Tally;
use tokio::sync::Mutex;
use tokio_postgres::Row;

use crate::bells::Bells;
use crate::connect::{Connector, OpenError, PostgresSettings, away, unavailable};
use crate::migrate;
use crate::pool::{Connections, Parameters, PoolUse};
use crate::schema::Schema;
use crate::session::Session;
use crate::writer::{Writer, Writers};

/// The schema of one context, opened. Dropped, it lets go of its connections.
pub struct Store {
    connections: Connections,
    writers: Writers,
    pub(crate) session: Session,
    pub(crate) bells: Arc<Bells>,
    pub(crate) schema: Schema,
    /// Held by whoever finds out up to where changes are settled.
    settling: Mutex<()>,
    settled: AtomicU64,
}

// === impl Store ===

impl Store {
    /// Opens the schema, creating or migrating it as needed.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, OpenError> {
        let connector = Connector::new(settings)?;
        let (mut client, driver) = connector.connect().await.map_err(|error| away(&error))?;
        let driving = tokio::spawn(driver.drive(|_| {}));
        let migrated = migrate::run(&mut client, connector.schema()).await;
        drop(client);
        driving.abort();
        migrated?;
        let pool = connector.pool()?;
        let bells = Arc::new(Bells::default());
        let (schema, patience) = (connector.schema().clone(), settings.patience());
        let connections = Connections { pool: pool.clone(), wait: settings.connect_timeout, patience };
        // To wait in a queue is no outage to whoever has something to commit.
        let patient = Connections { pool, wait: patience, patience };
        let tally = Arc::new(Tally::of(schema.name()));
        let writer = Writer { connections: patient, gate: schema.gate(), bells: bells.clone(), tally };
        let writers = Writers::start(settings.writers, &writer);
        let session = Session::start(connector, bells.clone());
        let (settling, settled) = (Mutex::default(), AtomicU64::default());
        Ok(Self { connections, writers, session, bells, schema, settling, settled })
    }

    /// How its connections are used.
    pub fn connections(&self) -> PoolUse {
        self.connections.usage()
    }

    /// Whether the server answers.
    pub async fn reachable(&self) -> Result<(), StoreError> {
        self.query("SELECT 1", &[]).await.map(drop)
    }

    /// Publishes everything again that was ever published, for a broker that lost what it had: consumers recognise
    /// what they have seen. Returns how many events that is.
    ///
    /// What is still in the outbox may have been published to the broker as it was: it is marked, so that whoever is
    /// about to delete it for that leaves it there.
    pub async fn republish(&self) -> Result<u64, StoreError> {
        let again = "INSERT INTO outbox (position) SELECT position FROM events WHERE name IS NOT NULL ORDER BY position \
                     ON CONFLICT (position) DO UPDATE SET mark = outbox.mark + 1";
        // Nobody else is to use it with this setting.
        let connection = Object::take(self.connection().await?);
        // As much as there is, however long that takes.
        connection.batch_execute("SET statement_timeout = 0").await.map_err(|error| unavailable(&error))?;
        let count = connection.execute(again, &[]).await.map_err(|error| unavailable(&error));
        self.bells.to_publish();
        self.bells.tell();
        count
    }

    /// Commits an append, with whatever else waits. Returns once it is durable.
    pub(crate) async fn append(&self, append: EncodedAppend) -> Result<(), AppendError> {
        self.writers.commit(append).await
    }

    /// The rows of a statement. May be run again, if the server ends the connection meanwhile.
    pub(crate) async fn query(&self, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        self.connections.query(sql, parameters).await
    }

    pub(crate) async fn connection(&self) -> Result<Object, StoreError> {
        self.connections.lend().await
    }

    /// Where connections come from.
    pub(crate) fn lending(&self) -> &Connections {
        &self.connections
    }

    /// A position up to which every change is committed or never will be: the latest, unless an earlier look found
    /// more than `wanted`.
    ///
    /// Positions are not in the order of commits. Whoever draws one holds a shared lock until it is committed, so
    /// holding it exclusively for a moment waits for all who were under way.
    pub(crate) async fn settled(&self, wanted: u64) -> Result<u64, StoreError> {
        let settled = self.settled.load(Ordering::SeqCst);
        if settled > wanted {
            return Ok(settled);
        }
        let _turn = self.settling.lock().await;
        let settled = self.settled.load(Ordering::SeqCst);
        if settled > wanted {
            return Ok(settled);
        }
        let latest =
            self.query("SELECT coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0)", &[]).await?;
        let latest = latest.first().map_or(0, |row| count(row.get(0)));
        if latest > settled {
            self.query("SELECT pg_advisory_xact_lock($1)::text", &[&self.schema.gate()]).await?;
        }
        self.settled.fetch_max(latest, Ordering::SeqCst);
        Ok(latest)
    }
}
