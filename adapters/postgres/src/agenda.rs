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

const LEASE: &str = "
UPDATE streams SET wake = $3, leased = TRUE
WHERE stream IN (SELECT stream FROM streams WHERE aggregate = $1 AND wake <= $2 ORDER BY wake LIMIT $4
    FOR UPDATE SKIP LOCKED)
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

    /// Waits until something is due, or may be. Looks without locking anything, so that it costs next to nothing.
    async fn wait(&self, aggregate: &str) -> Result<(), StoreError> {
        let bells = &self.store.bells;
        let rings = bells.due.rings();
        let latest = SystemClock.now().after(LOOK_AGAIN).as_micros();
        bells.next_look.store(latest, Ordering::SeqCst);
        // Looked up after the announcement: whatever is committed here later rings.
        let next = "SELECT wake FROM streams WHERE wake IS NOT NULL AND aggregate = $1 ORDER BY wake LIMIT 1";
        let rows = self.store.query(next, &[&aggregate]).await?;
        let next = rows.first().map_or(latest, |row| row.get::<_, i64>(0).min(latest));
        bells.next_look.store(next, Ordering::SeqCst);
        tokio::select! {
            () = SystemClock.until(Timestamp::from_micros(next)) => {}
            () = bells.due.after(rings) => {}
        }
        Ok(())
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
        }
    }

    async fn put_off(&self, id: Id<A>, since: u64, at: Timestamp, error: &str) -> Result<(), StoreError> {
        self.store.query(PUT_OFF, &[&id.uuid(), &int(since), &at.as_micros(), &error]).await?;
        if at.as_micros() < self.store.bells.next_look.load(Ordering::SeqCst) {
            self.store.bells.due.ring();
        }
        Ok(())
    }
}
