//! Forgetting people, on SQLite: what says something of them is looked for beside the writer and rewritten by it.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Erased, ErasedKind, Forgets, Forgetting, OpenCase, StoreError};
use highstreet_domain::kernel::{Erasure, Forgotten, Known, Redact, Timestamp};
use highstreet_foundation::SystemClock;
use highstreet_foundation::codec::{time, uuid};
use highstreet_foundation::erasing::{all_known, is_old, move_of};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::Store;
use crate::rewrite::Work;

/// How many rows are looked through at a time.
const WINDOW: usize = 512;

/// What is looked through for streams: where to go on, the stream, and whatever may say something.
const OF_STREAMS: [&str; 3] = [
    "SELECT position, stream, data, origin, body FROM events WHERE position > ?1 ORDER BY position LIMIT ?2",
    "SELECT stream, stream, state, owner, reference, origin, error FROM streams WHERE stream > ?1 ORDER BY stream \
     LIMIT ?2",
    "SELECT entry, stream, key, data FROM entries WHERE entry > ?1 ORDER BY entry LIMIT ?2",
];
const OF_ROWS: &str = "SELECT row, row, state, owner, key FROM views WHERE row > ?1 ORDER BY row LIMIT ?2";

#[async_trait]
impl Forgets for Store {
    async fn open(&self, erasure: &Erasure, kinds: &[ErasedKind]) -> Result<Vec<OpenCase>, StoreError> {
        let mut open = Vec::new();
        for kind in kinds.iter().filter(|kind| !kind.open.is_empty()) {
            let found = self.read(|connection| {
                let mut select =
                    connection.prepare_cached("SELECT id, owner, status FROM streams WHERE aggregate = ?1")?;
                let mut rows = select.query([kind.aggregate])?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    let (owner, status): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
                    let theirs = erasure.known().iter().any(|known| Some(&known.key) == owner.as_ref());
                    let status = status.unwrap_or_default();
                    if theirs && kind.open.contains(&status.as_str()) {
                        found.push(OpenCase { id: uuid(row.get(0)?), status });
                    }
                }
                Ok(found)
            })?;
            open.extend(found);
        }
        Ok(open)
    }

    async fn remember(&self, erasure: &Erasure, now: Timestamp) -> Result<(), StoreError> {
        let (id, forgotten, now) = (erasure.id(), erasure.forgotten(), now.as_micros());
        let remember = move |connection: &Connection| {
            connection
                .prepare_cached("INSERT INTO erasures VALUES (?1, ?2, 1) ON CONFLICT DO NOTHING")?
                .execute(params![id.as_bytes(), now])?;
            let mut insert =
                connection.prepare_cached("INSERT INTO forgotten VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
            for Forgotten { digest, instead, .. } in &forgotten {
                insert.execute(params![id.as_bytes(), digest.as_bytes(), instead])?;
            }
            Ok(())
        };
        self.write(remember, |()| {}).await
    }

    async fn sweep(&self, forgetting: &Forgetting<'_>) -> Result<Erased, StoreError> {
        let known = all_known(forgetting.erasure, &self.forgotten().await?);
        let work = Arc::new(Work::of(forgetting, known));
        let mut erased = Erased::default();
        let mut streams = BTreeSet::new();
        for table in OF_STREAMS {
            streams.extend(self.look_through(table, forgetting.erasure).await?);
        }
        for stream in streams {
            erased = erased.and(self.rewrite_stream(&work, stream).await?);
        }
        for row in self.look_through(OF_ROWS, forgetting.erasure).await? {
            erased.rows += self.rewrite_row(&work, row).await?;
        }
        erased.moved = self.read(|connection| moved(connection, &work.known, forgetting.kinds))?;
        Ok(erased)
    }

    async fn close(&self, erasure: Uuid, found: bool, now: Timestamp) -> Result<Timestamp, StoreError> {
        let now = now.as_micros();
        let note = move |connection: &Connection| {
            if found {
                connection
                    .prepare_cached("UPDATE erasures SET found = ?2, clean = 0 WHERE erasure = ?1")?
                    .execute(params![erasure.as_bytes(), now])?;
            }
            connection
                .prepare_cached("SELECT found, clean FROM erasures WHERE erasure = ?1")?
                .query_row([erasure.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))
        };
        let (last, clean) = self.write(note, |_| {}).await?;
        if !clean {
            self.clean().await?;
            let done = move |connection: &Connection| {
                connection
                    .prepare_cached("UPDATE erasures SET clean = 1 WHERE erasure = ?1")?
                    .execute([erasure.as_bytes()])
                    .map(drop)
            };
            self.write(done, |()| {}).await?;
        }
        Ok(time(last))
    }

    async fn forgotten(&self) -> Result<Vec<Forgotten>, StoreError> {
        let forgotten: Vec<Forgotten> = self.read(|connection| {
            connection
                .prepare_cached("SELECT erasure, digest, instead FROM forgotten")?
                .query_map([], |row| {
                    let (erasure, digest) = (uuid(row.get(0)?), uuid(row.get(1)?));
                    Ok(Forgotten { erasure, digest, instead: row.get(2)? })
                })?
                .collect()
        })?;
        let (old, recent): (Vec<_>, Vec<_>) =
            forgotten.into_iter().partition(|it| is_old(it.erasure, SystemClock.now()));
        if !old.is_empty() {
            // They are gone at the latest when they are seen next.
            self.write_behind(move |connection| {
                old.iter().try_for_each(|it| {
                    ["forgotten", "erasures"].iter().try_for_each(|table| {
                        let delete = format!("DELETE FROM {table} WHERE erasure = ?1");
                        connection.execute(&delete, [it.erasure.as_bytes()]).map(drop)
                    })
                })
            });
        }
        Ok(recent)
    }
}

