//! A replica's share in a durable consumer.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Message as Raw;
use async_nats::jetstream::AckKind;
use async_trait::async_trait;
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::{Deliveries, Delivery, StoreError, Subscription, Verdict};
use highstreet_foundation::tally;
use metrics::Counter;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::at_work::AtWork;
use crate::durable::Made;
use crate::event;
use crate::letter::{failures, unripe};
use crate::names::Names;
use crate::pull::{Pull, Said, kept_at};
use crate::streams::Streams;
use crate::verdicts::{Fate, Verdicts, answer_to};

/// What is on its way comes within this time, or went to another replica.
const GRACE: Duration = Duration::from_millis(20);
/// What only a newer replica wants is left to it for so long.
const LEFT_TO_NEWER: Duration = Duration::from_secs(1);
/// So often: for about ten minutes. Then it is laid with the dead letters, so that it holds up nobody and is not lost.
const MOST_LEFT: u64 = 600;
/// Strangers are looked at together, so many at most, and not more often than this: who wants them is a question that
/// costs the broker a look at every subject it keeps.
const STRANGERS: usize = 512;
const LOOK_AT_STRANGERS: Duration = Duration::from_secs(1);

/// A replica's share in a durable consumer. What it has not settled when it is dropped goes to the others.
///
/// It joins with its first `next`, and again after an outage, so that contexts start whether or not the broker is there.
pub(crate) struct Member {
    streams: Arc<Streams>,
    subscription: Subscription,
    line: Option<Line>,
    /// Received and not handed out.
    ready: VecDeque<Held>,
    /// Received, of names that this replica does not want.
    strangers: Vec<Raw>,
    /// When those are looked at, if there are any.
    judged_at: Option<Instant>,
    /// Handed out and not settled.
    held: BTreeMap<u64, Raw>,
    last_tag: u64,
    /// Keeps what is held from going to others.
    at_work: Option<AtWork>,
    verdicts: Verdicts,
    redeliveries: Counter,
}

/// A message that is here.
struct Held {
    raw: Raw,
    message: Arc<Message>,
}

/// What it is joined by.
struct Line {
    /// The connection on which everything was found in its place; 0 if it is to be looked after.
    connection: u64,
    /// When the two durable consumers were made.
    made: [Made; 2],
    /// What the source publishes.
    events: Pull,
    /// What failed before.
    retries: Pull,
}

/// What ended a wait.
enum Heard {
    Events(Said),
    Retries(Said),
    Outage,
    Silence,
}

// === impl Member ===

impl Member {
    pub(crate) fn new(streams: Arc<Streams>, subscription: Subscription) -> Self {
        let redeliveries = tally::redeliveries(&subscription);
        Self {
            streams,
            subscription,
            redeliveries,
            line: None,
            ready: VecDeque::new(),
            strangers: Vec::new(),
            judged_at: None,
            held: BTreeMap::new(),
            last_tag: 0,
            at_work: None,
            verdicts: Verdicts::default(),
        }
    }

    /// Sees to it that the broker is there, with the streams and the durable consumers.
    async fn join(&mut self) -> Result<&mut Line, StoreError> {
        let connection = self.streams.link.connected().await?;
        if self.line.as_ref().is_none_or(|line| line.connection != connection) {
            // What was said before the outage is an answer too.
            while let Some(said) = self.line.as_mut().and_then(Line::said_already) {
                if let Said::Message(raw) = said {
                    self.receive(raw);
                }
            }
            for mute in self.line.iter().flat_map(Line::mute) {
                self.streams.replace_mute(mute).await?;
            }
            let made =
                [self.streams.join(&self.subscription).await?, self.streams.join_retries(&self.subscription).await?];
            match &mut self.line {
                Some(line) => {
                    for stream in line.go_on(connection, made) {
                        self.forget(&stream);
                    }
                }
                None => self.line = Some(Line::new(&self.streams, &self.subscription, connection, made).await?),
            }
        }
        self.line.as_mut().ok_or_else(|| self.streams.link.away())
    }

    /// The consumer of this stream was made anew: answers to what it gave out before would be taken for answers to other
    /// messages.
    fn forget(&mut self, stream: &str) {
        let others = |raw: &Raw| kept_at(raw).is_none_or(|(of, _)| of != stream);
        self.ready.retain(|held| others(&held.raw));
        self.strangers.retain(others);
        self.judged_at.take_if(|_| self.strangers.is_empty());
        self.held.retain(|_, raw| others(raw));
        self.verdicts.retain(others);
        self.keep_held();
    }

