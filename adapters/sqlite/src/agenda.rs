//! What is due, on SQLite.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Agenda, Clock, Pending, Sought, StoreError, Task};
use highstreet_domain::kernel::{Aggregate, Id, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::Store;
use highstreet_foundation::SystemClock;
use highstreet_foundation::codec::{count, decode_origin, int, time, uuid};

/// Looks again after this long at the latest, so that nothing is ever stuck for longer.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The agenda of one kind of aggregate.
pub struct SqliteAgenda {
    store: Arc<Store>,
}

struct Due {
    id: [u8; 16],
    since: u64,
    origin: String,
}

// === impl SqliteAgenda ===

impl SqliteAgenda {
    /// The agenda in `store`.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Waits until `next_look`, or until something is due earlier.
    async fn wait(&self, aggregate: &'static str, rings: u64) -> Result<(), StoreError> {
        let latest = SystemClock.now().after(LOOK_AGAIN).as_micros();
        self.store.next_look.store(latest, Ordering::SeqCst);
        // Looked up after the announcement: whatever is committed later rings.
        let next = self.store.read(|connection| next_wake(connection, aggregate))?.unwrap_or(latest).min(latest);
        self.store.next_look.store(next, Ordering::SeqCst);
        tokio::select! {
            () = SystemClock.until(Timestamp::from_micros(next)) => {}
            () = self.store.due.after(rings) => {}
        }
        Ok(())
    }
}

#[async_trait]
impl<A: Aggregate> Agenda<A> for SqliteAgenda {
    async fn take(&self, limit: usize, lease: Duration) -> Result<Vec<Task<A>>, StoreError> {
        loop {
            let rings = self.store.due.rings();
            let now = SystemClock.now();
            // A look costs the writer nothing as long as nothing is due.
            if self.store.read(|connection| next_wake(connection, A::NAME))?.is_some_and(|at| at <= now.as_micros()) {
                let due = self
                    .store
                    .write(move |connection| lease_due(connection, A::NAME, now, lease, limit), |_| {})
                    .await?;
                return Ok(due.into_iter().map(Due::task).collect());
            }
            self.wait(A::NAME, rings).await?;
        }
    }

    async fn put_off(&self, id: Id<A>, since: u64, at: Timestamp, error: &str) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.store.put_off().insert(id.uuid());
        self.store
            .write(
                move |connection| {
                    connection
                        .prepare_cached(
                            "UPDATE streams SET wake = ?3, leased = 0, attempts = attempts + 1, error = ?4 \
                         WHERE id = ?1 AND since = ?2 AND wake IS NOT NULL",
                        )?
                        .execute(params![id.uuid().into_bytes(), int(since), at.as_micros(), error])
                },
                |_| {},
            )
            .await?;
        if at.as_micros() < self.store.next_look.load(Ordering::SeqCst) {
            self.store.due.ring();
        }
        Ok(())
    }

    async fn pending(&self, sought: &Sought) -> Result<Vec<Pending<A>>, StoreError> {
        let now = SystemClock.now();
        self.store.read(|connection| waiting(connection, A::NAME, sought, now))
    }

    async fn seize(&self, id: Id<A>, since: u64, lease: Duration) -> Result<Option<Task<A>>, StoreError> {
        let now = SystemClock.now();
        let seize = move |connection: &Connection| {
            connection
                .prepare_cached(
                    "UPDATE streams SET wake = ?4, leased = 1 WHERE id = ?1 AND since = ?2 AND wake IS NOT NULL \
                     AND NOT (leased = 1 AND wake > ?3) RETURNING id, since, origin",
                )?
                .query_row(
                    params![id.uuid().into_bytes(), int(since), now.as_micros(), now.after(lease).as_micros()],
                    |row| {
                        let origin: Option<String> = row.get(2)?;
                        Ok(Due { id: row.get(0)?, since: count(row.get(1)?), origin: origin.unwrap_or_default() })
                    },
                )
                .optional()
        };
        Ok(self.store.write(seize, |_| {}).await?.map(Due::task))
    }
}

