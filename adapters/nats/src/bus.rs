//! The `Bus` port on JetStream.

use std::collections::VecDeque;
use std::sync::Arc;

use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_trait::async_trait;
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::{Bus, DeadLetter, DeadLetters, Deliveries, StoreError, Subscription};
use highstreet_foundation::trace;
use tracing::Span;

use crate::event::{TRACE, headers};
use crate::link::{ConnectError, Link, State};
use crate::member::Member;
use crate::settings::Settings;
use crate::streams::Streams;

/// What spans call it.
const NATS: &str = "nats";
/// So many messages are sent before the first of them is acknowledged.
const IN_FLIGHT: usize = 256;

/// The bus of a mesh of many processes.
///
/// Dropping it ends the connection once its deliveries are dropped too, and the broker has answered what they asked for:
/// within ten seconds.
pub struct JetStreamBus {
    streams: Arc<Streams>,
}

/// Why a batch was not published in full.
enum Stopped {
    /// The stream is not there: nothing was kept.
    NoStream,
    Failed(StoreError),
}

// === impl JetStreamBus ===

impl JetStreamBus {
    /// Starts to connect, and goes on until it succeeds; returns at once, whether or not the broker is there.
    pub async fn connect(settings: Settings) -> Result<Self, ConnectError> {
        let link = Link::open(&settings).await?;
        Ok(Self { streams: Streams::new(link, settings) })
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Whether the broker is there.
    pub fn state(&self) -> State {
        self.streams.link.state()
    }

    /// The messages that listeners could not handle, oldest first.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        self.streams.dead_letters_behind(&self.streams.names.all_dead(), 0, usize::MAX).await
    }

    /// Sends all of it in order without waiting for each, and stops at the first that is not acknowledged.
    ///
    /// What was sent behind a failed message may be kept all the same. The relay publishes the whole batch again: the
    /// broker knows by their ids those it has, which keep their places, and the missing one comes behind them. Only
    /// losing the connection makes such a gap; nothing is sent once that is known. Listeners bear what is left of it.
    async fn publish_in_order(&self, messages: &[Message]) -> Result<(), Stopped> {
        let link = &self.streams.link;
        let connection = link.connected().await?;
        tokio::select! {
            biased;
            () = link.lost(connection) => Err(link.away().into()),
            sent = self.send(messages) => sent,
        }
    }

    async fn send(&self, messages: &[Message]) -> Result<(), Stopped> {
        let mut in_flight = VecDeque::with_capacity(IN_FLIGHT);
        for message in messages {
            if in_flight.len() == IN_FLIGHT
                && let Some((ack, span)) = in_flight.pop_front()
            {
                self.acknowledged(ack, &span).await?;
            }
            let span = trace::sending(NATS, message);
            let (subject, mut headers) = (self.streams.names.subject(message), headers(&self.streams.names, message));
            if let Some(traceparent) = trace::traceparent(&span).filter(|_| !span.is_none()) {
                // Whoever hears it continues from here.
                headers.insert(TRACE, traceparent);
            }
            let sent = self.streams.link.jetstream.publish_with_headers(subject, headers, message.body.clone().into());
            in_flight.push_back((sent.await.map_err(|error| self.stopped(&error))?, span));
        }
        for (ack, span) in in_flight {
            self.acknowledged(ack, &span).await?;
        }
        Ok(())
    }

    async fn acknowledged(&self, ack: PublishAckFuture, span: &Span) -> Result<(), Stopped> {
        ack.await.map(drop).map_err(|error| {
            trace::failed(span);
            self.stopped(&error)
        })
    }

    fn stopped(&self, error: &PublishError) -> Stopped {
        match error.kind() {
            PublishErrorKind::StreamNotFound => Stopped::NoStream,
            _ => Stopped::Failed(self.streams.link.failed(error)),
        }
    }

    /// The contexts that published these messages.
    fn sources(messages: &[Message]) -> Vec<Arc<str>> {
        let mut sources: Vec<_> = messages.iter().map(|message| message.source.clone()).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

#[async_trait]
impl Bus for JetStreamBus {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        let sources = Self::sources(&messages);
        for source in &sources {
            self.streams.ensure(self.streams.events(source)).await?;
        }
        match self.publish_in_order(&messages).await {
            Ok(()) => Ok(()),
            Err(Stopped::Failed(error)) => Err(error),
            // Somebody removed it. The next attempt makes it again.
            Err(Stopped::NoStream) => {
                for source in &sources {
                    self.streams.forget(&self.streams.names.events_stream(source));
                }
                Err(self.streams.link.failed(&"it has no stream for these events"))
            }
        }
    }

    /// JetStream acknowledges before it syncs its disk, and cannot be told to do so. It need not: what was published
    /// stays in its context's store, and `highstreet ops republish` fills a broker from there that lost it.
    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn subscribe(&self, subscription: &Subscription) -> Result<Box<dyn Deliveries>, StoreError> {
        Ok(Box::new(Member::new(self.streams.clone(), subscription.clone())))
    }
}

#[async_trait]
impl DeadLetters for JetStreamBus {
    async fn behind(&self, listener: &str, place: u64, limit: usize) -> Result<Vec<DeadLetter>, StoreError> {
        self.streams.dead_letters_behind(&self.streams.names.all_dead_of(listener), place, limit).await
    }

    async fn replay(&self, listener: &str, place: u64) -> Result<bool, StoreError> {
        self.streams.replay(&self.streams.names.all_dead_of(listener), place).await
    }

    async fn discard(&self, listener: &str, place: u64) -> Result<bool, StoreError> {
        self.streams.discard(&self.streams.names.all_dead_of(listener), place).await
    }
}

// === impl Stopped ===

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}
