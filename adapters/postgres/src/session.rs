//! A connection that stays: it hears what other replicas did, tells them what this one did, and holds the leadership
//! of the outbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::poll_fn;
use highstreet_domain::kernel::Signal;
use highstreet_domain::kernel::ports::{Ids, StoreError};
use highstreet_foundation::TimeOrderedIds;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client};

use crate::connect::{Connector, Driver};
use crate::store::Bells;

/// Others are told at most this often: a `NOTIFY` costs the server more than a commit does.
const APART: Duration = Duration::from_millis(10);
const TRY_AGAIN: Duration = Duration::from_millis(200);
/// Who leads is looked at this often: a dead leader is followed within a second.
pub(crate) const LOOK_FOR_LEADER: Duration = Duration::from_millis(500);

/// The session of one process with one schema.
pub(crate) struct Session {
    client: watch::Receiver<Option<Arc<Client>>>,
    schema: String,
    told: Arc<Told>,
    patience: Duration,
    tasks: [JoinHandle<()>; 2],
}

/// Whether others are still to be told.
#[derive(Default)]
struct Told {
    waiting: AtomicBool,
    bell: Signal,
}

// === impl Session ===

impl Session {
    pub(crate) fn start(connector: Connector, bells: Arc<Bells>) -> Self {
        let (schema, patience) = (connector.settings().schema.clone(), connector.settings().connect_timeout);
        let (sender, client) = watch::channel(None);
        let (told, me) = (Arc::<Told>::default(), TimeOrderedIds.next().to_string());
        let staying = tokio::spawn(stay(connector, sender, bells, me.clone()));
        let telling = tokio::spawn(tell_others(client.clone(), told.clone(), channel(&schema), me));
        Self { client, schema, told, patience, tasks: [staying, telling] }
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Tells other replicas, soon, that something happened.
    pub(crate) fn tell(&self) {
        if !self.told.waiting.swap(true, Ordering::SeqCst) {
            self.told.bell.ring();
        }
    }

    /// The connection; waits for it for a moment.
    pub(crate) async fn client(&self) -> Result<Arc<Client>, StoreError> {
        let mut client = self.client.clone();
        let connected = client.wait_for(|client| client.as_ref().is_some_and(|client| !client.is_closed()));
        let connected = timeout(self.patience, connected).await.ok().and_then(Result::ok);
        let client = connected.and_then(|client| client.clone());
        client.ok_or_else(|| StoreError::Unavailable("there is no connection to it".into()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Connects, again and again, and rings when others did something; or when something may have been missed.
async fn stay(connector: Connector, sender: watch::Sender<Option<Arc<Client>>>, bells: Arc<Bells>, me: String) {
    let channel = channel(&connector.settings().schema);
    loop {
        if let Ok((client, driver)) = connector.connect().await {
            let (heard, me) = (bells.clone(), me.clone());
            let driving = tokio::spawn(driver.drive(move |payload| {
                if payload != me {
                    heard.ring();
                }
            }));
            if client.batch_execute(&format!("LISTEN \"{channel}\"")).await.is_ok() {
                sender.send_replace(Some(Arc::new(client)));
                bells.ring();
                // It ends with the connection.
                let _ = driving.await;
                tracing::warn!(schema = connector.settings().schema, "lost the connection to the store");
            }
            sender.send_replace(None);
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

async fn tell_others(mut client: watch::Receiver<Option<Arc<Client>>>, told: Arc<Told>, channel: String, me: String) {
    loop {
        let rings = told.bell.rings();
        if !told.waiting.swap(false, Ordering::SeqCst) {
            told.bell.after(rings).await;
            continue;
        }
        let Ok(connected) = client.wait_for(Option::is_some).await.map(|client| client.clone()) else { return };
        if let Some(client) = connected {
            // Whoever is not told looks by itself before long.
            let _ = client.execute("SELECT pg_notify($1, $2)", &[&channel, &me]).await;
        }
        tokio::time::sleep(APART).await;
    }
}

fn channel(schema: &str) -> String {
    format!("highstreet {}", schema.replace('"', ""))
}

// === impl Driver ===

impl Driver {
    /// Drives the connection to its end, and calls `heard` with every notification's payload.
    pub(crate) async fn drive(mut self, heard: impl Fn(&str)) {
        let next = |driver: &mut Self, context: &mut std::task::Context<'_>| match driver {
            Self::Plain(connection) => connection.poll_message(context),
            Self::Secured(connection) => connection.poll_message(context),
        };
        while let Some(Ok(message)) = poll_fn(|context| next(&mut self, context)).await {
            if let AsyncMessage::Notification(notification) = message {
                heard(notification.payload());
            }
        }
    }
}
