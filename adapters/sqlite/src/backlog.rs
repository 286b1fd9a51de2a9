//! How much waits in a file. Each part is the beginning of an index, so that it costs the same however much there is.

use std::sync::atomic::Ordering;

use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::{Clock, StoreError};
use highstreet_foundation::codec::{count, int};
use highstreet_foundation::{Backlog, MOST_COUNTED, MOST_LOOKED_THROUGH, Queue, SystemClock};
use rusqlite::{Connection, params};

use crate::store::Store;

/// Events behind what was published; those that nobody is told of lie between them.
const OUTBOX: &str = "
SELECT count(*), min(time)
FROM (SELECT name, time FROM events WHERE position > ?1 ORDER BY position LIMIT ?2) WHERE name IS NOT NULL";

const DUE: &str = "
SELECT count(*), min(wake) FROM (SELECT wake FROM streams INDEXED BY streams_due
    WHERE leased = ?1 AND wake IS NOT NULL AND wake <= ?2 ORDER BY wake LIMIT ?3)";

const FAILING: &str = "
SELECT count(*), min(updated) FROM (SELECT attempts, updated FROM streams INDEXED BY streams_due
    WHERE leased = ?1 AND wake IS NOT NULL ORDER BY wake LIMIT ?2) WHERE attempts > 0";

/// How many there are, and since when the oldest of them waits, in microseconds since the epoch.
type Found = (i64, Option<i64>);

// === impl Store ===

impl Store {
    /// How much of this context's work waits.
    pub fn backlog(&self) -> Result<Backlog, StoreError> {
        let now = SystemClock.now();
        let relayed = self.relayed.load(Ordering::SeqCst);
        self.read(|connection| {
            let outbox = find(connection, OUTBOX, params![int(relayed), int(MOST_COUNTED)])?;
            let due = |leased: bool| find(connection, DUE, params![leased, now.as_micros(), int(MOST_COUNTED)]);
            let failing = |leased: bool| find(connection, FAILING, params![leased, int(MOST_LOOKED_THROUGH)]);
            Ok(Backlog {
                outbox: queue(outbox, now),
                due: queue(both(due(false)?, due(true)?), now),
                failing: queue(both(failing(false)?, failing(true)?), now),
            })
        })
    }
}

fn find(connection: &Connection, sql: &str, parameters: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<Found> {
    connection.prepare_cached(sql)?.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What is leased and what is not, together.
fn both((some, since): Found, (more, also_since): Found) -> Found {
    (some + more, since.into_iter().chain(also_since).min())
}

fn queue((depth, oldest): Found, now: Timestamp) -> Queue {
    Queue::since(count(depth).min(MOST_COUNTED), oldest, now.as_micros())
}
