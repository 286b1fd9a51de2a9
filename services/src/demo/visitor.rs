//! A visitor of a shop: asks, watches what comes of it, and notices when it is not what the story says.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::time::Duration;

use highstreet_wire::proto::Money;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::notification::{ListNotificationsRequest, Notification};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{Trace, TraceStep, WatchTracesRequest, WatchTracesResponse};
use tonic::{Response, Status, Streaming};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::tell;
use crate::client::Channel;

/// How long anything in a story may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(20);

/// Who plays a story in one shop.
pub(super) struct Visitor {
    channel: Channel,
    shop: String,
    watching: Streaming<WatchTracesResponse>,
    /// What the watch told last of each case, by the id of its order, purchase, reservation or booking.
    newest: HashMap<String, Trace>,
    told: HashSet<TraceStep>,
}

/// What the story does not say.
#[derive(Debug)]
pub(super) struct Unexpected(String);

/// How playing ended.
pub(super) type Played<T = ()> = Result<T, Unexpected>;

/// An id that nobody has used yet.
pub(super) fn fresh_id() -> String {
    Uuid::now_v7().to_string()
}

/// `name-3f2a9c`: a name of this play's own, so that it can be played again on the same server.
pub(super) fn fresh_name(name: &str) -> String {
    format!("{name}-{:06x}", random() & 0x00ff_ffff)
}

/// A telephone number of this play's own.
pub(super) fn fresh_phone() -> String {
    let random = random();
    format!("010-{:04}-{:04}", random % 10_000, (random / 10_000) % 10_000)
}

/// The bits of a new id that nothing but chance decides.
fn random() -> u64 {
    Uuid::now_v7().as_u64_pair().1 & (u64::MAX >> 2)
}

/// So many won.
pub(super) fn won(units: i64) -> Money {
    Money { currency_code: "KRW".into(), units, nanos: 0 }
}

/// Notices when `heard` is not what the story says.
pub(super) fn expect<T: PartialEq + Debug>(what: &str, heard: &T, wanted: &T) -> Played {
    if heard == wanted { Ok(()) } else { Err(Unexpected::new(format!("{what}: {heard:?} instead of {wanted:?}"))) }
}

/// Tells of a call that the story says is refused for `reason`, and notices when it is not.
pub(super) fn expect_refusal<T: Debug>(who: &str, what: &str, answer: Result<T, Status>, reason: &str) -> Played {
    match answer {
        Err(status) if tell::reason(&status).as_deref() == Some(reason) => {
            tell::refusal(who, what, reason, &status);
            Ok(())
        }
        Err(status) => Err(Unexpected::new(format!("{what}: {} instead of {reason}", tell::failure(&status)))),
        Ok(answer) => Err(Unexpected::new(format!("{what}: {answer:?} instead of {reason}"))),
    }
}

/// Asks; and asks again for as long as the answer is to come back a little later.
async fn ask<R: Clone, A>(
    channel: &Channel,
    request: R,
    call: impl AsyncFn(Channel, R) -> Result<Response<A>, Status>,
) -> Result<A, Status> {
    let mut waited = Duration::ZERO;
    loop {
        let status = match call(channel.clone(), request.clone()).await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        let later = status.get_details_retry_info().and_then(|info| info.retry_delay);
        let Some(pause) = later.map(|delay| delay.max(PAUSE)).filter(|pause| waited + *pause <= PATIENCE) else {
            return Err(status);
        };
        tell::again(&status);
        tokio::time::sleep(pause).await;
        waited += pause;
    }
}

