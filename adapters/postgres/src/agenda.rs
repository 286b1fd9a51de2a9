//! What is due, on PostgreSQL: leased, so that replicas share it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Agenda, Clock, StoreError, Task};
use highstreet_domain::kernel::{Aggregate, Id, Timestamp};
use highstreet_foundation::SystemClock;
use highstreet_foundation::codec::{count, decode_origin, int};

use crate::store::Store;

/// Looks again after this long at the latest: what another replica left behind is taken up by then.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How long to leave others alone with what they are at.
const OTHERS: Duration = Duration::from_millis(20);

const LEASE: &str = "
UPDATE streams SET wake = $3, leased = TRUE
WHERE stream = ANY(ARRAY(SELECT stream FROM streams WHERE aggregate = $1 AND wake <= $2 ORDER BY wake LIMIT $4
    FOR UPDATE SKIP LOCKED))
RETURNING id, since, origin";

const PUT_OFF: &str = "
UPDATE streams SET wake = $3, leased = FALSE, attempts = attempts + 1, error = $4
WHERE id = $1 AND since = $2 AND wake IS NOT NULL RETURNING stream";

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
            let now = SystemClock.now();
            let latest = now.after(LOOK_AGAIN).as_micros();
            bells.next_look.store(latest, Ordering::SeqCst);
            // Looked up after the announcement: whatever is committed here later rings.
            let next = "SELECT wake FROM streams WHERE wake IS NOT NULL AND aggregate = $1 ORDER BY wake LIMIT 1";
            let rows = self.store.query(next, &[&aggregate]).await?;
            let next = rows.first().map_or(latest, |row| row.get::<_, i64>(0).min(latest));
            if next <= now.as_micros() {
                return Ok(());
            }
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
            let now = SystemClock.now();
            let until = now.after(lease).as_micros();
            let rows = self.store.query(LEASE, &[&A::NAME, &now.as_micros(), &until, &limit]).await?;
            if !rows.is_empty() {
                let task = |row: &tokio_postgres::Row| Task {
                    id: Id::new(row.get(0)),
                    since: count(row.get(1)),
                    origin: Arc::new(decode_origin(row.get(2))),
                };
                return Ok(rows.iter().map(task).collect());
            }
            // Whatever is due is somebody else's just now: leased by them in a moment, or held for who knows how long.
            tokio::time::sleep(OTHERS).await;
        }
    }

    async fn put_off(&self, id: Id<A>, since: u64, at: Timestamp, error: &str) -> Result<(), StoreError> {
        self.store.query(PUT_OFF, &[&id.uuid(), &int(since), &at.as_micros(), &error]).await?;
        self.store.bells.due_at(at.as_micros());
        Ok(())
    }
}