// === impl Store ===

impl Store {
    /// What the rows in which something may be redacted belong to.
    async fn look_through(&self, table: &str, erasure: &Erasure) -> Result<BTreeSet<i64>, StoreError> {
        let (mut found, mut after, mut more) = (BTreeSet::new(), 0, true);
        while more {
            (after, more) = self.read(|connection| window(connection, table, after, erasure, &mut found))?;
            // Others want this thread, too.
            tokio::task::yield_now().await;
        }
        Ok(found)
    }

    async fn rewrite_stream(&self, work: &Arc<Work>, stream: i64) -> Result<Erased, StoreError> {
        let (work, fresh, rewritten) = (work.clone(), self.fresh.clone(), self.rewritten().clone());
        let rewrite = move |connection: &Connection| work.rewrite_stream(connection, stream);
        let tell = move |done: &Option<crate::rewrite::Stream>| {
            let Some(done) = done else { return };
            fresh.lock().unwrap_or_else(PoisonError::into_inner).leave_to_file();
            rewritten.tell_of_stream(done.id, done.age);
        };
        Ok(self.write(rewrite, tell).await?.map_or_else(Erased::default, |done| done.erased))
    }

    async fn rewrite_row(&self, work: &Arc<Work>, row: i64) -> Result<u64, StoreError> {
        let _free = self.rows_held.read().await;
        let (work, viewed, rewritten) = (work.clone(), self.viewed.clone(), self.rewritten().clone());
        let (cursors, newest) = (self.cursors.clone(), self.newest.clone());
        let rewrite = move |connection: &Connection| work.rewrite_row(connection, &cursors, row);
        let tell = move |done: &Option<crate::rewrite::ViewRow>| {
            let Some(done) = done else { return };
            rewritten.tell_of_row(&done.view, &done.key, done.version);
            newest.doubt();
            viewed.ring();
        };
        Ok(self.write(rewrite, tell).await?.map_or(0, |_| 1))
    }
}

/// Looks through some rows behind `after`; where to go on, and whether there is more.
fn window(
    connection: &Connection,
    table: &str,
    after: i64,
    erasure: &Erasure,
    found: &mut BTreeSet<i64>,
) -> rusqlite::Result<(i64, bool)> {
    let mut select = connection.prepare_cached(table)?;
    let columns = select.column_count();
    let mut rows = select.query(params![after, i64::try_from(WINDOW).unwrap_or(i64::MAX)])?;
    let (mut last, mut seen) = (after, 0);
    while let Some(row) = rows.next()? {
        (last, seen) = (row.get(0)?, seen + 1);
        for column in 2..columns {
            if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column)?
                && erasure.may_be_in(bytes)
            {
                found.insert(row.get(1)?);
            }
        }
    }
    Ok((last, seen == WINDOW))
}

/// The streams that were named by what is forgotten, now or before.
fn moved(connection: &Connection, known: &[Known], kinds: &[ErasedKind]) -> rusqlite::Result<Vec<(Uuid, Uuid)>> {
    let mut moved = Vec::new();
    let mut select = connection.prepare_cached("SELECT id, aggregate, state FROM streams WHERE owner = ?1")?;
    for known in known {
        let mut rows = select.query([&known.pseudonym])?;
        while let Some(row) = rows.next()? {
            let aggregate: String = row.get(1)?;
            let Some(kind) = kinds.iter().find(|kind| kind.aggregate == aggregate) else { continue };
            let state: Vec<u8> = row.get(2)?;
            if let Some((from, _)) = move_of(kind, std::slice::from_ref(known), &state) {
                moved.push((from, uuid(row.get(0)?)));
            }
        }
    }
    Ok(moved)
}
