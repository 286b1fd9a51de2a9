//! One stream, or one row of a view, without what is to be redacted: as a whole, in the writer's transaction.

use highstreet_domain::kernel::ports::{Erased, ErasedKind, Forgetting, Retell};
use highstreet_domain::kernel::{Erasure, Known};
use highstreet_foundation::codec::{count, uuid};
use highstreet_foundation::erasing::{json, move_of, row as view_row, text};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::cursors::Cursors;
use crate::queries::history;
use highstreet_foundation::recent::age;

/// What is to be forgotten, as the writer's thread takes it.
pub(crate) struct Work {
    pub(crate) context: String,
    pub(crate) erasure: Erasure,
    /// What the person is known by, with the pseudonyms of earlier erasures, too.
    pub(crate) known: Vec<Known>,
    pub(crate) retell: Retell,
    pub(crate) kinds: Vec<ErasedKind>,
}

/// A stream that was rewritten.
pub(crate) struct Stream {
    pub(crate) erased: Erased,
    /// The id it had.
    pub(crate) id: Uuid,
    /// What is remembered of it must be as old as this.
    pub(crate) age: u64,
}

/// A row that was rewritten.
pub(crate) struct ViewRow {
    pub(crate) view: String,
    pub(crate) key: String,
    pub(crate) version: u64,
}

/// A stream's row, as far as it may say something.
struct Found {
    id: Uuid,
    aggregate: String,
    revision: u64,
    era: u64,
    state: Vec<u8>,
    owner: Option<String>,
    reference: Option<String>,
    origin: Option<String>,
    error: Option<String>,
}

// === impl Work ===

impl Work {
    pub(crate) fn of(forgetting: &Forgetting<'_>, known: Vec<Known>) -> Self {
        Self {
            context: forgetting.context.to_owned(),
            erasure: forgetting.erasure.clone(),
            known,
            retell: forgetting.retell,
            kinds: forgetting.kinds.to_vec(),
        }
    }

    fn origin(&self, origin: Option<&str>) -> Option<String> {
        json(&self.erasure, origin?.as_bytes()).and_then(|origin| String::from_utf8(origin).ok())
    }

    /// Rewrites a stream; `None` if there is nothing to redact in it.
    pub(crate) fn rewrite_stream(&self, connection: &Connection, stream: i64) -> rusqlite::Result<Option<Stream>> {
        let Some(found) = find(connection, stream)? else { return Ok(None) };
        let events = self.rewrite_events(connection, stream)?;
        let entries = self.rewrite_entries(connection, stream)?;
        let state = json(&self.erasure, &found.state);
        let owner = text(&self.erasure, "customer", found.owner.as_deref());
        let reference = text(&self.erasure, "reference", found.reference.as_deref());
        let origin = self.origin(found.origin.as_deref());
        let error = text(&self.erasure, "error", found.error.as_deref());
        let of_row = state.is_some() || owner.is_some() || reference.is_some() || origin.is_some() || error.is_some();
        if events + entries == 0 && !of_row {
            return Ok(None);
        }
        let kind = self.kinds.iter().find(|kind| kind.aggregate == found.aggregate);
        let state = state.unwrap_or(found.state);
        let id = match kind.and_then(|kind| move_of(kind, &self.known, &state)) {
            Some((from, to)) if from == found.id => free(connection, to)?,
            _ => found.id,
        };
        connection
            .prepare_cached(
                "UPDATE streams SET id = ?2, state = ?3, owner = coalesce(?4, owner), \
                 reference = coalesce(?5, reference), origin = coalesce(?6, origin), error = coalesce(?7, error), \
                 era = era + 1 WHERE stream = ?1",
            )?
            .execute(params![stream, id.as_bytes(), state, owner, reference, origin, error])?;
        // What was asked for is part of it: nobody is answered by it any more, and nothing is done twice.
        connection
            .prepare_cached("UPDATE claims SET fingerprint = zeroblob(16) WHERE stream = ?1")?
            .execute([stream])?;
        let erased = Erased { streams: 1, events, entries, ..Erased::default() };
        Ok(Some(Stream { erased, id: found.id, age: age(found.era + 1, found.revision) }))
    }

