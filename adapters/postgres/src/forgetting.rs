//! Forgetting people, on PostgreSQL: what says something of them is looked for without locking anything, and rewritten
//! stream by stream.

use std::collections::BTreeSet;

use async_trait::async_trait;
use deadpool_postgres::Object;
use highstreet_domain::kernel::ports::{Clock, Erased, ErasedKind, Forgets, Forgetting, OpenCase, StoreError};
use highstreet_domain::kernel::{Erasure, Forgotten, Known, Redact, Timestamp};
use highstreet_foundation::SystemClock;
use highstreet_foundation::codec::time;
use highstreet_foundation::erasing::{all_known, is_old, move_of};
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use crate::Store;
use crate::connect::unavailable;
use crate::rewrite::Work;

/// How many rows are looked through at a time.
const WINDOW: i64 = 512;

/// What is looked through for streams: where to go on, the stream, and whatever may say something.
const OF_STREAMS: [&str; 3] = [
    "SELECT position, stream, data, origin, body FROM events WHERE position > $1 ORDER BY position LIMIT $2",
    "SELECT stream, stream, state, owner, reference, origin, error FROM streams WHERE stream > $1 ORDER BY stream
    LIMIT $2",
    "SELECT entry, stream, key, data FROM entries WHERE entry > $1 ORDER BY entry LIMIT $2",
];
const OF_ROWS: &str = "SELECT place, place, state, owner, key FROM views WHERE place > $1 ORDER BY place LIMIT $2";

/// What the planner remembers of a table holds values of it, too.
const TABLES: &str = "streams, events, entries, claims, views";

#[async_trait]
impl Forgets for Store {
    async fn open(&self, erasure: &Erasure, kinds: &[ErasedKind]) -> Result<Vec<OpenCase>, StoreError> {
        let keys: Vec<&str> = erasure.known().iter().map(|known| known.key.as_str()).collect();
        let theirs = "SELECT id, status FROM streams WHERE aggregate = $1 AND owner = ANY($2) AND status = ANY($3)";
        let mut open = Vec::new();
        for kind in kinds.iter().filter(|kind| !kind.open.is_empty()) {
            let rows = self.query(theirs, &[&kind.aggregate, &keys, &kind.open]).await?;
            open.extend(rows.iter().map(|row| OpenCase { id: row.get(0), status: row.get(1) }));
        }
        Ok(open)
    }

    async fn remember(&self, erasure: &Erasure, now: Timestamp) -> Result<(), StoreError> {
        let (id, now) = (erasure.id(), now.as_micros());
        let begun = "INSERT INTO erasures VALUES ($1, $2, TRUE) ON CONFLICT DO NOTHING";
        self.query(begun, &[&id, &now]).await?;
        let remember = "INSERT INTO forgotten VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        for Forgotten { digest, instead, .. } in erasure.forgotten() {
            self.query(remember, &[&id, &digest, &instead]).await?;
        }
        Ok(())
    }

    async fn sweep(&self, forgetting: &Forgetting<'_>) -> Result<Erased, StoreError> {
        let known = all_known(forgetting.erasure, &self.forgotten().await?);
        let work = Work { forgetting, known };
        let mut streams = BTreeSet::new();
        for table in OF_STREAMS {
            streams.extend(self.look_through(table, forgetting.erasure).await?);
        }
        let mut erased = Erased::default();
        for stream in streams {
            erased = erased.and(self.rewrite_stream(&work, stream).await?);
        }
        for place in self.look_through(OF_ROWS, forgetting.erasure).await? {
            erased.rows += u64::from(self.rewrite_row(&work, place).await?);
        }
        erased.moved = self.moved(&work.known, forgetting.kinds).await?;
        Ok(erased)
    }

    async fn close(&self, erasure: Uuid, found: bool, now: Timestamp) -> Result<Timestamp, StoreError> {
        if found {
            let found = "UPDATE erasures SET found = $2, clean = FALSE WHERE erasure = $1";
            self.query(found, &[&erasure, &now.as_micros()]).await?;
        }
        let rows = self.query("SELECT found, clean FROM erasures WHERE erasure = $1", &[&erasure]).await?;
        let Some(row) = rows.first() else { return Ok(now) };
        if !row.get::<_, bool>(1) {
            self.clean().await?;
            self.query("UPDATE erasures SET clean = TRUE WHERE erasure = $1", &[&erasure]).await?;
        }
        Ok(time(row.get(0)))
    }

    async fn forgotten(&self) -> Result<Vec<Forgotten>, StoreError> {
        let rows = self.query("SELECT erasure, digest, instead FROM forgotten", &[]).await?;
        let forgotten = |row: &Row| Forgotten { erasure: row.get(0), digest: row.get(1), instead: row.get(2) };
        let now = SystemClock.now();
        let (old, recent): (Vec<_>, Vec<_>) = rows.iter().map(forgotten).partition(|it| is_old(it.erasure, now));
        // They are gone at the latest when they are seen next.
        for Forgotten { erasure, .. } in old {
            self.query("DELETE FROM forgotten WHERE erasure = $1", &[&erasure]).await?;
            self.query("DELETE FROM erasures WHERE erasure = $1", &[&erasure]).await?;
        }
        Ok(recent)
    }
}

