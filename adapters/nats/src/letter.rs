//! What failed by its own fault: tried again, and in the end laid aside.

use std::sync::Arc;
use std::time::Duration;

use async_nats::header::{HeaderMap, HeaderName, NATS_MESSAGE_ID};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use futures_util::TryStreamExt;
use highstreet_domain::kernel::ports::{Clock, DeadLetter, StoreError, Subscription};
use highstreet_foundation::SystemClock;

use crate::event::{self, decode_time, encode, encode_time, text};
use crate::pull::kept_at;
use crate::streams::{Streams, is_missing};

/// After this many failures a message is a dead letter.
pub(crate) const MOST_FAILURES: u32 = 5;
/// Messages that failed together are tried again this far apart: one that takes its neighbours along does not meet all
/// of them again.
const APART: Duration = Duration::from_millis(20);
/// Of what was wrong, as much as fits in a header.
const LONGEST_ERROR: usize = 2000;

const CONSUMER: HeaderName = HeaderName::from_static("highstreet-consumer");
pub(crate) const SOURCE: HeaderName = HeaderName::from_static("highstreet-source");
const FAILURES: HeaderName = HeaderName::from_static("highstreet-failures");
pub(crate) const ERROR: HeaderName = HeaderName::from_static("highstreet-error");
const FAILED_AT: HeaderName = HeaderName::from_static("highstreet-failed-at");
const NOT_BEFORE: HeaderName = HeaderName::from_static("highstreet-not-before");

// === impl Streams ===

impl Streams {
    /// Copies a message that failed to where it is tried again, or to the dead letters. It is the `place`-th of those
    /// that failed together.
    pub(crate) async fn park(
        &self,
        subscription: &Subscription,
        failed: &async_nats::Message,
        failures: u32,
        error: &str,
        place: u32,
    ) -> Result<(), StoreError> {
        let Subscription { consumer, source, .. } = subscription;
        let now = SystemClock.now();
        let mut headers = without_orders(failed.headers.as_ref());
        // The same however often this delivery fails: it is kept once, even if its acknowledgement was lost.
        let (stream, sequence) = kept_at(failed).unwrap_or_default();
        let id = event::message(failed.headers.as_ref(), &[]).map(|message| message.id).unwrap_or_default();
        headers.insert(NATS_MESSAGE_ID, format!("{id}/{consumer}/{stream}/{sequence}"));
        headers.insert(CONSUMER, encode(consumer));
        headers.insert(SOURCE, encode(source));
        headers.insert(FAILURES, failures.to_string());
        headers.insert(ERROR, encode(&error.chars().take(LONGEST_ERROR).collect::<String>()));
        headers.insert(FAILED_AT, encode_time(now));
        let body = failed.payload.to_vec();
        if failures < MOST_FAILURES {
            headers.insert(NOT_BEFORE, encode_time(now.after(pause(failures) + APART * place)));
            self.keep(self.retries(), self.names.retries(consumer, source), headers, body).await
        } else {
            self.keep(self.dead_letters(), self.names.dead(consumer, source), headers, body).await?;
            tracing::error!(%consumer, %source, %id, %error, "a message became a dead letter");
            Ok(())
        }
    }

    /// At most `limit` of the dead letters kept under `subject` behind `place`, oldest first.
    pub(crate) async fn dead_letters_behind(
        &self,
        subject: &str,
        place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.link.connected().await?;
        let mut letters = Vec::new();
        let Some(stream) = self.dead_letter_stream().await? else { return Ok(letters) };
        let mut from = place.saturating_add(1);
        while letters.len() < limit {
            let Some(kept) = self.dead_letter_from(&stream, subject, from).await? else { break };
            from = kept.sequence + 1;
            letters.push(letter(&kept));
        }
        Ok(letters)
    }

    /// Gives a dead letter to the listener that could not handle it, as if it had never failed. False if it is not there.
    pub(crate) async fn replay(&self, subject: &str, place: u64) -> Result<bool, StoreError> {
        self.link.connected().await?;
        let Some(stream) = self.dead_letter_stream().await? else { return Ok(false) };
        let Some(kept) = self.dead_letter_at(&stream, subject, place).await? else { return Ok(false) };
        let letter = letter(&kept);
        let mut headers = without_orders(Some(&kept.headers));
        // Replayed twice before it is discarded, it is tried once.
        headers.insert(NATS_MESSAGE_ID, format!("replay/{}/{place}", kept.time.unix_timestamp_nanos()));
        let subject = self.names.retries(&letter.listener, &letter.source);
        self.keep(self.retries(), subject, headers, kept.payload.to_vec()).await?;
        self.remove(&stream, place).await?;
        Ok(true)
    }

