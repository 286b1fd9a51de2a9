//! Streams, made by whoever needs them first and kept as the settings say.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, PublishError, PublishErrorKind,
};
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use highstreet_domain::kernel::ports::StoreError;

use crate::link::Link;
use crate::names::Names;
use crate::settings::Settings;

/// Another replica may be making the same stream.
const TRIES: usize = 5;

/// The streams, and what is needed to reach them.
pub(crate) struct Streams {
    pub(crate) link: Link,
    pub(crate) names: Names,
    pub(crate) settings: Settings,
    known: Mutex<Known>,
}

/// The streams that were found or made on one connection. The broker behind the next one may have lost its disk.
#[derive(Default)]
struct Known {
    connection: u64,
    streams: HashSet<String>,
}

// === impl Streams ===

impl Streams {
    pub(crate) fn new(link: Link, settings: Settings) -> Arc<Self> {
        let names = Names { prefix: settings.prefix.clone() };
        Arc::new(Self { link, names, settings, known: Mutex::default() })
    }

    /// The stream of what a context publishes; kept as long, and as much of it, as the settings say.
    pub(crate) fn events(&self, context: &str) -> Config {
        let retention = self.settings.retention;
        let max_age = retention.max_age.unwrap_or_default();
        // The broker refuses to remember ids for longer than messages.
        let window = self.settings.duplicate_window;
        let duplicate_window = if max_age.is_zero() { window } else { window.min(max_age) };
        let max_bytes = retention.max_bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let (name, subject) = (self.names.events_stream(context), self.names.all_events(context));
        Config { max_age, max_bytes, duplicate_window, ..self.plain(name, subject) }
    }

    /// The stream of what is tried again; each message is gone with its acknowledgement.
    pub(crate) fn retries(&self) -> Config {
        let plain = self.plain(self.names.retries_stream(), self.names.all_retries());
        Config { retention: RetentionPolicy::WorkQueue, ..plain }
    }

    /// The stream of what failed for good, until somebody replays or discards it.
    pub(crate) fn dead_letters(&self) -> Config {
        self.plain(self.names.dead_stream(), self.names.all_dead())
    }

    fn plain(&self, name: String, subject: String) -> Config {
        Config {
            name,
            subjects: vec![subject],
            num_replicas: self.settings.replicas,
            max_bytes: -1,
            duplicate_window: self.settings.duplicate_window,
            ..Config::default()
        }
    }

    /// Makes the stream, or brings it up to date, unless it is known to be so.
    pub(crate) async fn ensure(&self, wanted: Config) -> Result<(), StoreError> {
        let connection = self.link.connected().await?;
        if self.known(connection).streams.contains(&wanted.name) {
            return Ok(());
        }
        for _ in 0..TRIES {
            match self.link.jetstream.get_stream(&wanted.name).await {
                Ok(found) => self.bring_up_to_date(found.cached_info().config.clone(), &wanted).await,
                Err(error) if is_missing(&error) => match self.link.jetstream.create_stream(wanted.clone()).await {
                    Ok(_) => tracing::info!(stream = wanted.name, "made a stream"),
                    Err(error) if exists(&error) => continue,
                    Err(error) => return Err(self.link.failed(&error)),
                },
                Err(error) => return Err(self.link.failed(&error)),
            }
            self.known(connection).streams.insert(wanted.name);
            return Ok(());
        }
        Err(self.link.failed(&format!("the stream {} is there and is not", wanted.name)))
    }

    /// The stream was missed: the broker lost it.
    pub(crate) fn forget(&self, stream: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).streams.remove(stream);
    }

    /// Publishes one message to a stream of the bus's own.
    pub(crate) async fn keep(
        &self,
        stream: Config,
        subject: String,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.ensure(stream.clone()).await?;
        match self.publish(&subject, &headers, &body).await {
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                self.forget(&stream.name);
                self.ensure(stream).await?;
                self.publish(&subject, &headers, &body).await.map_err(|error| self.link.failed(&error))
            }
            published => published.map_err(|error| self.link.failed(&error)),
        }
    }

    pub(crate) async fn publish(&self, subject: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), PublishError> {
        let (subject, body) = (subject.to_owned(), body.to_vec().into());
        self.link.jetstream.publish_with_headers(subject, headers.clone(), body).await?.await.map(drop)
    }

    /// Changes what the settings speak of and leaves the rest to operators. A broker that refuses keeps what it has:
    /// better a stream as it was than none.
    async fn bring_up_to_date(&self, found: Config, wanted: &Config) {
        let Some(update) = differing(found, wanted) else { return };
        match self.link.jetstream.update_stream(&update).await {
            Ok(_) => tracing::info!(stream = wanted.name, "brought a stream up to date"),
            Err(error) => tracing::error!(stream = wanted.name, %error, "a stream is not as the settings say"),
        }
    }

    fn known(&self, connection: u64) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.connection != connection {
            *known = Known { connection, streams: HashSet::new() };
        }
        known
    }
}

/// `found` as it should be, if it is not.
fn differing(found: Config, wanted: &Config) -> Option<Config> {
    let spoken_of = |config: &Config| -> (Vec<String>, usize, Duration, i64, Duration) {
        let replicas = config.num_replicas.max(1);
        (config.subjects.clone(), replicas, config.max_age, config.max_bytes.max(-1), config.duplicate_window)
    };
    if spoken_of(&found) == spoken_of(wanted) {
        return None;
    }
    Some(Config {
        subjects: wanted.subjects.clone(),
        num_replicas: wanted.num_replicas,
        max_age: wanted.max_age,
        max_bytes: wanted.max_bytes,
        duplicate_window: wanted.duplicate_window,
        ..found
    })
}

/// Whether there is no such stream.
pub(crate) fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(why) if why.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn exists(error: &CreateStreamError) -> bool {
    matches!(error.kind(), CreateStreamErrorKind::JetStream(why) if why.error_code() == ErrorCode::STREAM_NAME_EXIST)
}