/// Looks until there is something to see.
pub(super) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Played<Option<T>>) -> Played<T> {
    let looking = async {
        loop {
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    in_time(what, looking).await
}

async fn in_time<T>(what: &str, waiting: impl Future<Output = Played<T>>) -> Played<T> {
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| Err(Unexpected::new(format!("not within {PATIENCE:?}: {what}"))))
}

// === impl Visitor ===

impl Visitor {
    /// Enters `shop` and watches what becomes of `customer`'s cases; of everybody's if there is no name.
    pub(super) async fn enter(channel: Channel, shop: &str, customer: &str) -> Played<Self> {
        let shop = shop.to_owned();
        let request = WatchTracesRequest { shop_id: shop.clone(), customer: customer.into(), since: String::new() };
        let watching = ask(&channel, request, async |channel, request| {
            TrackingServiceClient::new(channel).watch_traces(request).await
        });
        let watching = watching.await?;
        Ok(Self { channel, shop, watching, newest: HashMap::new(), told: HashSet::new() })
    }

    /// Where the visitor is.
    pub(super) fn shop(&self) -> String {
        self.shop.clone()
    }

    /// Asks; and asks again for as long as the answer is to come back a little later.
    pub(super) async fn ask<R: Clone, A>(
        &self,
        request: R,
        call: impl AsyncFn(Channel, R) -> Result<Response<A>, Status>,
    ) -> Result<A, Status> {
        ask(&self.channel, request, call).await
    }

    /// Waits until the case has a step called `event`.
    pub(super) async fn hear(&mut self, case: &str, event: &str) -> Played {
        self.wait(case, event, |trace| trace.steps.iter().any(|step| step.event == event)).await.map(drop)
    }

    /// Waits until the case has come to `status` by all of `events`, and shows its trace; notices any other event.
    pub(super) async fn conclude(&mut self, case: &str, status: &str, events: &[&str]) -> Played {
        let wanted: BTreeSet<_> = events.iter().copied().collect();
        let what = format!("{status} by {}", events.join(", "));
        let done = |trace: &Trace| trace.status == status && wanted.is_subset(&names(trace));
        let trace = self.wait(case, &what, done).await?;
        tell::trace(&trace);
        expect("the events of the trace", &names(&trace), &wanted)
    }

    async fn wait(&mut self, case: &str, what: &str, done: impl Fn(&Trace) -> bool) -> Played<Trace> {
        let waiting = async {
            loop {
                if let Some(trace) = self.newest.get(case).filter(|trace| done(trace)) {
                    return Ok(trace.clone());
                }
                let change = self.watching.message().await?;
                let change = change.ok_or_else(|| Unexpected::new("the server ended the watch".into()))?;
                if let Some(trace) = change.trace {
                    self.tell_steps(&trace);
                    self.newest.insert(trace.order.clone().unwrap_or_default().id, trace);
                }
            }
        };
        in_time(what, waiting).await
    }

    fn tell_steps(&mut self, trace: &Trace) {
        for step in &trace.steps {
            let new = self.told.insert(step.clone());
            if new {
                tell::event(step);
            }
        }
    }

    /// Waits until `recipient` has got a message of each of `events`, and shows them; notices any other message.
    pub(super) async fn read_messages(&self, who: &str, recipient: &str, events: &[&str]) -> Played {
        let listed = async || {
            let messages = self.messages(recipient).await?;
            Ok((messages.len() >= events.len()).then_some(messages))
        };
        let mut messages = eventually(&format!("{} messages to {who}", events.len()), listed).await?;
        messages.reverse();
        let mut heard: Vec<_> = messages.iter().map(|message| message.event.as_str()).collect();
        let mut wanted = events.to_vec();
        heard.sort_unstable();
        wanted.sort_unstable();
        expect(&format!("the messages to {who}"), &heard, &wanted)?;
        tell::call(who, "ListNotifications", &format!("{} messages", messages.len()));
        messages.iter().for_each(tell::message);
        Ok(())
    }

    async fn messages(&self, recipient: &str) -> Result<Vec<Notification>, Status> {
        let request = ListNotificationsRequest {
            shop_id: self.shop(),
            recipient: recipient.into(),
            page_size: 1000,
            ..ListNotificationsRequest::default()
        };
        let asked = self.ask(request, async |channel, request| {
            NotificationServiceClient::new(channel).list_notifications(request).await
        });
        Ok(asked.await?.notifications)
    }
}

/// The names of what happened.
fn names(trace: &Trace) -> BTreeSet<&str> {
    trace.steps.iter().map(|step| step.event.as_str()).collect()
}

// === impl Unexpected ===

impl Unexpected {
    /// Says what was not as the story says.
    pub(super) fn new(what: String) -> Self {
        Self(what)
    }

    /// What it was.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl From<Status> for Unexpected {
    fn from(status: Status) -> Self {
        Self(tell::failure(&status))
    }
}
