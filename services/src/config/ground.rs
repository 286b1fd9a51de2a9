//! What a process stands on: where contexts keep what they know, what carries their messages.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum as _};
use highstreet_grpc::MethodRate;

use super::{AuthArgs, PeerArgs, ServeArgs, TlsArgs, WebArgs, duration};
use crate::ContextName;

/// Where contexts keep what they know, and what carries their messages.
#[derive(Args, Clone, Debug)]
pub struct GroundArgs {
    /// The folder of whatever is kept in files.
    #[arg(long, env = "HIGHSTREET_DATA", default_value = "./data")]
    pub data: PathBuf,
    /// Where contexts keep what they know: `sqlite` (a file each, in the data folder), or `postgres://…` (a schema
    /// each). `CONTEXT=…` for one of them; may be repeated.
    #[arg(
        long = "store",
        env = "HIGHSTREET_STORE",
        value_name = "[CONTEXT=]STORE",
        default_value = "sqlite",
        value_delimiter = ' ',
        hide_env_values = true
    )]
    pub stores: Vec<StoreChoice>,
    /// The most PostgreSQL connections of one context in this process, besides one that listens and one for each view.
    #[arg(long, env = "HIGHSTREET_STORE_CONNECTIONS", default_value_t = 16)]
    pub store_connections: usize,
    /// How many groups of changes a context commits at once. More help where a commit takes long.
    #[arg(long, env = "HIGHSTREET_STORE_WRITERS", default_value_t = 4)]
    pub store_writers: usize,
    /// How long a PostgreSQL connection may take to be made or to become free.
    #[arg(long, env = "HIGHSTREET_STORE_CONNECT_TIMEOUT", default_value = "2s", value_parser = duration)]
    pub store_connect_timeout: Duration,
    /// How long a PostgreSQL statement may take.
    #[arg(long, env = "HIGHSTREET_STORE_STATEMENT_TIMEOUT", default_value = "10s", value_parser = duration)]
    pub store_statement_timeout: Duration,
    /// The authorities that PostgreSQL's certificate may come from (PEM); those of this machine if not set.
    #[arg(long, env = "HIGHSTREET_STORE_CA", value_name = "FILE")]
    pub store_ca: Option<PathBuf>,
    /// How messages travel.
    #[command(flatten)]
    pub bus: BusArgs,
    /// Where the other contexts are.
    #[command(flatten)]
    pub peers: PeerArgs,
    /// Whose word is taken for who somebody is.
    #[command(flatten)]
    pub auth: AuthArgs,
    /// Encryption.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// The most calls a second by any one caller: whoever a token says, or an address where nobody is asked who they
    /// are. What is beyond is answered `RESOURCE_EXHAUSTED`. Contexts are not counted. Any number if not set.
    #[arg(long, env = "HIGHSTREET_CALLER_RATE_LIMIT")]
    pub caller_rate_limit: Option<NonZeroU32>,
    /// The same for one RPC: `highstreet.ordering.v1.OrderingService/PlaceOrder=10`; may be repeated.
    #[arg(
        long = "method-rate-limit",
        env = "HIGHSTREET_METHOD_RATE_LIMITS",
        value_name = "RPC=N",
        value_delimiter = ','
    )]
    pub method_rate_limits: Vec<MethodRate>,
    /// The most connections at once; others are closed.
    #[arg(long, env = "HIGHSTREET_MOST_CONNECTIONS", default_value_t = 10_000)]
    pub most_connections: usize,
    /// The most calls that one connection may have under way at once; others wait in the client.
    #[arg(long, env = "HIGHSTREET_MOST_STREAMS", default_value_t = 1024)]
    pub most_streams: u32,
    /// The most calls a second through this process's door; what is beyond is answered `RESOURCE_EXHAUSTED`. Any number
    /// if not set.
    #[arg(long, env = "HIGHSTREET_RATE_LIMIT")]
    pub rate_limit: Option<NonZeroU32>,
    /// The most calls under way at once; what is beyond is answered `RESOURCE_EXHAUSTED`.
    #[arg(long, env = "HIGHSTREET_MOST_CALLS", default_value_t = 10_000)]
    pub most_calls: usize,
    /// What is served beside gRPC.
    #[command(flatten)]
    pub web: WebArgs,
}