    /// Waits for what comes next. False if nothing does although there is something to hand out.
    async fn hear(&mut self) -> Result<bool, StoreError> {
        let Some(line) = &mut self.line else { return Ok(true) };
        let patience = if self.ready.is_empty() { line.overdue() } else { Instant::now() + GRACE };
        let judging = self.judged_at.is_some_and(|at| at < patience);
        let patience = self.judged_at.map_or(patience, |at| at.min(patience));
        let heard = tokio::select! {
            biased;
            said = line.events.said() => Heard::Events(said),
            said = line.retries.said() => Heard::Retries(said),
            () = self.streams.link.lost(line.connection) => Heard::Outage,
            () = sleep_until(patience) => Heard::Silence,
        };
        match heard {
            Heard::Events(said) | Heard::Retries(said) => self.take(said)?,
            Heard::Silence if judging => {}
            Heard::Silence if !self.ready.is_empty() => return Ok(false),
            Heard::Outage | Heard::Silence => line.connection = 0,
        }
        while let Some(said) = self.line.as_mut().and_then(Line::said_already) {
            self.take(said)?;
        }
        Ok(true)
    }

    fn take(&mut self, said: Said) -> Result<(), StoreError> {
        match said {
            Said::Message(raw) => self.receive(raw),
            Said::NoMore => {}
            Said::Gone(why) => {
                if let Some(line) = &mut self.line {
                    line.connection = 0;
                }
                return Err(self.streams.link.failed(&why));
            }
        }
        Ok(())
    }

    fn receive(&mut self, raw: Raw) {
        let headers = raw.headers.as_ref();
        if let Some(wait) = unripe(headers) {
            return self.verdicts.push(raw, Fate::After(wait));
        }
        match event::message(headers, &raw.payload) {
            Ok(message) if self.subscription.names.contains(&message.name) => {
                if deliveries(&raw) > 1 || failures(headers) > 0 {
                    self.redeliveries.increment(1);
                }
                self.ready.push_back(Held { raw, message: Arc::new(message) });
            }
            Ok(_) => {
                self.strangers.push(raw);
                self.judged_at.get_or_insert_with(|| Instant::now() + LOOK_AT_STRANGERS);
            }
            Err(error) => self.verdicts.push(raw, Fate::Spoilt(error.to_string())),
        }
    }

    /// What this replica does not want is done with, unless a newer one has come meanwhile that does.
    async fn judge_strangers(&mut self) -> Result<(), StoreError> {
        let due = self.strangers.len() >= STRANGERS || self.judged_at.is_some_and(|at| at <= Instant::now());
        if !due {
            return Ok(());
        }
        let wanted = self.streams.hears(&self.subscription).await?;
        self.judged_at = None;
        for raw in self.strangers.drain(..) {
            let name = event::message(raw.headers.as_ref(), &[]).map(|message| message.name);
            let others = name.is_ok_and(|name| wanted.contains(&name));
            let fate = match others {
                false => Fate::Done,
                true if deliveries(&raw) < MOST_LEFT => Fate::After(LEFT_TO_NEWER),
                true => Fate::Spoilt("no replica of the listener wants it, and none that does has come".to_owned()),
            };
            self.verdicts.push(raw, fate);
        }
        Ok(())
    }

    async fn tell(&mut self) -> Result<(), StoreError> {
        self.verdicts.tell(&self.streams, &self.subscription).await
    }

    fn hand_out(&mut self, limit: usize) -> Vec<Delivery> {
        let some = limit.min(self.ready.len());
        let handed = self.ready.drain(..some).map(|Held { raw, message }| {
            self.last_tag += 1;
            let failures = failures(raw.headers.as_ref());
            self.held.insert(self.last_tag, raw);
            Delivery { tag: self.last_tag, message, failures }
        });
        let handed = handed.collect();
        self.keep_held();
        handed
    }

    /// Keeps what is held, and nothing else, from going to others.
    fn keep_held(&mut self) {
        let answers: Vec<_> = self.held.values().filter_map(|raw| raw.reply.clone()).collect();
        self.at_work = (!answers.is_empty()).then(|| AtWork::on(self.streams.clone(), answers));
    }
}

