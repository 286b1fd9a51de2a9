//! Asking a durable consumer for messages: one request at a time, for no more than is handled next.

use std::time::Duration;

use async_nats::header::HeaderName;
use async_nats::jetstream::AckKind;
use async_nats::{Client, Message, StatusCode, Subject, Subscriber};
use futures_util::{FutureExt, StreamExt};
use highstreet_domain::kernel::ports::StoreError;
use tokio::time::{Instant, timeout_at};

use crate::link::Link;
use crate::streams::Streams;
use crate::verdicts::answer_to;

/// How long the broker keeps a request for the first message to come.
const WAIT: Duration = Duration::from_secs(10);
/// How long it keeps a request for what is there already, should it be gone by then.
const FETCH: Duration = Duration::from_secs(1);
/// A request of which nothing was heard for so long after its end is lost.
const OVERDUE: Duration = Duration::from_secs(2);
/// What is thought to be there before anything was heard: asked for what is there, a consumer answers at once, and one
/// that never will is found out soon.
const FIRST: u64 = 1;
const PENDING: HeaderName = HeaderName::from_static("Nats-Pending-Messages");

/// Asks one durable consumer for messages.
pub(crate) struct Pull {
    pub(crate) stream: String,
    pub(crate) durable: String,
    /// Where requests go.
    requests: Subject,
    inbox: Subject,
    subscriber: Subscriber,
    open: Option<Open>,
    /// About how many messages are there already, as far as is known.
    behind: u64,
    /// Whether it ever answered.
    heard: bool,
}

/// A request the broker has not answered in full.
struct Open {
    /// How many messages it may still give.
    rest: usize,
    /// Whether it waits for a message, or wants only what is there.
    waits: bool,
    overdue: Instant,
}

/// What the broker said.
pub(crate) enum Said {
    /// Here is a message.
    Message(Message),
    /// That is all there is, or was, while the request lasted.
    NoMore,
    /// There is no such consumer any more, or not here.
    Gone(String),
}

// === impl Pull ===