    fn rewrite_events(&self, connection: &Connection, stream: i64) -> rusqlite::Result<u64> {
        let mut select =
            connection.prepare_cached(history!("e.position, e.origin, e.data, e.name, e.body", "s.stream = ?1"))?;
        let mut rows = select.query([stream])?;
        let mut changed = Vec::new();
        while let Some(row) = rows.next()? {
            let (origin, data): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
            let (name, body): (Option<String>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
            let told =
                name.zip(body).and_then(|(name, body)| (self.retell)(&self.erasure, &self.context, &name, &body));
            let (origin, data) = (self.origin(Some(&origin)), json(&self.erasure, &data));
            if origin.is_some() || data.is_some() || told.is_some() {
                changed.push((row.get::<_, i64>(0)?, origin, data, told));
            }
        }
        drop(rows);
        let mut update = connection.prepare_cached(
            "UPDATE events SET origin = coalesce(?2, origin), data = coalesce(?3, data), body = coalesce(?4, body) \
             WHERE position = ?1",
        )?;
        for (position, origin, data, told) in &changed {
            update.execute(params![position, origin, data, told])?;
        }
        Ok(changed.len() as u64)
    }

    fn rewrite_entries(&self, connection: &Connection, stream: i64) -> rusqlite::Result<u64> {
        let mut select = connection.prepare_cached("SELECT entry, key, data FROM entries WHERE stream = ?1")?;
        let mut rows = select.query([stream])?;
        let mut changed = Vec::new();
        while let Some(row) = rows.next()? {
            let (key, data): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
            let (key, data) = (text(&self.erasure, "", Some(&key)), json(&self.erasure, &data));
            if key.is_some() || data.is_some() {
                changed.push((row.get::<_, i64>(0)?, key, data));
            }
        }
        drop(rows);
        let mut update = connection
            .prepare_cached("UPDATE entries SET key = coalesce(?2, key), data = coalesce(?3, data) WHERE entry = ?1")?;
        for (entry, key, data) in &changed {
            update.execute(params![entry, key, data])?;
        }
        Ok(changed.len() as u64)
    }

    /// Rewrites a row of a view; `None` if there is nothing to redact in it.
    pub(crate) fn rewrite_row(
        &self,
        connection: &Connection,
        cursors: &Cursors,
        row: i64,
    ) -> rusqlite::Result<Option<ViewRow>> {
        let found = connection
            .prepare_cached("SELECT view, key, version, state, owner FROM views WHERE row = ?1")?
            .query_row([row], |row| {
                let (view, key): (String, String) = (row.get(0)?, row.get(1)?);
                Ok((view, key, count(row.get(2)?), row.get::<_, Vec<u8>>(3)?, row.get::<_, String>(4)?))
            })
            .optional()?;
        let Some((view, key, version, state, owner)) = found else { return Ok(None) };
        let (state, owner) = (view_row(&self.erasure, &state), text(&self.erasure, "customer", Some(&owner)));
        let renamed = text(&self.erasure, "", Some(&key));
        if state.is_none() && owner.is_none() && renamed.is_none() {
            return Ok(None);
        }
        let cursor = cursors.latest(connection, &view)? + 1;
        connection
            .prepare_cached(
                "UPDATE views SET state = coalesce(?2, state), owner = coalesce(?3, owner), key = coalesce(?4, key), \
                 version = version + 1, cursor = ?5 WHERE row = ?1",
            )?
            .execute(params![row, state, owner, renamed, cursor])?;
        Ok(Some(ViewRow { view, key, version: version + 1 }))
    }
}

fn find(connection: &Connection, stream: i64) -> rusqlite::Result<Option<Found>> {
    connection
        .prepare_cached(
            "SELECT id, aggregate, revision, era, state, owner, reference, origin, error FROM streams \
             WHERE stream = ?1",
        )?
        .query_row([stream], |row| {
            Ok(Found {
                id: uuid(row.get(0)?),
                aggregate: row.get(1)?,
                revision: count(row.get(2)?),
                era: count(row.get(3)?),
                state: row.get(4)?,
                owner: row.get(5)?,
                reference: row.get(6)?,
                origin: row.get(7)?,
                error: row.get(8)?,
            })
        })
        .optional()
}

/// `wanted`, unless something else is there already: what came late was kept under the new name before.
fn free(connection: &Connection, wanted: Uuid) -> rusqlite::Result<Uuid> {
    let taken = connection.prepare_cached("SELECT 1 FROM streams WHERE id = ?1")?.exists([wanted.as_bytes()])?;
    Ok(if taken { Uuid::now_v7() } else { wanted })
}
