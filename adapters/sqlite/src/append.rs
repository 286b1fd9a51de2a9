//! Appends, encoded for the writer's thread, which is the same for all aggregates.

use std::sync::{Mutex, PoisonError};

use highstreet_domain::kernel::ClaimKey;
use highstreet_domain::kernel::ports::{AppendError, Wake};
use highstreet_foundation::encoded::{EncodedAppend, EncodedClaim, EncodedEvent};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use crate::fresh::{Fresh, FreshEvent};
use highstreet_foundation::codec::{count, time};

/// An append as the writer takes it.
pub(crate) struct Appending(pub(crate) EncodedAppend);

/// A stream's row, and which of its indexed columns an append changes: an index is touched only if it must be.
#[derive(Clone, Copy)]
struct Found {
    stream: i64,
    /// Where its last event is.
    last: Option<i64>,
    moves: bool,
    turns: bool,
    wakes: bool,
}

// === impl Appending ===

impl Appending {
    /// Hands over what is to be published; whether that was anything.
    pub(crate) fn hand_to_relay(&self, positions: &[i64], fresh: &Mutex<Fresh>) -> bool {
        let told = self.0.events.iter().zip(positions).filter_map(|(event, position)| {
            let (name, body) = event.published.as_ref()?;
            Some(FreshEvent {
                position: count(*position),
                subject: self.0.id,
                revision: count(event.revision),
                time: time(self.0.updated),
                origin: event.told_of.clone(),
                name,
                body: body.clone(),
            })
        });
        let mut fresh = fresh.lock().unwrap_or_else(PoisonError::into_inner);
        told.map(|event| fresh.push(event)).count() > 0
    }

