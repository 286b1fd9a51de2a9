//! The connection to the broker, which comes and goes.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use highstreet_domain::kernel::ports::StoreError;
use tokio::sync::watch;

use crate::event::decode;
use crate::settings::Settings;

/// A broker that says nothing for two of these is away.
const PING: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Acknowledgements that are awaited at a time, of all publishers in this process.
const MOST_IN_FLIGHT: usize = 8192;

/// Whether the broker is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Connected,
    /// It is not, for this reason, if one is known; connecting goes on.
    Away(String),
}

/// Settings with which no connection can ever be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A server's URL.
    #[error("{0} is not the address of a broker")]
    Address(String),
    /// The credentials file.
    #[error("the credentials of the broker cannot be read: {0}")]
    Credentials(#[from] std::io::Error),
    /// Whatever else the client refuses.
    #[error("the broker cannot be connected to: {0}")]
    Refused(#[from] async_nats::ConnectError),
}

/// The connection to the broker.
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) jetstream: Context,
    pub(crate) patience: Duration,
    /// Where the broker should be, without secrets.
    servers: String,
    standing: watch::Receiver<Standing>,
    trouble: Arc<Mutex<String>>,
}

/// How the connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    /// The number of the connection; 0 before the first.
    connection: u64,
    up: bool,
}

// === impl Link ===

impl Link {
    /// Goes on connecting until it succeeds; returns at once.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, ConnectError> {
        let servers = settings.servers.iter().map(|url| address(url)).collect::<Result<Vec<_>, _>>()?;
        let (changes, standing) = watch::channel(Standing::default());
        let trouble = Arc::new(Mutex::new("it has not answered yet".to_owned()));
        let heard = trouble.clone();
        let options = options(settings, &servers).await?.event_callback(move |event| {
            note(&changes, &heard, &event);
            std::future::ready(())
        });
        let shown: Vec<_> = servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
        let client = options.connect(servers).await?;
        let jetstream = ContextBuilder::new()
            .timeout(settings.patience)
            .ack_timeout(settings.patience)
            .max_ack_inflight(MOST_IN_FLIGHT)
            .build(client.clone());
        Ok(Self { client, jetstream, patience: settings.patience, servers: shown.join(", "), standing, trouble })
    }

    pub(crate) fn state(&self) -> State {
        if self.standing.borrow().up { State::Connected } else { State::Away(self.trouble()) }
    }

    /// The number of the connection, waiting for one as long as patience lasts.
    pub(crate) async fn connected(&self) -> Result<u64, StoreError> {
        let mut standing = self.standing.clone();
        let up = tokio::time::timeout(self.patience, standing.wait_for(|standing| standing.up)).await;
        match up {
            Ok(Ok(standing)) => Ok(standing.connection),
            _ => Err(self.away()),
        }
    }

    /// Returns once the connection with this number is lost.
    pub(crate) async fn lost(&self, connection: u64) {
        let mut standing = self.standing.clone();
        // A closed client tells nobody any more: that is a loss too.
        let _ = standing.wait_for(|standing| !standing.up || standing.connection != connection).await;
    }

    pub(crate) fn is_lost(&self, connection: u64) -> bool {
        *self.standing.borrow() != Standing { connection, up: true }
    }

    pub(crate) fn is_away(&self) -> bool {
        !self.standing.borrow().up
    }

    /// What `work` comes to, unless it takes too long.
    pub(crate) async fn bounded<T, E: std::fmt::Display>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.patience, work).await {
            Ok(done) => done.map_err(|error| self.failed(&error)),
            Err(_) => Err(self.failed(&"it did not answer in time")),
        }
    }

    /// The broker did not do what it was asked.
    pub(crate) fn failed(&self, why: &dyn std::fmt::Display) -> StoreError {
        StoreError::Unavailable(format!("the broker at {} failed: {why}", self.servers))
    }

    /// The broker is not there.
    pub(crate) fn away(&self) -> StoreError {
        StoreError::Unavailable(format!("the broker at {} is away: {}", self.servers, self.trouble()))
    }

    fn trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn options(settings: &Settings, servers: &[ServerAddr]) -> Result<ConnectOptions, ConnectError> {
    let mut options = ConnectOptions::new()
        .name(&settings.name)
        .retry_on_initial_connect()
        .reconnect_delay_callback(pause)
        .ping_interval(PING)
        .connection_timeout(settings.patience)
        .request_timeout(Some(settings.patience));
    let named = servers.iter().find_map(|server| Some((decode(server.username()?), server.password().map(decode))));
    options = match named {
        Some((user, Some(password))) => options.user_and_password(user, password),
        Some((token, None)) => options.token(token),
        None => options,
    };
    if let Some(credentials) = &settings.credentials {
        options = options.credentials_file(credentials).await?;
    }
    if let Some(tls) = &settings.tls {
        options = options.require_tls(true);
        if let Some(authority) = &tls.authority {
            options = options.add_root_certificates(authority.clone());
        }
        if let Some(identity) = &tls.identity {
            options = options.add_client_certificate(identity.certificate.clone(), identity.key.clone());
        }
    }
    Ok(options)
}

fn address(url: &str) -> Result<ServerAddr, ConnectError> {
    // What stands before the `@` is a secret.
    let shown = || url.rsplit('@').next().unwrap_or_default().to_owned();
    url.parse().map_err(|_| ConnectError::Address(shown()))
}

fn note(changes: &watch::Sender<Standing>, trouble: &Mutex<String>, event: &Event) {
    match event {
        Event::Connected => {
            changes.send_modify(|standing| *standing = Standing { connection: standing.connection + 1, up: true });
        }
        Event::Disconnected | Event::Closed => {
            changes.send_modify(|standing| standing.up = false);
            "the connection was lost".clone_into(&mut trouble.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Event::ServerError(_) | Event::ClientError(_) => {
            *trouble.lock().unwrap_or_else(PoisonError::into_inner) = event.to_string();
        }
        // Nothing that changes whether the broker is there.
        Event::LameDuckMode | Event::Draining | Event::SlowConsumer(_) => {}
    }
}

/// None before the first attempt, then doubling from 20 ms.
fn pause(attempts: usize) -> Duration {
    match u32::try_from(attempts) {
        Ok(0 | 1) => Duration::ZERO,
        Ok(attempts) => (Duration::from_millis(5) * 2u32.saturating_pow(attempts.min(10))).min(LONGEST_PAUSE),
        Err(_) => LONGEST_PAUSE,
    }
}
