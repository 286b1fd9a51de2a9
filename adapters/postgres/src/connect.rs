//! Connections: from an address to a pool of them.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use highstreet_domain::kernel::ports::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::schema::Schema;

/// How a context reaches its PostgreSQL.
///
/// Connect to the server itself, or through a pooler that pools sessions: prepared statements, advisory locks,
/// `LISTEN` and the options of a connection all belong to a session. (`PgBouncer`: `pool_mode = session`, and
/// `ignore_startup_parameters` without `options`; what would be kept in another schema is refused.)
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database`, with whatever else libpq takes there.
    pub url: String,
    /// The schema in which everything is kept, at most 63 bytes; made if it is not there. Several contexts may share a
    /// database.
    pub schema: String,
    /// The most connections of one process to this schema, besides one that listens and one for each view.
    pub connections: usize,
    /// How many groups are committed at once. More help where a commit takes long, such as on a slow disk.
    pub writers: usize,
    /// How long a connection may take to be made or to become free.
    pub connect_timeout: Duration,
    /// How long a statement may take; half of that it may wait for a lock, so that whoever is locked out by a stranger
    /// is told in this time, and their neighbours are not held up.
    pub statement_timeout: Duration,
    /// Certificates of the authorities that the server's certificate may come from, as PEM; those of the machine if
    /// not set.
    pub authorities: Option<PathBuf>,
}

/// Why a store could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The address cannot be understood.
    Address(String),
    /// The certificates cannot be read.
    Certificates(String),
    /// The server cannot be reached, or refuses; worth trying again.
    Away(String),
    /// The schema cannot be brought up to date.
    Migration(String),
}

/// How much longer than its own timeout a server may take to say so.
const GRACE: Duration = Duration::from_secs(2);
/// As good as never: a year.
const NEVER: Duration = Duration::from_hours(365 * 24);

/// Makes connections to one schema.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    schema: Schema,
    settings: PostgresSettings,
}

// === impl PostgresSettings ===

impl PostgresSettings {
    /// The schema called `schema` at `url`, and defaults.
    pub fn new(url: impl Into<String>, schema: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: schema.into(),
            connections: 16,
            writers: 4,
            connect_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            authorities: None,
        }
    }

    /// How long a statement may wait for a lock.
    fn lock_timeout(&self) -> Duration {
        self.statement_timeout / 2
    }

    /// How long to wait for the server's answer: longer than the server lets a statement take, so that only one that
    /// hangs, or is out of reach, does not answer.
    pub(crate) fn patience(&self) -> Duration {
        if self.statement_timeout.is_zero() { NEVER } else { self.statement_timeout + GRACE }
    }
}

impl fmt::Debug for PostgresSettings {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings").field("schema", &self.schema).finish_non_exhaustive()
    }
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(settings: &PostgresSettings) -> Result<Self, OpenError> {
        let mut config: Config = settings.url.parse().map_err(|error| {
            let form = "write it like postgres://user:password@host:5432/database";
            OpenError::Address(format!("the store's address cannot be understood: {error}; {form}"))
        })?;
        let schema = Schema::parse(&settings.schema)?;
        let path = schema.quoted_in_options();
        let (statement, lock) = (settings.statement_timeout.as_millis(), settings.lock_timeout().as_millis());
        // A session that is stopped in the middle of a transaction must not hold its locks for ever.
        let limits = format!(
            "-c statement_timeout={statement} -c lock_timeout={lock} -c idle_in_transaction_session_timeout={statement}"
        );
        // Every statement finds its rows by an index, in the order in which it wants them. A plan made while a table
        // was empty must not read all of it when it has grown. What has no index, such as a sequence, counts as very
        // dear then, and the server would compile those plans, each time for ten milliseconds.
        let plans = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_mergejoin=off \
                     -c enable_bitmapscan=off -c jit=off";
        // A server whose network was cut notices within seconds, so that what a dead replica held is free again; one
        // lost packet is no cut.
        let alive =
            "-c tcp_user_timeout=3000 -c tcp_keepalives_idle=1 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3";
        let mut options = format!("-c search_path={path} {limits} {plans} {alive} -c client_min_messages=warning");
        if let Some(asked_for) = config.get_options() {
            options = format!("{options} {asked_for}");
        }
        config
            .options(options)
            .application_name(format!("highstreet {}", schema.name()))
            .connect_timeout(settings.connect_timeout)
            .keepalives_idle(Duration::from_secs(2))
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(2)
            .tcp_user_timeout(Duration::from_secs(5));
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(tls(settings.authorities.as_deref())?),
        };
        Ok(Self { config, tls, schema, settings: settings.clone() })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn settings(&self) -> &PostgresSettings {
        &self.settings
    }

    pub(crate) fn pool(&self) -> Result<Pool, OpenError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &self.tls {
            Some(tls) => Manager::from_config(self.config.clone(), tls.clone(), recycling),
            None => Manager::from_config(self.config.clone(), NoTls, recycling),
        };
        let timeout = Some(self.settings.connect_timeout);
        Pool::builder(manager)
            .max_size(self.settings.connections.max(1))
            .wait_timeout(timeout)
            .create_timeout(timeout)
            .recycle_timeout(timeout)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| OpenError::Address(error.to_string()))
    }

    /// A connection of its own, and what has to be driven for it.
    pub(crate) async fn connect(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await?;
            return Ok((client, Driver::Secured(Box::new(connection))));
        }
        let (client, connection) = self.config.connect(NoTls).await?;
        Ok((client, Driver::Plain(Box::new(connection))))
    }
}

type Secured = <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream;

/// The two kinds of connection.
pub(crate) enum Driver {
    Plain(Box<Connection<Socket, tokio_postgres::tls::NoTlsStream>>),
    Secured(Box<Connection<Socket, Secured>>),
}

/// Encryption that checks the server's name and where its certificate comes from.
fn tls(authorities: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let mut roots = RootCertStore::empty();
    let unreadable = |what: String| OpenError::Certificates(what);
    match authorities {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unreadable(format!("cannot read certificates from {}: {error}", path.display())))?;
            for certificate in certificates {
                roots.add(certificate).map_err(|error| unreadable(format!("{}: {error}", path.display())))?;
            }
        }
        // What of it cannot be read is not trusted.
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

// === Errors ===

pub(crate) fn unavailable(error: &tokio_postgres::Error) -> StoreError {
    let why = match error.as_db_error() {
        Some(error) => error.to_string(),
        // Without its sources, it says "error connecting to server" and no more.
        None => in_full(error),
    };
    StoreError::Unavailable(why)
}

/// Why nobody could connect, and what may be done about it.
pub(crate) fn away(error: &tokio_postgres::Error) -> OpenError {
    let mut why = unavailable(error).to_string();
    if why.contains("invalid peer certificate") {
        why.push_str("; see --store-ca for the authorities to trust");
    }
    OpenError::Away(why)
}

/// An error and all that led to it.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |said, source| {
        let source = source.to_string();
        // Some say what their source says.
        if said.ends_with(&source) { said } else { format!("{said}: {source}") }
    })
}

/// Whether the session ended, be it that its server said so last or that it was cut.
pub(crate) fn ended(error: &tokio_postgres::Error) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    was_cut(error) || matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

pub(crate) fn was_cut(error: &tokio_postgres::Error) -> bool {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    let cut =
        [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe, ErrorKind::UnexpectedEof];
    error.is_closed() || io.is_some_and(|io| cut.contains(&io.kind()))
}

pub(crate) fn no_answer() -> StoreError {
    StoreError::Unavailable("it does not answer".into())
}

// === impl OpenError ===

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) | Self::Certificates(why) => f.write_str(why),
            Self::Away(why) => write!(f, "the store cannot be reached: {why}"),
            Self::Migration(why) => write!(f, "the store's schema cannot be brought up to date: {why}"),
        }
    }
}

impl std::error::Error for OpenError {}
