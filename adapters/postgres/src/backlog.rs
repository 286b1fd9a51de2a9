//! How much waits in a schema. Each part is the beginning of an index, so that it costs the same however much there is.

use highstreet_domain::kernel::ports::StoreError;
use highstreet_foundation::codec::{count, int};
use highstreet_foundation::{Backlog, MOST_COUNTED, MOST_LOOKED_THROUGH, Queue};

use crate::store::Store;

/// By the server's clock, as the agenda is kept.
const BACKLOG: &str = "
WITH soonest AS MATERIALIZED (
    SELECT attempts, updated FROM streams WHERE wake IS NOT NULL ORDER BY wake LIMIT $2
), clock AS MATERIALIZED (
    SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::int8 AS now
)
SELECT (SELECT count(*) FROM (SELECT FROM outbox ORDER BY position LIMIT $1) o),
    (SELECT e.time FROM (SELECT position FROM outbox ORDER BY position LIMIT 1) o
        CROSS JOIN LATERAL (SELECT time FROM events WHERE position = o.position OFFSET 0) e),
    (SELECT count(*) FROM (SELECT FROM streams WHERE wake IS NOT NULL
        AND wake <= (extract(epoch FROM statement_timestamp()) * 1000000)::int8 ORDER BY wake LIMIT $1) d),
    (SELECT wake FROM streams WHERE wake IS NOT NULL ORDER BY wake LIMIT 1),
    (SELECT count(*) FROM soonest WHERE attempts > 0),
    (SELECT min(updated) FROM soonest WHERE attempts > 0),
    now
FROM clock";

// === impl Store ===

impl Store {
    /// How much of this context's work waits.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let rows = self.query(BACKLOG, &[&int(MOST_COUNTED), &int(MOST_LOOKED_THROUGH)]).await?;
        let Some(row) = rows.first() else { return Ok(Backlog::default()) };
        let now = row.get(6);
        let queue = |depth: usize| Queue::since(count(row.get(depth)), row.get(depth + 1), now);
        Ok(Backlog { outbox: queue(0), due: queue(2), failing: queue(4) })
    }
}
