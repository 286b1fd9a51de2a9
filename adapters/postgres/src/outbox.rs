//! What is committed and not yet published.
//!
//! Positions are not in the order of commits, so there is no cursor that would not skip: a row is deleted once it is
//! published, and whatever is left is next, however late it was committed. One replica leads, under a lock that ends
//! with its connection; everything the leader does goes over that very connection, so that whoever lost it does
//! nothing more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join;
use highstreet_domain::kernel::Message;
use highstreet_domain::kernel::ports::{Outbox, Outgoing, StoreError};
use highstreet_foundation::codec::{count, decode_origin, int, time};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use tokio_postgres::{Client, Row, Statement};

use crate::connect::unavailable;
use crate::session::LOOK_FOR_LEADER;
use crate::store::Store;

const NEXT: &str = "
SELECT o.position, e.revision, e.time, e.origin, e.name, e.body, s.id, o.mark
FROM (SELECT position, mark FROM outbox ORDER BY position LIMIT $1) o
CROSS JOIN LATERAL (SELECT * FROM events WHERE position = o.position OFFSET 0) e
CROSS JOIN LATERAL (SELECT id FROM streams WHERE stream = e.stream OFFSET 0) s
ORDER BY o.position";

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
    /// How often the bell had been rung when everything that was there was given.
    all_given_at: Option<u64>,
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
        tracing::info!(context = %self.source, "leads the outbox");
        Ok(Some(Leadership { client, next, delete }))
    }

    /// Lets others lead for a while: perhaps they reach the bus.
    async fn stand_back(&self) -> Result<(), StoreError> {
        let mut leading = self.leading.lock().await;
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

    fn message(&self, row: &Row) -> Outgoing {
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

    /// Whether everything was given that had been committed before the bell was rung so often, and published.
    fn all_is_given(&self, rings: u64) -> bool {
        self.given.is_empty() && self.all_given_at == Some(rings)
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
    }
}

#[async_trait]
impl Outbox for PostgresOutbox {
    async fn next(&self, limit: usize) -> Result<Vec<Outgoing>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        loop {
            if self.progress().in_vain() > STAND_BACK {
                self.stand_back().await?;
            }
            let rings = self.store.bells.published.rings();
            let Leadership { client, next, delete } = self.lead().await?;
            // Forgotten only once it is deleted: whoever calls may go away while it waits.
            let (published, mark) = self.progress().first_published();
            // Then there is nothing to ask for. Once that is deleted it is asked all the same, now and then: another
            // replica may be gone without having told of its last commit.
            let all_given = !published.is_empty() && self.progress().all_is_given(rings);
            // One trip for both: the server does one after the other.
            let deleting = async {
                if published.is_empty() {
                    return Ok(0);
                }
                client.execute(&delete, &[&published, &mark]).await
            };
            let asking = async { if all_given { Ok(Vec::new()) } else { client.query(&next, &[&limit]).await } };
            let (deleted, rows) = join(deleting, asking).await;
            deleted.map_err(|error| unavailable(&error))?;
            self.progress().forget(published.len());
            let rows = rows.map_err(|error| unavailable(&error))?;
            let all_there = i64::try_from(rows.len()).is_ok_and(|count| count < limit);
            self.progress().all_given_at = all_there.then_some(rings);
            if !rows.is_empty() {
                let place = |row: &Row| Place { position: row.get(0), mark: row.get(7) };
                self.progress().given = rows.iter().map(place).collect();
                return Ok(rows.iter().map(|row| self.message(row)).collect());
            }
            tokio::select! {
                () = self.store.bells.published.after(rings) => {}
                // Whether it still leads shows when it asks.
                () = tokio::time::sleep(LOOK_FOR_LEADER * 2) => {}
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
        Ok(())
    }
}
