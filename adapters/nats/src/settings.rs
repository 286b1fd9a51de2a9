//! Where the broker is, and what its streams are like.

use std::path::PathBuf;
use std::time::Duration;

/// Where the broker is, and what its streams are like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The URLs of its servers, such as `nats://broker:4222`; user and password, or a token, may stand before the `@`.
    pub servers: Vec<String>,
    /// The name of this process, as the broker shows it.
    pub name: String,
    /// A credentials file (JWT and nkey), where the broker asks for one.
    pub credentials: Option<PathBuf>,
    /// TLS, where the broker demands it; a URL with `tls://` asks for it too.
    pub tls: Option<Tls>,
    /// What all subjects and, in upper case, all streams begin with.
    pub prefix: String,
    /// On how many servers of a cluster each stream is kept.
    pub replicas: usize,
    /// How long and how much of what is published is kept.
    pub retention: Retention,
    /// Within this time a message published twice is kept once.
    pub duplicate_window: Duration,
    /// What a replica neither settled by then nor said to be still at goes to another one: how long the messages of a
    /// replica that died are missed.
    pub ack_wait: Duration,
    /// At most this many messages of one source are with the replicas of a listener at a time.
    pub most_unsettled: u32,
    /// How long the broker may take to answer.
    pub patience: Duration,
}

/// How much of what is published is kept; by default all of it, for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// What is older is removed.
    pub max_age: Option<Duration>,
    /// Beyond this many bytes in a stream its oldest messages are removed.
    pub max_bytes: Option<u64>,
}

/// How the broker is recognised, and how this process shows who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// A PEM file with the authorities to trust; without one, those of the machine.
    pub authority: Option<PathBuf>,
    /// What to show to a broker that asks.
    pub identity: Option<Identity>,
}

/// A certificate and its key, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, with its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

// === impl Settings ===

impl Settings {
    /// The defaults, with a broker at `servers`: URLs, separated by commas.
    pub fn at(servers: &str) -> Self {
        Self {
            servers: servers.split(',').map(|server| server.trim().to_owned()).collect(),
            name: "highstreet".to_owned(),
            credentials: None,
            tls: None,
            prefix: "highstreet".to_owned(),
            replicas: 1,
            retention: Retention::default(),
            duplicate_window: Duration::from_mins(2),
            ack_wait: Duration::from_secs(4),
            most_unsettled: 4096,
            patience: Duration::from_secs(3),
        }
    }
}