    /// Looks first and writes after, so that a refusal leaves no trace in the group. Returns the events' positions.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<Result<Vec<i64>, AppendError>> {
        for EncodedClaim { key, .. } in &self.0.claims {
            if connection.prepare_cached("SELECT 1 FROM claims WHERE key = ?1")?.exists([key.as_bytes()])? {
                return Ok(Err(AppendError::Claimed(ClaimKey::stored(*key))));
            }
        }
        let (stream, positions) = if let Some(stream) = self.insert(connection)? {
            (stream, self.write_events(connection, stream, None)?)
        } else {
            let Some(found) = self.find(connection)? else { return Ok(Err(AppendError::Conflict)) };
            let positions = self.write_events(connection, found.stream, found.last)?;
            self.update(connection, found, positions.last().copied().or(found.last))?;
            (found.stream, positions)
        };
        self.write_entries(connection, stream)?;
        self.write_claims(connection, stream)?;
        Ok(Ok(positions))
    }

    /// The stream's row, if it is as the append expects it.
    fn find(&self, connection: &Connection) -> rusqlite::Result<Option<Found>> {
        let mut find = connection.prepare_cached(
            "SELECT stream, aggregate, revision, shop, owner, reference, status, wake, era, last FROM streams \
             WHERE id = ?1",
        )?;
        let mut rows = find.query([self.0.id.as_bytes()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let moved_on = row.get::<_, i64>(2)? != self.0.after || row.get::<_, i64>(8)? != self.0.era;
        if row.get_ref(1)?.as_str()? != self.0.aggregate || moved_on {
            return Ok(None);
        }
        let differs = |column: usize, wanted: &Option<String>| {
            Ok::<_, rusqlite::Error>(match (row.get_ref(column)?, wanted) {
                (ValueRef::Null, None) => false,
                (ValueRef::Text(found), Some(wanted)) => found != wanted.as_bytes(),
                _ => true,
            })
        };
        let [shop, owner, reference, status] = &self.0.index;
        let was_due = row.get_ref(7)? != ValueRef::Null;
        Ok(Some(Found {
            stream: row.get(0)?,
            last: row.get(9)?,
            moves: differs(3, shop)? || differs(4, owner)? || differs(5, reference)?,
            turns: differs(6, status)?,
            wakes: match self.0.wake {
                Wake::Keep => false,
                Wake::Nothing => was_due,
                Wake::Leased { .. } | Wake::At { .. } => true,
            },
        }))
    }

    /// A new row, if the append is to a new stream.
    fn insert(&self, connection: &Connection) -> rusqlite::Result<Option<i64>> {
        if self.0.after != 0 {
            return Ok(None);
        }
        let [shop, owner, reference, status] = &self.0.index;
        let (wake, leased, since) = self.0.due();
        // They are written next, behind what is there.
        let events = i64::try_from(self.0.events.len()).ok().filter(|events| *events > 0);
        let inserted = connection
            .prepare_cached(
                "INSERT INTO streams (id, aggregate, revision, version, state, shop, owner, reference, status, \
                 created, updated, since, wake, leased, origin, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
                 ?10, ?11, ?12, ?13, ?14, ?15, (SELECT coalesce(max(position), 0) FROM events) + ?16) \
                 ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![
                self.0.id.as_bytes(),
                self.0.aggregate,
                self.0.revision,
                self.0.version,
                self.0.state,
                shop,
                owner,
                reference,
                status,
                self.0.created,
                self.0.updated,
                since,
                wake,
                leased,
                self.0.origin,
                events,
            ])?;
        Ok((inserted > 0).then(|| connection.last_insert_rowid()))
    }

    fn update(&self, connection: &Connection, found: Found, last: Option<i64>) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "UPDATE streams SET revision = ?2, version = ?3, state = ?4, updated = ?5, last = ?6 WHERE stream = ?1",
            )?
            .execute(params![found.stream, self.0.revision, self.0.version, self.0.state, self.0.updated, last])?;
        if self.0.after == 0 {
            // The row held a claim, and nothing had happened yet.
            connection
                .prepare_cached("UPDATE streams SET created = ?2 WHERE stream = ?1")?
                .execute(params![found.stream, self.0.created])?;
        }
        let [shop, owner, reference, status] = &self.0.index;
        if found.moves {
            connection
                .prepare_cached("UPDATE streams SET shop = ?2, owner = ?3, reference = ?4 WHERE stream = ?1")?
                .execute(params![found.stream, shop, owner, reference])?;
        }
        if found.turns {
            connection
                .prepare_cached("UPDATE streams SET status = ?2 WHERE stream = ?1")?
                .execute(params![found.stream, status])?;
        }
        if found.wakes {
            let (wake, leased, since) = self.0.due();
            connection
                .prepare_cached(
                    "UPDATE streams SET wake = ?2, leased = ?3, since = ?4, origin = ?5, attempts = 0, error = NULL \
                     WHERE stream = ?1",
                )?
                .execute(params![found.stream, wake, leased, since, self.0.origin])?;
        }
        Ok(())
    }

    /// Writes the events behind the stream's last one. Returns their positions.
    fn write_events(&self, connection: &Connection, stream: i64, mut last: Option<i64>) -> rusqlite::Result<Vec<i64>> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO events (stream, revision, time, cause, origin, data, name, body, previous) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let positions = self.0.events.iter().map(|event| {
            let (name, body) = event.published.as_ref().map_or((None, None), |(name, body)| (Some(*name), Some(body)));
            let EncodedEvent { revision, origin, data, .. } = event;
            let cause = event.cause.filter(|cause| cause.may_recur()).map(|cause| cause.uuid().into_bytes());
            insert.execute(params![stream, revision, self.0.updated, cause, origin, data, name, body, last])?;
            let position = connection.last_insert_rowid();
            last = Some(position);
            Ok(position)
        });
        positions.collect()
    }

    fn write_entries(&self, connection: &Connection, stream: i64) -> rusqlite::Result<()> {
        for (key, data) in &self.0.entries {
            connection
                .prepare_cached(
                    "INSERT INTO entries (stream, key, data, updated) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (stream, key) DO UPDATE SET data = excluded.data, updated = excluded.updated",
                )?
                .execute(params![stream, key, data, self.0.updated])?;
        }
        Ok(())
    }

    fn write_claims(&self, connection: &Connection, stream: i64) -> rusqlite::Result<()> {
        if self.0.release {
            connection
                .prepare_cached(
                    "DELETE FROM claims WHERE stream = ?1 AND key = (SELECT claim FROM streams WHERE stream = ?1)",
                )?
                .execute([stream])?;
        }
        for EncodedClaim { key, fingerprint, revision } in &self.0.claims {
            let (key, fingerprint) = (key.as_bytes(), fingerprint.as_bytes());
            connection
                .prepare_cached("INSERT INTO claims (key, stream, revision, fingerprint) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![key, stream, revision, fingerprint])?;
            connection
                .prepare_cached("UPDATE streams SET claim = ?2 WHERE stream = ?1")?
                .execute(params![stream, key])?;
        }
        Ok(())
    }
}