impl Pull {
    pub(crate) async fn new(link: &Link, stream: &str, durable: &str) -> Result<Self, StoreError> {
        let inbox: Subject = link.client.new_inbox().into();
        let subscriber = link.bounded(link.client.subscribe(inbox.clone())).await?;
        let requests = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}").into();
        let (stream, durable) = (stream.to_owned(), durable.to_owned());
        Ok(Self { stream, durable, requests, inbox, subscriber, open: None, behind: FIRST, heard: false })
    }

    /// Asks for what is there, at most `most`, or else for the next message. A request that is open is asked no more.
    ///
    /// Waiting for one and fetching the rest once it came leaves nothing asked for while messages are handled: other
    /// replicas get what comes meanwhile.
    pub(crate) async fn ask(&mut self, client: &Client, most: usize) -> Result<(), async_nats::PublishError> {
        if self.open.is_some() || most == 0 {
            return Ok(());
        }
        let waits = self.behind == 0;
        let (batch, expires) = if waits { (1, WAIT) } else { (most, FETCH) };
        let request = format!(r#"{{"batch":{batch},"expires":{},"no_wait":{}}}"#, expires.as_nanos(), !waits);
        client.publish_with_reply(self.requests.clone(), self.inbox.clone(), request.into()).await?;
        self.open = Some(Open { rest: batch, waits, overdue: Instant::now() + expires + OVERDUE });
        Ok(())
    }

    /// What the broker says next.
    pub(crate) async fn said(&mut self) -> Said {
        match self.subscriber.next().await {
            Some(message) => self.note(message),
            None => Said::Gone("the connection was closed".to_owned()),
        }
    }

    /// What it has said already.
    pub(crate) fn said_already(&mut self) -> Option<Said> {
        let said = self.subscriber.next().now_or_never()?;
        said.map(|message| self.note(message))
    }

    /// Whether more is there, or on its way.
    pub(crate) fn has_more(&self) -> bool {
        self.behind > 0 || self.open.as_ref().is_some_and(|open| !open.waits)
    }

    /// When to think that the request is lost.
    pub(crate) fn overdue(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.overdue)
    }

    /// Whether it should have answered by now, and never has. One that has answered before is only slow, or its answer
    /// went down with the broker.
    pub(crate) fn is_mute(&self, now: Instant) -> bool {
        !self.heard && self.overdue().is_some_and(|overdue| overdue <= now)
    }

    /// So many messages were given back and are there again.
    pub(crate) fn given_back(&mut self, count: usize) {
        self.behind += u64::try_from(count).unwrap_or(u64::MAX);
    }

    /// The connection on which it was asked is gone.
    pub(crate) fn start_again(&mut self) {
        self.open = None;
        self.behind = FIRST;
    }

    /// The consumer was made anew: nothing is known of this one.
    pub(crate) fn forget(&mut self) {
        self.heard = false;
    }

    /// Waits for the end of the request; gives back what still comes.
    ///
    /// A request cannot be taken back. With nobody listening for its answer, a message would wait for the broker to
    /// miss its acknowledgement; and nats-server 2.9 mislays one that was given back, if all that ask are gone.
    pub(crate) async fn leave(mut self, streams: &Streams) -> Result<(), StoreError> {
        while let Some(overdue) = self.overdue() {
            match timeout_at(overdue, self.said()).await {
                Ok(Said::Message(message)) => answer_to(streams, &message, AckKind::Nak(None)).await?,
                Ok(Said::NoMore) => {}
                Ok(Said::Gone(_)) | Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn note(&mut self, message: Message) -> Said {
        match message.status {
            None | Some(StatusCode::OK) => {
                self.heard = true;
                self.behind = behind(&message);
                self.count_down(1);
                Said::Message(message)
            }
            Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => {
                self.heard = true;
                // What is not said to be left is all of it.
                let left = message.headers.as_ref().and_then(|headers| headers.get(PENDING));
                self.behind = 0;
                self.count_down(left.and_then(|left| left.as_str().parse().ok()).unwrap_or(usize::MAX));
                Said::NoMore
            }
            Some(status) => {
                self.start_again();
                Said::Gone(message.description.unwrap_or_else(|| format!("status {status}")))
            }
        }
    }

    fn count_down(&mut self, by: usize) {
        if let Some(open) = &mut self.open {
            open.rest = open.rest.saturating_sub(by);
        }
        self.open.take_if(|open| open.rest == 0);
    }
}

/// How many messages the broker has behind this one. It says so at the end of the address for the answer:
/// `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<sequence>.<time>.<behind>`, newer ones with domain and account
/// in front and one more token at the end.
fn behind(message: &Message) -> u64 {
    let Some(reply) = &message.reply else { return 0 };
    let tokens = reply.split('.').count();
    let place = if tokens > 9 { 10 } else { 8 };
    reply.split('.').nth(place).and_then(|behind| behind.parse().ok()).unwrap_or(0)
}

/// The stream and the place in it where a delivered message is kept.
pub(crate) fn kept_at(message: &Message) -> Option<(&str, &str)> {
    let reply = message.reply.as_ref()?;
    let shift = if reply.split('.').count() > 9 { 2 } else { 0 };
    let mut tokens = reply.split('.').skip(2 + shift);
    Some((tokens.next()?, tokens.nth(2)?))
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;

    use super::*;
    use crate::settings::Settings;

    /// A consumer that is asked, on a broker that is not there.
    async fn asked() -> (Link, Pull) {
        let link = Link::open(&Settings::at("nats://127.0.0.1:1")).await.unwrap();
        let mut pull = Pull::new(&link, "HIGHSTREET_PAYMENT", "ordering").await.unwrap();
        pull.ask(&link.client, 1).await.unwrap();
        (link, pull)
    }

    fn answer(status: StatusCode) -> Message {
        Message {
            subject: "answer".into(),
            reply: None,
            payload: Vec::new().into(),
            headers: Some(HeaderMap::new()),
            status: Some(status),
            description: None,
            length: 0,
        }
    }

    /// A consumer is made anew if it never answers: one that has answered is only slow, or its answer went down with
    /// the broker.
    #[tokio::test]
    async fn a_consumer_that_has_answered_is_not_mute() {
        let (link, mut pull) = asked().await;
        let later = Instant::now() + WAIT + FETCH + OVERDUE;
        assert!(!pull.is_mute(Instant::now()), "it has time");
        assert!(pull.is_mute(later), "it never answered");
        pull.note(answer(StatusCode::NO_RESPONDERS));
        pull.ask(&link.client, 1).await.unwrap();
        assert!(pull.is_mute(later), "the broker answered in its place");
        pull.note(answer(StatusCode::TIMEOUT));
        pull.ask(&link.client, 1).await.unwrap();
        assert!(!pull.is_mute(later), "it answered before");
        pull.start_again();
        pull.ask(&link.client, 1).await.unwrap();
        assert!(!pull.is_mute(later), "it answered before the outage");
        pull.forget();
        assert!(pull.is_mute(later), "this one is another");
    }
}
