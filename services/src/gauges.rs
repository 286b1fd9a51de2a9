//! Shows, every few seconds, what waits in a process and how its ground is used: what no call and no message tells.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::{StoreError, Subscription};
use highstreet_foundation::Queue;
use highstreet_grpc::{DoorTls, PeerTls};
use metrics::{Unit, describe_gauge, gauge};
use tokio::time::timeout;

use crate::carrier::Carrier;
use crate::store::ContextStore;
use crate::{ContextName, Street};

const EVERY: Duration = Duration::from_secs(5);
/// Whoever takes longer to say how much waits is asked again later; until then the last answer stands.
const PATIENCE: Duration = Duration::from_secs(3);

const OUTBOX_DEPTH: &str = "highstreet_outbox_depth";
const OUTBOX_AGE: &str = "highstreet_outbox_age_seconds";
const DUE_DEPTH: &str = "highstreet_agenda_depth";
const DUE_AGE: &str = "highstreet_agenda_age_seconds";
const FAILING_DEPTH: &str = "highstreet_steps_failing";
const FAILING_AGE: &str = "highstreet_steps_failing_age_seconds";
const CONNECTIONS: &str = "highstreet_store_connections";
const MOST_CONNECTIONS: &str = "highstreet_store_connections_limit";
const CONNECTIONS_WANTED: &str = "highstreet_store_connections_wanted";
const LAG: &str = "highstreet_consumer_lag";
const DEAD_LETTERS: &str = "highstreet_dead_letters";
const BUILD: &str = "highstreet_build_info";

/// What is looked at.
pub(crate) struct Gauges {
    stores: Vec<(ContextName, ContextStore)>,
    subscriptions: Vec<Subscription>,
    /// Who listens, each once.
    listeners: Vec<String>,
    carrier: Arc<Carrier>,
    certificates: (Option<DoorTls>, Option<PeerTls>),
}

// === impl Gauges ===

impl Gauges {
    pub(crate) async fn of(street: &Street) -> Self {
        describe();
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let platform = street.platform();
        let subscriptions: Vec<_> = street.contexts().flat_map(|(_, context)| context.hears().to_vec()).collect();
        let mut listeners: Vec<_> = subscriptions.iter().map(|it| it.consumer.clone()).collect();
        listeners.sort_unstable();
        listeners.dedup();
        Self {
            stores: platform.stores().await,
            subscriptions,
            listeners,
            carrier: platform.carrier(),
            certificates: (platform.door_tls(), platform.peer_tls()),
        }
    }

    /// Shows again and again, for as long as it is polled.
    pub(crate) async fn show(self) {
        let mut pause = tokio::time::interval(EVERY);
        pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            pause.tick().await;
            for (context, store) in &self.stores {
                show_store(context.as_str(), store).await;
            }
            self.show_bus().await;
            // Certificates are read when they are used, and a door that nobody comes to shows an old one.
            if let Some(door) = &self.certificates.0 {
                door.look();
            }
            if let Some(peer) = &self.certificates.1 {
                peer.look();
            }
        }
    }

    async fn show_bus(&self) {
        if self.carrier.away().is_some() {
            return;
        }
        for subscription in &self.subscriptions {
            let Some(lag) = answered(PATIENCE, self.carrier.lag(subscription)).await else { continue };
            let Subscription { consumer, source, .. } = subscription.clone();
            gauge!(LAG, "consumer" => consumer, "source" => source).set(number(lag));
        }
        for listener in &self.listeners {
            let Some(letters) = answered(PATIENCE, self.carrier.dead_letter_count(listener)).await else { continue };
            gauge!(DEAD_LETTERS, "consumer" => listener.clone()).set(number(letters));
        }
    }
}

async fn show_store(context: &'static str, store: &ContextStore) {
    if let ContextStore::Postgres(store) = store {
        let used = store.connections();
        let of = |state: &'static str| gauge!(CONNECTIONS, "context" => context, "state" => state);
        of("used").set(number(used.lent as u64));
        of("idle").set(number(used.idle as u64));
        gauge!(MOST_CONNECTIONS, "context" => context).set(number(used.most as u64));
        gauge!(CONNECTIONS_WANTED, "context" => context).set(number(used.waiting as u64));
    }
    let Some(backlog) = answered(PATIENCE, store.backlog()).await else { return };
    let show = |depth: &'static str, age: &'static str, queue: Queue| {
        gauge!(depth, "context" => context).set(number(queue.depth));
        gauge!(age, "context" => context).set(queue.age.as_secs_f64());
    };
    show(OUTBOX_DEPTH, OUTBOX_AGE, backlog.outbox);
    show(DUE_DEPTH, DUE_AGE, backlog.due);
    show(FAILING_DEPTH, FAILING_AGE, backlog.failing);
}

/// The answer, if it comes in time. That a store or a bus is away is shown by its check.
pub(crate) async fn answered<T>(patience: Duration, answer: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    timeout(patience, answer).await.ok()?.ok()
}

#[allow(clippy::cast_precision_loss, reason = "what waits is counted in thousands")]
fn number(count: u64) -> f64 {
    count as f64
}

fn describe() {
    let most = highstreet_foundation::MOST_COUNTED;
    let up_to = |what: &str| format!("{what}, at most {most}.");
    describe_gauge!(OUTBOX_DEPTH, up_to("Events of a context that are committed and not yet published"));
    describe_gauge!(OUTBOX_AGE, Unit::Seconds, "How long the oldest event that is not yet published has waited.");
    describe_gauge!(DUE_DEPTH, up_to("Steps and deadlines of a context whose time has come and which nobody is at"));
    describe_gauge!(DUE_AGE, Unit::Seconds, "How long the oldest step or deadline that nobody is at has been due.");
    describe_gauge!(FAILING_DEPTH, "Steps of a context that were tried in vain and are tried again.");
    describe_gauge!(FAILING_AGE, Unit::Seconds, "How long the oldest step that is tried in vain has been tried.");
    describe_gauge!(CONNECTIONS, "Connections to PostgreSQL that are used, and that are idle.");
    describe_gauge!(MOST_CONNECTIONS, "How many connections to PostgreSQL there may be.");
    describe_gauge!(CONNECTIONS_WANTED, "Callers who wait for a connection to PostgreSQL.");
    describe_gauge!(LAG, "Messages of a source that a listener has before it.");
    describe_gauge!(DEAD_LETTERS, "Messages that a listener could not handle, and that wait for somebody to look.");
    describe_gauge!(BUILD, "1, for the version that runs.");
}
