//! Telling the broker what became of messages. What could not be told for an outage is told after it.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::Message;
use async_nats::jetstream::AckKind;
use highstreet_domain::kernel::ports::{StoreError, Subscription};

use crate::letter::{MOST_FAILURES, failures};
use crate::streams::Streams;

/// A message that could not even be laid aside is tried again after this time.
const STUCK: Duration = Duration::from_secs(5);

/// What is to be told.
#[derive(Default)]
pub(crate) struct Verdicts {
    waiting: VecDeque<(Message, Fate)>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It needs nothing more.
    Done,
    /// It is to come again at once.
    Again,
    /// It is to come again after this time.
    After(Duration),
    /// It failed by its own fault, the n-th of those that failed together.
    Failed(String, u32),
    /// Nobody will ever read it.
    Spoilt(String),
}

// === impl Verdicts ===

impl Verdicts {
    pub(crate) fn push(&mut self, message: Message, fate: Fate) {
        self.waiting.push_back((message, fate));
    }

    /// Tells all of it, in order. Stops at an outage; the rest waits.
    pub(crate) async fn tell(&mut self, streams: &Streams, subscription: &Subscription) -> Result<(), StoreError> {
        while let Some((message, fate)) = self.waiting.front() {
            let answer = match fate {
                Fate::Done => AckKind::Ack,
                Fate::Again => AckKind::Nak(None),
                Fate::After(time) => AckKind::Nak(Some(*time)),
                Fate::Failed(error, place) => {
                    let failures = failures(message.headers.as_ref()) + 1;
                    let parked = streams.park(subscription, message, failures, error, *place).await;
                    laid_aside(streams, parked)?
                }
                Fate::Spoilt(error) => {
                    let parked = streams.park(subscription, message, MOST_FAILURES, error, 0).await;
                    laid_aside(streams, parked)?
                }
            };
            answer_to(streams, message, answer).await?;
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Forgets the others: the broker knows them no more.
    pub(crate) fn retain(&mut self, kept: impl Fn(&Message) -> bool) {
        self.waiting.retain(|(message, _)| kept(message));
    }

    /// Tells what can be told in passing, and gives back the rest.
    pub(crate) async fn tell_in_passing(self, streams: &Streams) -> Result<(), StoreError> {
        for (message, fate) in self.waiting {
            let answer = if fate == Fate::Done { AckKind::Ack } else { AckKind::Nak(None) };
            answer_to(streams, &message, answer).await?;
        }
        Ok(())
    }
}

/// The answer for a message that was copied elsewhere. One that the broker refuses to copy must not stop the others.
fn laid_aside(streams: &Streams, parked: Result<(), StoreError>) -> Result<AckKind, StoreError> {
    match parked {
        Ok(()) => Ok(AckKind::Ack),
        Err(error) if streams.link.is_away() => Err(error),
        Err(error) => {
            tracing::error!(%error, "a message that failed cannot be laid aside");
            Ok(AckKind::Nak(Some(STUCK)))
        }
    }
}

/// Answers a delivery. Nobody waits for it to arrive: an answer that is lost means one more delivery.
pub(crate) async fn answer_to(streams: &Streams, message: &Message, answer: AckKind) -> Result<(), StoreError> {
    let Some(reply) = message.reply.clone() else { return Ok(()) };
    streams.link.bounded(streams.link.client.publish(reply, answer.into())).await
}
