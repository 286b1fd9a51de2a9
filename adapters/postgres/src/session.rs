//! A connection that stays: it hears what other replicas did, tells them what this one did, and holds the leadership
//! of the outbox.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::poll_fn;
use highstreet_domain::kernel::ports::{Ids, StoreError};
use highstreet_foundation::TimeOrderedIds;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client};

use crate::bells::Bells;
use crate::connect::{Connector, Driver};

/// Others are told at most this often: a `NOTIFY` costs the server more than a commit does.
const APART: Duration = Duration::from_millis(10);
const TRY_AGAIN: Duration = Duration::from_millis(200);
/// Who leads is looked at this often: a dead leader is followed within about a second.
pub(crate) const LOOK_FOR_LEADER: Duration = Duration::from_secs(1);

/// How often to look whether somebody did something and went away without telling, and who is there.
const LOOK_ABOUT: Duration = Duration::from_secs(2);
/// What was committed last, and how many replicas there are.
const LOOK: &str = "
SELECT coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0), (SELECT last_value FROM view_changes),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::int8 << 32 | objid::int8) = $1)";

/// The session of one process with one schema.
pub(crate) struct Session {
    client: watch::Receiver<Option<Arc<Client>>>,
    patience: Duration,
    tasks: [JoinHandle<()>; 2],
}

// === impl Session ===

impl Session {
    pub(crate) fn start(connector: Connector, bells: Arc<Bells>) -> Self {
        let (channel, patience) = (connector.schema().channel(), connector.settings().connect_timeout);
        let (sender, client) = watch::channel(None);
        let me = TimeOrderedIds.next().to_string();
        let tell = format!("NOTIFY {channel}, '{me}'");
        let joining =
            format!("LISTEN {channel}; SELECT pg_advisory_lock_shared({}); {tell}", connector.schema().presence());
        let staying = tokio::spawn(stay(connector, sender, bells.clone(), (joining, me)));
        let telling = tokio::spawn(tell_others(client.clone(), bells, tell));
        Self { client, patience, tasks: [staying, telling] }
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
///
/// Whoever joins says so, and is told from then on.
async fn stay(
    connector: Connector,
    sender: watch::Sender<Option<Arc<Client>>>,
    bells: Arc<Bells>,
    (joining, me): (String, String),
) {
    loop {
        if let Ok((client, driver)) = connector.connect().await {
            let (heard, me) = (bells.clone(), me.clone());
            let driving = tokio::spawn(driver.drive(move |payload| {
                if payload != me {
                    heard.heard_another();
                }
            }));
            if client.batch_execute(&joining).await.is_ok() {
                let client = Arc::new(client);
                sender.send_replace(Some(client.clone()));
                bells.ring();
                tokio::select! {
                    // It ends with the connection.
                    _ = driving => {}
                    () = look_about(&client, &bells, connector.schema().presence()) => {}
                }
                tracing::warn!(schema = connector.schema().name(), "lost the connection to the store");
            }
            sender.send_replace(None);
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

/// Rings when there is something new, now and then: a replica that is killed may not have told of its last commit.
async fn look_about(client: &Client, bells: &Bells, presence: i64) {
    let Ok(look) = client.prepare(LOOK).await else { return };
    let mut seen = None;
    while let Ok(row) = client.query_one(&look, &[&presence]).await {
        let (found, replicas): ((i64, i64), i64) = ((row.get(0), row.get(1)), row.get(2));
        bells.saw_replicas(replicas);
        if seen.replace(found).is_some_and(|seen| seen != found) {
            bells.ring();
        }
        tokio::time::sleep(LOOK_ABOUT).await;
    }
}

async fn tell_others(mut client: watch::Receiver<Option<Arc<Client>>>, bells: Arc<Bells>, tell: String) {
    loop {
        let rings = bells.telling.rings();
        if !bells.take_untold() || bells.is_alone() {
            bells.telling.after(rings).await;
            continue;
        }
        let Ok(connected) = client.wait_for(Option::is_some).await.map(|client| client.clone()) else { return };
        if let Some(client) = connected
            && client.batch_execute(&tell).await.is_err()
        {
            // They are told once there is a connection again.
            bells.tell();
        }
        tokio::time::sleep(APART).await;
    }
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
