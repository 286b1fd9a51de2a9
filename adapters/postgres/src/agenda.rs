//! What is due, on PostgreSQL: leased, so that replicas share it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Agenda, Clock, Pending, Sought, StoreError, Task};
use highstreet_domain::kernel::{Aggregate, Id, Timestamp};
use highstreet_foundation::SystemClock;
use highstreet_foundation::codec::{count, decode_origin, int, time};
use tokio_postgres::Row;

use crate::store::Store;

/// Looks again after this long at the latest: what another replica left behind is taken up by then.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How long to leave others alone with what they are at.
const OTHERS: Duration = Duration::from_millis(20);

// By the server's clock: that of a replica may be off, and one that is must neither steal from the others nor let them
// wait. Times to come are told as how far away they are.

const LEASE: &str = "
UPDATE streams SET wake = (extract(epoch FROM clock_timestamp()) * 1000000)::int8 + $2, leased = TRUE
WHERE stream = ANY(ARRAY(SELECT stream FROM streams WHERE aggregate = $1
    AND wake <= (extract(epoch FROM statement_timestamp()) * 1000000)::int8 ORDER BY wake LIMIT $3
    FOR UPDATE SKIP LOCKED))
RETURNING id, since, origin";

/// The next that is due, and what time it is.
const NEXT: &str = "
SELECT (SELECT wake FROM streams WHERE wake IS NOT NULL AND aggregate = $1 ORDER BY wake LIMIT 1),
    (extract(epoch FROM clock_timestamp()) * 1000000)::int8";

const PUT_OFF: &str = "
UPDATE streams SET wake = (extract(epoch FROM clock_timestamp()) * 1000000)::int8 + $3, leased = FALSE,
    attempts = attempts + 1, error = $4
WHERE id = $1 AND since = $2 AND wake IS NOT NULL RETURNING stream";

const SEIZE: &str = "
UPDATE streams SET wake = (extract(epoch FROM clock_timestamp()) * 1000000)::int8 + $3, leased = TRUE
WHERE id = $1 AND since = $2 AND wake IS NOT NULL
    AND NOT (leased AND wake > (extract(epoch FROM statement_timestamp()) * 1000000)::int8)
RETURNING id, since, origin";

/// By what is due, which is little, and not by id.
const PENDING: &str = "
WITH due AS MATERIALIZED (
    SELECT * FROM streams WHERE wake IS NOT NULL AND aggregate = $1 AND attempts >= $4 AND ($2::uuid IS NULL OR id > $2)
        AND ($3::uuid IS NULL OR id = $3)
), page AS MATERIALIZED (
    SELECT * FROM due ORDER BY id LIMIT $5
)
SELECT id, since, wake, leased AND wake > (extract(epoch FROM statement_timestamp()) * 1000000)::int8, attempts,
    coalesce(error, ''), origin,
    coalesce((SELECT time FROM events e WHERE e.stream = page.stream AND e.revision = page.since), updated)
FROM page ORDER BY id";

/// The agenda of one kind of aggregate.
pub struct PostgresAgenda {
    store: Arc<Store>,
}

// === impl PostgresAgenda ===

impl PostgresAgenda {
    /// The agenda in `store`.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Waits until something is due. Looks without locking anything, so that it costs next to nothing.
    async fn wait(&self, aggregate: &str) -> Result<(), StoreError> {
        let bells = &self.store.bells;
        loop {
            let rings = bells.due.rings();
            let latest = LOOK_AGAIN;
            bells.next_look.store(SystemClock.now().after(latest).as_micros(), Ordering::SeqCst);
            // Looked up after the announcement: whatever is committed here later rings.
            let rows = self.store.query(NEXT, &[&aggregate]).await?;
            let away = |row: &Row| Some(time(row.get::<_, Option<i64>>(0)?).since(time(row.get(1))));
            let away = rows.first().and_then(away).map_or(latest, |away| away.min(latest));
            if away.is_zero() {
                return Ok(());
            }
            let next = SystemClock.now().after(away).as_micros();
            bells.next_look.store(next, Ordering::SeqCst);
            tokio::select! {
                () = SystemClock.until(Timestamp::from_micros(next)) => {}
                () = bells.due.after(rings) => {}
            }
        }
    }
}

#[async_trait]
impl<A: Aggregate> Agenda<A> for PostgresAgenda {
    async fn take(&self, limit: usize, lease: Duration) -> Result<Vec<Task<A>>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        loop {
            self.wait(A::NAME).await?;
            let rows = self.store.query(LEASE, &[&A::NAME, &micros(lease), &limit]).await?;
            if !rows.is_empty() {
                return Ok(rows.iter().map(task).collect());
            }
            // Whatever is due is somebody else's just now: leased by them in a moment, or held for who knows how long.
            tokio::time::sleep(OTHERS).await;
        }
    }

    async fn put_off(&self, id: Id<A>, since: u64, at: Timestamp, error: &str) -> Result<(), StoreError> {
        let away = at.as_micros() - SystemClock.now().as_micros();
        self.store.query(PUT_OFF, &[&id.uuid(), &int(since), &away, &error]).await?;
        self.store.bells.due_at(at.as_micros());
        Ok(())
    }

    async fn pending(&self, sought: &Sought) -> Result<Vec<Pending<A>>, StoreError> {
        let (limit, tried) = (i64::try_from(sought.limit).unwrap_or(i64::MAX), i32::from(sought.tried));
        let rows = self.store.query(PENDING, &[&A::NAME, &sought.after, &sought.only, &tried, &limit]).await?;
        let pending = |row: &Row| Pending {
            id: Id::new(row.get(0)),
            since: count(row.get(1)),
            became_due: time(row.get(7)),
            wake: time(row.get(2)),
            running: row.get(3),
            attempts: u32::try_from(row.get::<_, i32>(4)).unwrap_or(0),
            error: row.get(5),
            origin: Arc::new(decode_origin(row.get(6))),
        };
        Ok(rows.iter().map(pending).collect())
    }

    async fn seize(&self, id: Id<A>, since: u64, lease: Duration) -> Result<Option<Task<A>>, StoreError> {
        let rows = self.store.query(SEIZE, &[&id.uuid(), &int(since), &micros(lease)]).await?;
        Ok(rows.first().map(task))
    }
}

fn task<A>(row: &Row) -> Task<A> {
    Task { id: Id::new(row.get(0)), since: count(row.get(1)), origin: Arc::new(decode_origin(row.get(2))) }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