/// What carries messages between contexts.
#[derive(Args, Clone, Debug)]
pub struct BusArgs {
    /// `embedded` (a file in the data folder, for contexts of one process), or `nats://…` (NATS JetStream).
    #[arg(long, env = "HIGHSTREET_BUS", default_value = "embedded", hide_env_values = true)]
    pub bus: BusPlace,
    /// A file with credentials for NATS.
    #[arg(long, env = "HIGHSTREET_BUS_CREDENTIALS", value_name = "FILE")]
    pub bus_credentials: Option<PathBuf>,
    /// The authorities that the NATS server's certificate may come from (PEM).
    #[arg(long, env = "HIGHSTREET_BUS_CA", value_name = "FILE")]
    pub bus_ca: Option<PathBuf>,
    /// A certificate to show to NATS, with its chain (PEM); with --bus-key.
    #[arg(long, env = "HIGHSTREET_BUS_CERTIFICATE", value_name = "FILE", requires = "bus_key")]
    pub bus_certificate: Option<PathBuf>,
    /// The key of --bus-certificate (PEM).
    #[arg(long, env = "HIGHSTREET_BUS_KEY", value_name = "FILE", requires = "bus_certificate")]
    pub bus_key: Option<PathBuf>,
    /// How many servers of a NATS cluster keep each message.
    #[arg(long, env = "HIGHSTREET_BUS_REPLICAS", default_value_t = 1)]
    pub bus_replicas: usize,
    /// How much of each context's messages NATS keeps, in bytes; all of it if not set.
    #[arg(long, env = "HIGHSTREET_BUS_RETENTION_BYTES")]
    pub bus_retention_bytes: Option<u64>,
    /// How long NATS keeps messages; for ever if not set. Contexts keep what they published all the same.
    #[arg(long, env = "HIGHSTREET_BUS_RETENTION", value_parser = duration)]
    pub bus_retention: Option<Duration>,
}

/// A store for one context, or for all that have none of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreChoice {
    /// Which one; all others if `None`.
    pub context: Option<ContextName>,
    /// Where.
    pub place: StorePlace,
}

/// Where a context keeps what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlace {
    /// In a file in the data folder.
    Sqlite,
    /// In a schema at this address.
    Postgres(String),
}

/// What carries messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusPlace {
    /// A file in the data folder.
    Embedded,
    /// The servers at these addresses, separated by commas.
    Nats(String),
}

// === impl GroundArgs ===

impl GroundArgs {
    /// Everything in files under `data`: no server needed.
    pub fn embedded(data: &Path) -> Self {
        Self { data: data.into(), ..ServeArgs::standard().ground }
    }

    /// Where `context` keeps what it knows.
    pub(crate) fn store_of(&self, context: ContextName) -> &StorePlace {
        let of = |wanted: Option<ContextName>| self.stores.iter().rev().find(|choice| choice.context == wanted);
        of(Some(context)).or_else(|| of(None)).map_or(&StorePlace::Sqlite, |choice| &choice.place)
    }

    /// Where things are kept, in words; without passwords.
    pub(crate) fn described(&self) -> String {
        let files = self.stores.iter().any(|choice| choice.place == StorePlace::Sqlite);
        let schemas = self.stores.iter().any(|choice| choice.place != StorePlace::Sqlite);
        let embedded = self.bus.bus == BusPlace::Embedded;
        let folder = format!("files in {}", self.data.display());
        let parts = [
            (files || embedded).then_some(folder.as_str()),
            schemas.then_some("PostgreSQL"),
            (!embedded).then_some("messages on NATS"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

// === impl StoreChoice ===

impl FromStr for StoreChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // An address may hold an `=` of its own.
        let named = text.split_once('=').filter(|(name, _)| name.chars().all(char::is_alphanumeric));
        let (context, place) = match named {
            Some((name, place)) => (Some(ContextName::from_str(name, false)?), place),
            None => (None, text),
        };
        let place = match place {
            "sqlite" => StorePlace::Sqlite,
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                StorePlace::Postgres(url.to_owned())
            }
            _ => {
                return Err("must be sqlite or postgres://user:password@host:5432/database, for one context as in \
                             payment=postgres://…"
                    .into());
            }
        };
        Ok(Self { context, place })
    }
}

// === impl BusPlace ===

impl FromStr for BusPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "embedded" => Ok(Self::Embedded),
            urls if urls.split(',').all(|url| url.starts_with("nats://") || url.starts_with("tls://")) => {
                Ok(Self::Nats(urls.to_owned()))
            }
            _ => Err("must be embedded or nats://host:4222 (several separated by commas)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_read() {
        let choice = |text: &str| text.parse::<StoreChoice>();
        assert_eq!(choice("sqlite"), Ok(StoreChoice { context: None, place: StorePlace::Sqlite }));
        let url = "postgres://a:b@c/d?sslmode=require";
        let place = || StorePlace::Postgres(url.into());
        assert_eq!(choice(url), Ok(StoreChoice { context: None, place: place() }));
        let payment = Some(ContextName::Payment);
        assert_eq!(choice(&format!("payment={url}")), Ok(StoreChoice { context: payment, place: place() }));
        assert!(choice("paiement=sqlite").is_err());
        assert!(choice("mysql://x").unwrap_err().contains("postgres://user"));
    }

    #[test]
    fn buses_are_read() {
        assert_eq!("embedded".parse(), Ok(BusPlace::Embedded));
        assert_eq!("nats://a:1,nats://b:2".parse(), Ok(BusPlace::Nats("nats://a:1,nats://b:2".into())));
        assert!("nats://a:1,amqp://b".parse::<BusPlace>().is_err());
    }
}
