//! A context's schema: writers that commit what waits in groups, a pool to read with, and a session that listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use deadpool_postgres::{Object, Pool};
use highstreet_domain::kernel::Signal;
use highstreet_domain::kernel::ports::{AppendError, StoreError, Wake};
use highstreet_foundation::encoded::EncodedAppend;
use tokio::sync::Mutex;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::connect::{Connector, OpenError, PostgresSettings, no_connection, unavailable};
use crate::migrate;
use crate::session::Session;
use crate::writer::Writers;

/// The schema of one context, opened. Dropped, it lets go of its connections.
pub struct Store {
    pub(crate) pool: Pool,
    writers: Writers,
    pub(crate) session: Session,
    pub(crate) bells: Arc<Bells>,
    /// Held by whoever finds out up to where changes are settled.
    settling: Mutex<()>,
    settled: AtomicU64,
}

/// What is rung when something happened, in this process or in another replica.
#[derive(Default)]
pub(crate) struct Bells {
    /// Something is to be published.
    pub(crate) published: Signal,
    /// A stream changed.
    pub(crate) changed: Signal,
    /// Something is due earlier than the agenda's reader thought.
    pub(crate) due: Signal,
    /// A view's row changed.
    pub(crate) viewed: Signal,
    /// When the agenda's reader will look again, in microseconds since the epoch.
    pub(crate) next_look: AtomicI64,
}

/// The parameters of a statement.
pub(crate) type Parameters<'a> = [&'a (dyn ToSql + Sync)];

// === impl Store ===

impl Store {
    /// Opens the schema, creating or migrating it as needed.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, OpenError> {
        let connector = Connector::new(settings)?;
        let (mut client, driver) =
            connector.connect().await.map_err(|error| OpenError::Away(unavailable(&error).to_string()))?;
        let driving = tokio::spawn(driver.drive(|_| {}));
        let migrated = migrate::run(&mut client, &settings.schema).await;
        drop(client);
        driving.abort();
        migrated?;
        let pool = connector.pool()?;
        let bells = Arc::new(Bells::default());
        let writers = Writers::start(&pool, settings.writers, &settings.schema);
        let session = Session::start(connector, bells.clone());
        let (settling, settled) = (Mutex::default(), AtomicU64::default());
        Ok(Self { pool, writers, session, bells, settling, settled })
    }

    /// Whether the server answers.
    pub async fn reachable(&self) -> Result<(), StoreError> {
        self.query("SELECT 1", &[]).await.map(drop)
    }

    /// Publishes everything again that was ever published, for a broker that lost what it had: consumers recognise
    /// what they have seen. Returns how many events that is.
    pub async fn republish(&self) -> Result<u64, StoreError> {
        let again = "INSERT INTO outbox SELECT position FROM events WHERE name IS NOT NULL ORDER BY position \
                     ON CONFLICT DO NOTHING";
        let connection = self.connection().await?;
        // As much as there is, however long that takes.
        connection.batch_execute("SET statement_timeout = 0").await.map_err(|error| unavailable(&error))?;
        let count = connection.execute(again, &[]).await.map_err(|error| unavailable(&error));
        // Not to be used by others with this setting.
        drop(Object::take(connection));
        self.bells.published.ring();
        self.session.tell();
        count
    }

    /// Commits an append, with whatever else waits. Returns once it is durable.
    pub(crate) async fn append(&self, append: EncodedAppend) -> Result<(), AppendError> {
        let (wake, publishes) = (append.wake, append.events.iter().any(|event| event.published.is_some()));
        self.writers.commit(append).await?;
        if publishes {
            self.bells.published.ring();
        }
        self.bells.changed.ring();
        self.bells.wake_for(wake);
        self.session.tell();
        Ok(())
    }

    /// The rows of a statement, which is prepared once for each connection. May be run twice, if the server ends the
    /// connection meanwhile.
    pub(crate) async fn query(&self, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        let connection = self.connection().await?;
        match query(&connection, sql, parameters).await {
            // The server was restarted since this connection was used last.
            Err(error) if error.is_closed() => query(&self.connection().await?, sql, parameters).await,
            done => done,
        }
        .map_err(|error| unavailable(&error))
    }

    pub(crate) async fn connection(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|error| no_connection(&error))
    }

    /// The position up to which every change is committed or never will be.
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
        let latest = self.query("SELECT coalesce(max(position), 0) FROM events", &[]).await?;
        let latest = latest.first().map_or(0, |row| row.get::<_, i64>(0));
        if highstreet_foundation::codec::count(latest) > settled {
            let gate = gate(self.session.schema());
            self.query("SELECT pg_advisory_xact_lock($1)::text", &[&gate]).await?;
        }
        let latest = highstreet_foundation::codec::count(latest);
        self.settled.fetch_max(latest, Ordering::SeqCst);
        Ok(latest)
    }
}

async fn query(connection: &Object, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, tokio_postgres::Error> {
    connection.query(&connection.prepare_cached(sql).await?, parameters).await
}

/// The lock that is held, shared, while positions are drawn and committed.
pub(crate) fn gate(schema: &str) -> i64 {
    let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("highstreet positions of {schema}").as_bytes());
    i64::from_be_bytes(name.into_bytes()[..8].try_into().unwrap_or_default())
}

// === impl Bells ===

impl Bells {
    /// Rings if `wake` comes before the agenda's reader looks again.
    fn wake_for(&self, wake: Wake) {
        if let Wake::At { at, .. } | Wake::Leased { until: at, .. } = wake
            && at.as_micros() < self.next_look.load(Ordering::SeqCst)
        {
            self.due.ring();
        }
    }

    /// Rings all but the agenda's: that one is looked at by everybody in turn.
    pub(crate) fn ring(&self) {
        self.published.ring();
        self.changed.ring();
        self.viewed.ring();
    }
}