    /// Forgets a dead letter. False if it is not there.
    pub(crate) async fn discard(&self, subject: &str, place: u64) -> Result<bool, StoreError> {
        self.link.connected().await?;
        let Some(stream) = self.dead_letter_stream().await? else { return Ok(false) };
        if self.dead_letter_at(&stream, subject, place).await?.is_none() {
            return Ok(false);
        }
        self.remove(&stream, place).await?;
        Ok(true)
    }

    /// How many dead letters are kept under `subject`.
    pub(crate) async fn dead_letter_count(&self, subject: &str) -> Result<u64, StoreError> {
        self.link.connected().await?;
        let Some(stream) = self.dead_letter_stream().await? else { return Ok(0) };
        let counted = stream.info_with_subjects(subject).await.map_err(|error| self.link.failed(&error))?;
        let counts: Vec<_> = counted.try_collect().await.map_err(|error| self.link.failed(&error))?;
        Ok(counts.iter().map(|(_, count)| u64::try_from(*count).unwrap_or(u64::MAX)).sum())
    }

    /// The stream of dead letters; there is none before the first of them.
    async fn dead_letter_stream(&self) -> Result<Option<Stream>, StoreError> {
        match self.link.jetstream.get_stream(self.names.dead_stream()).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.link.failed(&error)),
        }
    }

    async fn dead_letter_at(
        &self,
        stream: &Stream,
        subject: &str,
        place: u64,
    ) -> Result<Option<StreamMessage>, StoreError> {
        let next = self.dead_letter_from(stream, subject, place).await?;
        Ok(next.filter(|kept| kept.sequence == place))
    }

    async fn dead_letter_from(
        &self,
        stream: &Stream,
        subject: &str,
        place: u64,
    ) -> Result<Option<StreamMessage>, StoreError> {
        let next = stream.raw_message_builder().sequence(place.max(1)).next_by_subject(subject);
        match next.send().await {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.link.failed(&error)),
        }
    }

    async fn remove(&self, stream: &Stream, place: u64) -> Result<(), StoreError> {
        stream.delete_message(place).await.map(drop).map_err(|error| self.link.failed(&error))
    }
}

/// How often a message failed already.
pub(crate) fn failures(headers: Option<&HeaderMap>) -> u32 {
    let failures = headers.and_then(|headers| text(headers, &FAILURES));
    failures.and_then(|failures| failures.parse().ok()).unwrap_or(0)
}

/// How long a message is not to be tried again; never longer than the longest pause, should the clock of whoever put it
/// aside have been wrong.
pub(crate) fn unripe(headers: Option<&HeaderMap>) -> Option<Duration> {
    let not_before = headers.and_then(|headers| text(headers, &NOT_BEFORE)).and_then(|time| decode_time(&time))?;
    let wait = not_before.since(SystemClock.now()).min(pause(MOST_FAILURES));
    Some(wait).filter(|wait| !wait.is_zero())
}

fn letter(kept: &StreamMessage) -> DeadLetter {
    let said = |name| text(&kept.headers, name).unwrap_or_default();
    DeadLetter {
        place: kept.sequence,
        listener: said(&CONSUMER),
        source: said(&SOURCE),
        message: event::message(Some(&kept.headers), &kept.payload).ok().map(Arc::new),
        error: said(&ERROR),
        failures: failures(Some(&kept.headers)),
        time: decode_time(&said(&FAILED_AT)).unwrap_or_default(),
    }
}

/// What a message says of itself, without what was meant for the broker or said of earlier failures.
fn without_orders(headers: Option<&HeaderMap>) -> HeaderMap {
    let stays = |name: &HeaderName| {
        let name: &str = name.as_ref();
        !name.starts_with("Nats-") && !name.starts_with("highstreet-")
    };
    let headers = headers.into_iter().flat_map(HeaderMap::iter).filter(|(name, _)| stays(name));
    headers.flat_map(|(name, values)| values.iter().map(|value| (name.clone(), value.clone()))).collect()
}

/// 200 ms, doubling.
fn pause(failures: u32) -> Duration {
    Duration::from_millis(100 << failures.min(MOST_FAILURES))
}