#[async_trait]
impl Deliveries for Member {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let limit = limit.max(1);
        loop {
            let more = self.join().await?.events.has_more();
            self.judge_strangers().await?;
            self.tell().await?;
            let enough = self.ready.len() >= limit || (!self.ready.is_empty() && !more);
            if enough {
                return Ok(self.hand_out(limit));
            }
            if let Some(line) = &mut self.line {
                line.ask(&self.streams, limit - self.ready.len()).await?;
            }
            if !self.hear().await? {
                return Ok(self.hand_out(limit));
            }
        }
    }

    /// What cannot be told now for an outage is told after it.
    async fn settle(&mut self, verdicts: Vec<(u64, Verdict)>) -> Result<(), StoreError> {
        let (mut again, mut failed) = (0, 0);
        for (tag, verdict) in verdicts {
            let Some(raw) = self.held.remove(&tag) else { continue };
            let fate = match verdict {
                Verdict::Done => Fate::Done,
                // At once, to keep its place before the others; whoever listens paces itself.
                Verdict::Later => {
                    again += 1;
                    Fate::Again
                }
                Verdict::Failed(error) => {
                    failed += 1;
                    Fate::Failed(error, failed - 1)
                }
            };
            self.verdicts.push(raw, fate);
        }
        if self.held.is_empty() {
            self.at_work = None;
        }
        self.join().await?.events.given_back(again);
        self.tell().await
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.at_work = None;
        let Some(line) = self.line.take() else { return };
        let streams = self.streams.clone();
        // After an outage the answers might be for other messages; without a runtime nobody carries them. The broker
        // gives these messages to others in time.
        let Ok(runtime) = Handle::try_current() else { return };
        if streams.link.is_lost(line.connection) {
            return;
        }
        let verdicts = mem::take(&mut self.verdicts);
        let held = mem::take(&mut self.held).into_values();
        let ready = mem::take(&mut self.ready).into_iter().map(|held| held.raw);
        let back: Vec<_> = held.chain(ready).chain(mem::take(&mut self.strangers)).collect();
        runtime.spawn(async move {
            let leaving = async {
                verdicts.tell_in_passing(&streams).await?;
                for raw in back {
                    answer_to(&streams, &raw, AckKind::Nak(None)).await?;
                }
                tokio::try_join!(line.events.leave(&streams), line.retries.leave(&streams))?;
                // This may be the last that holds the connection, which ends without sending what waits in it.
                streams.link.bounded(streams.link.client.flush()).await
            };
            // What is not given back comes to others once the broker has waited for it.
            tokio::select! {
                _ = leaving => {}
                () = streams.link.lost(line.connection) => {}
            }
        });
    }
}

/// How often a message was delivered, as the subject for its answer says.
fn deliveries(raw: &Raw) -> u64 {
    let reply: Vec<&str> = raw.reply.as_deref().unwrap_or_default().split('.').collect();
    // Newer servers name a domain and an account before the stream.
    let place = if reply.len() > 9 { 6 } else { 4 };
    reply.get(place).and_then(|count| count.parse().ok()).unwrap_or_default()
}

// === impl Line ===

impl Line {
    async fn new(
        streams: &Streams,
        subscription: &Subscription,
        connection: u64,
        made: [Made; 2],
    ) -> Result<Self, StoreError> {
        let Subscription { consumer, source, .. } = subscription;
        let (link, names) = (&streams.link, &streams.names);
        let events = Pull::new(link, &names.events_stream(source), &Names::durable(consumer)).await?;
        let retries = Pull::new(link, &names.retries_stream(), &Names::retries_durable(consumer, source)).await?;
        Ok(Self { connection, made, events, retries })
    }

    /// Goes on with another connection. The streams whose consumers were made anew meanwhile.
    fn go_on(&mut self, connection: u64, made: [Made; 2]) -> Vec<String> {
        let mut anew = Vec::new();
        for (pull, (before, now)) in [&mut self.events, &mut self.retries].into_iter().zip(self.made.iter().zip(made)) {
            pull.start_again();
            if now.is_another_than(*before) {
                pull.forget();
                anew.push(pull.stream.clone());
            }
        }
        (self.connection, self.made) = (connection, made);
        anew
    }

    async fn ask(&mut self, streams: &Streams, most: usize) -> Result<(), StoreError> {
        streams.link.bounded(self.events.ask(&streams.link.client, most)).await?;
        streams.link.bounded(self.retries.ask(&streams.link.client, most)).await
    }

    fn said_already(&mut self) -> Option<Said> {
        self.events.said_already().or_else(|| self.retries.said_already())
    }

    /// The consumers that never answered.
    fn mute(&self) -> impl Iterator<Item = &Pull> {
        let now = Instant::now();
        self.pulls().filter(move |pull| pull.is_mute(now))
    }

    fn overdue(&self) -> Instant {
        self.pulls().filter_map(Pull::overdue).min().unwrap_or_else(Instant::now)
    }

    fn pulls(&self) -> impl Iterator<Item = &Pull> {
        [&self.events, &self.retries].into_iter()
    }
}