// === impl Store ===

impl Store {
    /// What the rows in which something may be redacted belong to.
    async fn look_through(&self, table: &str, erasure: &Erasure) -> Result<BTreeSet<i64>, StoreError> {
        let (mut found, mut after) = (BTreeSet::new(), 0i64);
        loop {
            let rows = self.query(table, &[&after, &WINDOW]).await?;
            found.extend(rows.iter().filter(|row| says(row, erasure)).map(|row| row.get::<_, i64>(1)));
            match rows.last() {
                Some(last) => after = last.get(0),
                None => return Ok(found),
            }
        }
    }

    async fn rewrite_stream(&self, work: &Work<'_>, stream: i64) -> Result<Erased, StoreError> {
        let connection = self.begin().await?;
        let done = work.rewrite_stream(&connection, stream).await;
        Ok(commit(connection, done).await?.unwrap_or_default())
    }

    async fn rewrite_row(&self, work: &Work<'_>, place: i64) -> Result<bool, StoreError> {
        let connection = self.begin().await?;
        let done = work.rewrite_row(&connection, place, |view| self.schema.view_lock(view)).await;
        let changed = commit(connection, done).await;
        self.bells.rewritten();
        changed
    }

    async fn begin(&self) -> Result<Object, StoreError> {
        let connection = self.connection().await?;
        connection.batch_execute("BEGIN").await.map_err(|error| unavailable(&error))?;
        Ok(connection)
    }

    /// The streams that were named by what is forgotten, now or before.
    async fn moved(&self, known: &[Known], kinds: &[ErasedKind]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        let mut moved = Vec::new();
        for known in known {
            let theirs = "SELECT id, aggregate, state FROM streams WHERE owner = $1";
            for row in self.query(theirs, &[&known.pseudonym]).await? {
                let kind = kinds.iter().find(|kind| kind.aggregate == row.get::<_, &str>(1));
                let state: &str = row.get(2);
                let from = kind.and_then(|kind| move_of(kind, std::slice::from_ref(known), state.as_bytes()));
                moved.extend(from.map(|(from, _)| (from, row.get(0))));
            }
        }
        Ok(moved)
    }

    /// Has the server remove what was overwritten, and forget what its planner remembers of it.
    async fn clean(&self) -> Result<(), StoreError> {
        // Nobody else is to use it with this setting.
        let connection = Object::take(self.connection().await?);
        // As much as there is, however long that takes.
        for statement in ["SET statement_timeout = 0", &format!("VACUUM (ANALYZE) {TABLES}")] {
            connection.batch_execute(statement).await.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }
}

/// Commits what was done; a connection on which something failed is given up, and what was done on it with it.
async fn commit<T>(connection: Object, done: Result<T, Error>) -> Result<T, StoreError> {
    let committed = match done {
        Ok(done) => connection.batch_execute("COMMIT").await.map(|()| done),
        Err(error) => Err(error),
    };
    committed.map_err(|error| {
        drop(Object::take(connection));
        unavailable(&error)
    })
}

/// Whether something may be redacted in a row.
fn says(row: &Row, erasure: &Erasure) -> bool {
    let columns = row.columns().iter().enumerate().skip(2);
    columns.into_iter().any(|(at, column)| {
        let bytes = match *column.type_() {
            Type::BYTEA => row.get::<_, Option<&[u8]>>(at),
            _ => row.get::<_, Option<&str>>(at).map(str::as_bytes),
        };
        bytes.is_some_and(|bytes| erasure.may_be_in(bytes))
    })
}
