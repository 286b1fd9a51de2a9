//! What is committed and not yet published.
//!
//! Positions are not in the order of commits, so there is no cursor that would not skip: a row is deleted once it is
//! published, and whatever is left is next, however late it was committed. One replica leads, under a lock that ends
//! with its connection. What the leader committed itself it need not look up ([`crate::fresh`]): then it deletes what is
//! published now and then, and asks for nothing. Whoever lost the lead without knowing it yet may publish that once more,
//! in the same order, and does nothing else: the rest goes over that very connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join;
use highstreet_domain::kernel::ports::{Outbox, Outgoing, StoreError};
use highstreet_domain::kernel::{Message, Origin};
use highstreet_foundation::codec::{count, decode_origin, int, time};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::{Client, Row, Statement};

use crate::connect::unavailable;
use crate::fresh::{FreshEvent, Next};
use crate::session::LOOK_FOR_LEADER;
use crate::store::Store;

const NEXT: &str = "
SELECT o.position, e.revision, e.time, e.origin, e.name, e.body, s.id, o.mark
FROM (SELECT position, mark FROM outbox ORDER BY position LIMIT $1) o
CROSS JOIN LATERAL (SELECT * FROM events WHERE position = o.position OFFSET 0) e
CROSS JOIN LATERAL (SELECT id FROM streams WHERE stream = e.stream OFFSET 0) s
ORDER BY o.position";

/// What is published is deleted after this time, together; or when it is so much.
const DELETED_WITHIN: Duration = Duration::from_millis(50);
const DELETED_AT_ONCE: usize = 512;

/// A leader from whom nothing could be published for so long stands back.
const STAND_BACK: Duration = Duration::from_secs(3);

/// The outbox of one context.
pub struct PostgresOutbox {
    store: Arc<Store>,
    source: Arc<str>,
    leading: AsyncMutex<Option<Leadership>>,
    progress: Mutex<Progress>,
}

/// The connection that holds the lock, and what is prepared on it.
#[derive(Clone)]
struct Leadership {
    client: Arc<Client>,
    next: Statement,
    delete: Statement,
}

/// A row of the outbox, as it was when it was given.
#[derive(Clone, Copy)]
struct Place {
    position: i64,
    mark: i32,
}

/// What `next` gave, and what of it is published and not yet deleted.
#[derive(Default)]
struct Progress {
    given: Vec<Place>,
    published: Vec<Place>,
    /// When that is to be deleted, if there is any.
    delete_at: Option<Instant>,
    /// Since when what was given is asked for again and again, because it cannot be published from here.
    in_vain: Option<Instant>,
}

// === impl PostgresOutbox ===

impl PostgresOutbox {
    /// The outbox of the context called `source` in `store`. One at a time for each store: leadership is that of the
    /// store's session, and ends with it.
    pub fn new(store: Arc<Store>, source: &str) -> Self {
        Self { store, source: source.into(), leading: AsyncMutex::default(), progress: Mutex::default() }
    }

    /// Returns once this replica leads.
    async fn lead(&self) -> Result<Leadership, StoreError> {
        let mut leading = self.leading.lock().await;
        if let Some(leadership) = leading.as_ref().filter(|leadership| !leadership.client.is_closed()) {
            return Ok(leadership.clone());
        }
        *leading = None;
        self.store.bells.fresh.stand_back();
        *self.progress() = Progress::default();
        loop {
            let client = self.store.session.client().await?;
            if let Some(leadership) = self.try_to_lead(client).await.map_err(|error| unavailable(&error))? {
                return Ok(leading.insert(leadership).clone());
            }
            // Not waited for in the server: a statement that waits for hours keeps it from cleaning up.
            tokio::time::sleep(LOOK_FOR_LEADER).await;
        }
    }

    async fn try_to_lead(&self, client: Arc<Client>) -> Result<Option<Leadership>, tokio_postgres::Error> {
        let lock = self.store.schema.lock("outbox");
        let locked = client.query_one("SELECT pg_try_advisory_lock($1)", &[&lock]).await?;
        if !locked.get::<_, bool>(0) {
            return Ok(None);
        }
        // All this connection writes is what it need not do again: a server that dies and forgets it is given the same
        // messages once more, and those who listen know them. No commit of a context waits behind it for the disk.
        client.batch_execute("SET synchronous_commit = off").await?;
        let next = client.prepare(NEXT).await?;
        // What is to be published again is marked anew, and stays.
        let delete = client.prepare("DELETE FROM outbox WHERE position = ANY($1) AND mark = $2").await?;
        self.store.bells.fresh.lead();
        tracing::info!(context = %self.source, "leads the outbox");
        Ok(Some(Leadership { client, next, delete }))
    }

    /// Lets others lead for a while: perhaps they reach the bus.
    async fn stand_back(&self) -> Result<(), StoreError> {
        let mut leading = self.leading.lock().await;
        self.store.bells.fresh.stand_back();
        if let Some(leadership) = leading.take() {
            let lock = self.store.schema.lock("outbox");
            let unlocked = leadership.client.query_one("SELECT pg_advisory_unlock($1)", &[&lock]).await;
            unlocked.map_err(|error| unavailable(&error))?;
            tracing::warn!(context = %self.source, "nothing could be published from here: lets others lead the outbox");
        }
        *self.progress() = Progress::default();
        tokio::time::sleep(LOOK_FOR_LEADER * 2).await;
        Ok(())
    }

