//! Forgetting people, on JetStream: a message cannot be rewritten, so it is published again as it is to be, and the old
//! one is deleted, which overwrites it in the broker's files.
//!
//! Published first: whoever had not heard it hears it then, a little later; whoever had knows it by its `ce-id`. What a
//! crash leaves twice is found again.

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, NATS_MESSAGE_ID};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use async_trait::async_trait;
use futures_util::StreamExt;
use highstreet_domain::kernel::Redact;
use highstreet_domain::kernel::ports::{Erased, ForgetsMessages, Forgetting, StoreError};
use std::time::Duration;
use uuid::Uuid;

use crate::JetStreamBus;
use crate::event::{self, ACTOR, ID, SUBJECT, decode, encode};
use crate::letter::ERROR;
use crate::streams::{Streams, is_missing};

/// How many messages are looked through at a time.
const WINDOW: usize = 512;
/// How long the broker waits for the next look.
const IDLE: Duration = Duration::from_secs(30);

/// A message as it is kept.
struct Kept {
    sequence: u64,
    subject: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What becomes of a message.
enum Becomes {
    /// It stays as it is.
    Same,
    /// It is published anew like this.
    Anew(Kept),
    /// It is no event, and of no use to anybody without what was in it.
    Nothing,
}

#[async_trait]
impl ForgetsMessages for JetStreamBus {
    async fn sweep_messages(&self, forgetting: &Forgetting<'_>) -> Result<Erased, StoreError> {
        let streams = self.streams();
        streams.link.connected().await?;
        let (names, context) = (&streams.names, forgetting.context);
        let mut erased = Erased::default();
        if let Some(stream) = streams.found(&names.events_stream(context)).await? {
            erased.messages = streams.sweep_events(&stream, forgetting).await?;
        }
        for stream in [names.retries_stream(), names.dead_stream()] {
            if let Some(stream) = streams.found(&stream).await? {
                erased.letters += streams.sweep_put_aside(&stream, forgetting).await?;
            }
        }
        Ok(erased)
    }
}

// === impl Streams ===

impl Streams {
    async fn found(&self, stream: &str) -> Result<Option<Stream>, StoreError> {
        match self.link.jetstream.get_stream(stream).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.link.failed(&error)),
        }
    }

    /// Goes through all that is there, by a consumer that the broker forgets by itself.
    async fn sweep_events(&self, stream: &Stream, forgetting: &Forgetting<'_>) -> Result<u64, StoreError> {
        let last = stream.cached_info().state.last_sequence;
        let config = pull::Config {
            ack_policy: AckPolicy::None,
            deliver_policy: DeliverPolicy::All,
            inactive_threshold: IDLE,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let made = stream.create_consumer(config).await.map_err(|error| self.link.failed(&error))?;
        let (mut changed, mut seen, mut empty) = (0, 0, false);
        while seen < last && !empty {
            let batch = made.fetch().max_messages(WINDOW).messages().await;
            let mut batch = batch.map_err(|error| self.link.failed(&error))?;
            empty = true;
            while let Some(message) = batch.next().await {
                let message = message.map_err(|error| self.link.failed(&error))?;
                let info = message.info().map_err(|error| self.link.failed(&error))?;
                (seen, empty) = (info.stream_sequence, false);
                let headers = message.headers.clone().unwrap_or_default();
                let (subject, body) = (message.subject.to_string(), message.payload.to_vec());
                let kept = Kept { sequence: seen, subject, headers, body };
                // What was published anew by this sweep is not its business.
                if seen <= last {
                    changed += self.redact(stream, kept, forgetting, forgetting.context).await?;
                }
            }
        }
        // It goes by itself, too.
        let _ = stream.delete_consumer(&made.cached_info().name).await;
        Ok(changed)
    }

    /// Goes through what is little, message by message: of what is tried again nobody else may have a consumer.
    async fn sweep_put_aside(&self, stream: &Stream, forgetting: &Forgetting<'_>) -> Result<u64, StoreError> {
        let last = stream.cached_info().state.last_sequence;
        let (mut from, mut changed) = (1, 0);
        while from <= last {
            let kept = match stream.raw_message_builder().sequence(from).next_by_subject(">").send().await {
                Ok(kept) if kept.sequence <= last => kept,
                Ok(_) => break,
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => break,
                Err(error) => return Err(self.link.failed(&error)),
            };
            from = kept.sequence + 1;
            let source = event::text(&kept.headers, &crate::letter::SOURCE).unwrap_or_default();
            let (subject, body) = (kept.subject.to_string(), kept.payload.to_vec());
            let kept = Kept { sequence: kept.sequence, subject, headers: kept.headers, body };
            changed += self.redact(stream, kept, forgetting, &source).await?;
        }
        Ok(changed)
    }

    /// How many messages that changed: one or none.
    async fn redact(
        &self,
        stream: &Stream,
        kept: Kept,
        forgetting: &Forgetting<'_>,
        source: &str,
    ) -> Result<u64, StoreError> {
        let sequence = kept.sequence;
        match kept.redacted(forgetting, source) {
            Becomes::Same => return Ok(0),
            Becomes::Nothing => {}
            Becomes::Anew(anew) => {
                let published = self.publish(&anew.subject, &anew.headers, &anew.body).await;
                published.map_err(|error| self.link.failed(&error))?;
            }
        }
        stream.delete_message(sequence).await.map_err(|error| self.link.failed(&error))?;
        Ok(1)
    }
}

// === impl Kept ===

impl Kept {
    fn redacted(mut self, forgetting: &Forgetting<'_>, source: &str) -> Becomes {
        let erasure = forgetting.erasure;
        let Ok(message) = event::message(Some(&self.headers), &[]) else {
            return if erasure.may_be_in(&self.body) { Becomes::Nothing } else { Becomes::Same };
        };
        let told = (forgetting.retell)(erasure, source, &message.name, &self.body);
        let said = redacted_headers(erasure, &self.headers);
        let moved = erasure.moved_to(message.subject);
        if told.is_none() && said.is_none() && moved.is_none() {
            return Becomes::Same;
        }
        self.headers = said.unwrap_or(self.headers);
        self.body = told.unwrap_or(self.body);
        let mut id = message.id;
        if let Some(to) = moved {
            // Its id was made of the subject's.
            id = Uuid::now_v7();
            self.subject = self.subject.replace(&message.subject.to_string(), &to.to_string());
            self.headers.insert(SUBJECT, to.to_string());
            self.headers.insert(ID, id.to_string());
        }
        // Not the one that the broker knows, or it would take it for the old one.
        self.headers.insert(NATS_MESSAGE_ID, format!("{id}/erased/{}/{}", erasure.id(), self.sequence));
        Becomes::Anew(self)
    }
}

/// The headers without what is to be redacted; `None` if nothing is.
fn redacted_headers(redact: &dyn Redact, headers: &HeaderMap) -> Option<HeaderMap> {
    let mut redacted = headers.clone();
    let mut changed = false;
    for (name, values) in headers.iter() {
        let Some(value) = values.first() else { continue };
        let field = if *name == ACTOR {
            "actor"
        } else if *name == ERROR {
            "error"
        } else {
            ""
        };
        if let Some(instead) = redact.redact(field, &decode(value.as_str())) {
            redacted.insert(HeaderName::clone(name), encode(&instead));
            changed = true;
        }
    }
    changed.then_some(redacted)
}