/// By what is due, which is little, and not by id.
fn waiting<A>(
    connection: &Connection,
    aggregate: &str,
    sought: &Sought,
    now: Timestamp,
) -> rusqlite::Result<Vec<Pending<A>>> {
    let mut found = Vec::new();
    for leased in [false, true] {
        let mut select = connection.prepare_cached(
            "SELECT s.id, s.since, s.wake, s.attempts, s.error, s.origin, coalesce(( \
                 WITH RECURSIVE chain (previous, revision, time) AS ( \
                     SELECT e.previous, e.revision, e.time FROM events e WHERE e.position = s.last \
                     UNION ALL SELECT e.previous, e.revision, e.time FROM chain c JOIN events e \
                         ON e.position = c.previous WHERE c.revision > s.since \
                 ) SELECT time FROM chain WHERE revision = s.since), s.updated) \
             FROM streams s INDEXED BY streams_due \
             WHERE s.leased = ?1 AND s.wake IS NOT NULL AND s.aggregate = ?2 AND s.id > ?3 \
             AND (?4 IS NULL OR s.id = ?4) AND s.attempts >= ?5 ORDER BY s.id LIMIT ?6",
        )?;
        let rows = select.query_map(
            params![
                leased,
                aggregate,
                sought.after.map_or(Vec::new(), |after| after.into_bytes().to_vec()),
                sought.only.map(|only| only.into_bytes().to_vec()),
                i32::from(sought.tried),
                i64::try_from(sought.limit).unwrap_or(i64::MAX)
            ],
            |row| {
                let (error, origin): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
                let wake = time(row.get(2)?);
                Ok(Pending {
                    id: Id::new(uuid(row.get(0)?)),
                    since: count(row.get(1)?),
                    became_due: time(row.get(6)?),
                    wake,
                    running: leased && wake > now,
                    attempts: row.get(3)?,
                    error: error.unwrap_or_default(),
                    origin: Arc::new(decode_origin(&origin.unwrap_or_default())),
                })
            },
        )?;
        for row in rows {
            found.push(row?);
        }
    }
    found.sort_by_key(|pending| pending.id);
    found.truncate(sought.limit);
    Ok(found)
}

fn next_wake(connection: &Connection, aggregate: &str) -> rusqlite::Result<Option<i64>> {
    let mut first = connection.prepare_cached(
        "SELECT wake FROM streams WHERE leased = ?1 AND wake IS NOT NULL AND aggregate = ?2 ORDER BY wake LIMIT 1",
    )?;
    let mut earliest = None;
    for leased in [0, 1] {
        let mut rows = first.query(params![leased, aggregate])?;
        if let Some(row) = rows.next()? {
            let wake: i64 = row.get(0)?;
            earliest = Some(earliest.map_or(wake, |earliest: i64| earliest.min(wake)));
        }
    }
    Ok(earliest)
}

fn lease_due(
    connection: &Connection,
    aggregate: &str,
    now: Timestamp,
    lease: Duration,
    limit: usize,
) -> rusqlite::Result<Vec<Due>> {
    let mut due = Vec::new();
    for leased in [0, 1] {
        let mut select = connection.prepare_cached(
            "SELECT id, since, origin, stream FROM streams \
             WHERE leased = ?1 AND wake <= ?2 AND aggregate = ?3 ORDER BY wake LIMIT ?4",
        )?;
        let room = i64::try_from(limit - due.len()).unwrap_or(i64::MAX);
        let rows = select.query_map(params![leased, now.as_micros(), aggregate, room], |row| {
            let origin: Option<String> = row.get(2)?;
            let due = Due { id: row.get(0)?, since: count(row.get(1)?), origin: origin.unwrap_or_default() };
            Ok((due, row.get::<_, i64>(3)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        for (found, stream) in rows {
            connection
                .prepare_cached("UPDATE streams SET wake = ?2, leased = 1 WHERE stream = ?1")?
                .execute(params![stream, now.after(lease).as_micros()])?;
            due.push(found);
        }
    }
    Ok(due)
}

// === impl Due ===

impl Due {
    fn task<A: Aggregate>(self) -> Task<A> {
        Task { id: Id::new(uuid(self.id)), since: self.since, origin: Arc::new(decode_origin(&self.origin)) }
    }
}