    /// What is in the table; what is published is deleted before.
    async fn look(&self, leadership: &Leadership, limit: usize) -> Result<Vec<Outgoing>, StoreError> {
        let looking = self.store.bells.fresh.begin_look();
        let rows = self.try_look(leadership, limit).await?;
        if rows.len() < limit {
            looking.found_all(rows.iter().map(|row| row.get(0)));
        }
        let place = |row: &Row| Place { position: row.get(0), mark: row.get(7) };
        self.progress().given = rows.iter().map(place).collect();
        Ok(rows.iter().map(|row| self.found(row)).collect())
    }

    async fn try_look(&self, leadership: &Leadership, limit: usize) -> Result<Vec<Row>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let asking = async { leadership.client.query(&leadership.next, &[&limit]).await };
        // One trip for both: the server does one after the other.
        let (deleted, rows) = join(self.delete(leadership), asking).await;
        deleted?;
        rows.map_err(|error| unavailable(&error))
    }

    /// Deletes what is published.
    async fn delete(&self, leadership: &Leadership) -> Result<(), StoreError> {
        // Forgotten only once it is deleted: whoever calls may go away while it waits.
        let (published, mark) = self.progress().first_published();
        if !published.is_empty() {
            let deleted = leadership.client.execute(&leadership.delete, &[&published, &mark]).await;
            deleted.map_err(|error| unavailable(&error))?;
            self.progress().forget(published.len());
        }
        Ok(())
    }

    /// What was committed here just now.
    fn give(&self, events: Vec<FreshEvent>) -> Vec<Outgoing> {
        self.progress().given = events.iter().map(|event| Place { position: event.position, mark: 0 }).collect();
        let outgoing = events.into_iter().map(|event| {
            let message = Message {
                id: Message::id_of(event.subject, count(event.revision)),
                source: self.source.clone(),
                name: event.name.to_owned(),
                subject: event.subject,
                time: time(event.time),
                origin: Origin::clone(&event.origin),
                body: event.body.to_vec(),
            };
            Outgoing { position: count(event.position), message }
        });
        outgoing.collect()
    }

    fn found(&self, row: &Row) -> Outgoing {
        let subject = row.get(6);
        let message = Message {
            id: Message::id_of(subject, count(row.get(1))),
            source: self.source.clone(),
            name: row.get(4),
            subject,
            time: time(row.get(2)),
            origin: decode_origin(row.get(3)),
            body: row.get(5),
        };
        Outgoing { position: count(row.get(0)), message }
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Progress ===

impl Progress {
    /// How long what was given could not be published.
    fn in_vain(&mut self) -> Duration {
        if self.given.is_empty() || !self.published.is_empty() {
            self.in_vain = None;
            return Duration::ZERO;
        }
        self.in_vain.get_or_insert_with(Instant::now).elapsed()
    }

    /// Whether what is published is to be deleted now.
    fn is_to_delete(&self) -> bool {
        self.published.len() >= DELETED_AT_ONCE || self.delete_at.is_some_and(|at| at <= Instant::now())
    }

    /// The first of what was published, as many as have the same mark: nearly always all of it.
    fn first_published(&self) -> (Vec<i64>, i32) {
        let mark = self.published.first().map_or(0, |first| first.mark);
        let same = self.published.iter().take_while(|place| place.mark == mark);
        (same.map(|place| place.position).collect(), mark)
    }

    /// The first `count` of what was published are deleted.
    fn forget(&mut self, count: usize) {
        self.published.drain(..count.min(self.published.len()));
        self.delete_at = if self.published.is_empty() { None } else { Some(Instant::now()) };
    }
}

#[async_trait]
impl Outbox for PostgresOutbox {
    async fn next(&self, limit: usize) -> Result<Vec<Outgoing>, StoreError> {
        let bells = &self.store.bells;
        loop {
            if self.progress().in_vain() > STAND_BACK {
                self.stand_back().await?;
            }
            let rings = bells.published.rings();
            let leadership = self.lead().await?;
            if !self.progress().given.is_empty() {
                // It was not published.
                bells.fresh.look();
            }
            if self.progress().is_to_delete() {
                self.delete(&leadership).await?;
            }
            match bells.fresh.next(limit) {
                Next::Publish(events) => return Ok(self.give(events)),
                Next::Look => {
                    let found = self.look(&leadership, limit).await?;
                    if !found.is_empty() {
                        return Ok(found);
                    }
                }
                Next::Wait => {
                    let delete_at = self.progress().delete_at;
                    tokio::select! {
                        () = bells.published.after(rings) => {}
                        () = sleep_until(delete_at.unwrap_or_else(Instant::now)), if delete_at.is_some() => {}
                        // Another replica may be gone without having told of its last commit; and whether this one
                        // still leads shows when it asks.
                        () = tokio::time::sleep(LOOK_FOR_LEADER * 2) => bells.fresh.look(),
                    }
                }
            }
        }
    }

    async fn published(&self, position: u64) -> Result<(), StoreError> {
        let position = int(position);
        let mut progress = self.progress();
        // Only what was given: what was committed late may have a lower position, and is still to come.
        let (published, given) =
            std::mem::take(&mut progress.given).into_iter().partition(|given| given.position <= position);
        progress.given = given;
        let published: Vec<Place> = published;
        progress.published.extend(published);
        if !progress.published.is_empty() {
            progress.delete_at.get_or_insert_with(|| Instant::now() + DELETED_WITHIN);
        }
        Ok(())
    }
}
