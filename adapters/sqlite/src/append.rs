//! Appends, encoded for the writer's thread, which is the same for all aggregates.

use std::sync::{Arc, Mutex, PoisonError};

use highstreet_domain::kernel::ports::{Append, AppendError, StoreError, Wake};
use highstreet_domain::kernel::{Aggregate, ClaimKey, Happened, Origin, Publish};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, named_params, params};

use crate::codec::{count, encode, encode_origin, int, time, uuid};
use crate::fresh::{Fresh, FreshEvent};

/// An append as the writer takes it.
pub(crate) struct Encoded {
    id: [u8; 16],
    aggregate: &'static str,
    after: i64,
    revision: i64,
    version: u32,
    state: Vec<u8>,
    /// Shop, owner, reference, status.
    index: [Option<String>; 4],
    created: i64,
    updated: i64,
    wake: Wake,
    origin: String,
    events: Vec<EncodedEvent>,
    claims: Vec<([u8; 16], [u8; 16], i64)>,
    release: bool,
    entries: Vec<(String, Vec<u8>)>,
}

struct EncodedEvent {
    revision: i64,
    cause: Option<[u8; 16]>,
    told_of: Arc<Origin>,
    origin: String,
    data: Vec<u8>,
    published: Option<(&'static str, Vec<u8>)>,
}

/// A stream's row, and which of its indexed columns an append changes: an index is touched only if it must be.
#[derive(Clone, Copy)]
struct Found {
    stream: i64,
    moves: bool,
    turns: bool,
    wakes: bool,
}

// === impl Encoded ===

impl Encoded {
    pub(crate) fn of<A: Aggregate>(append: &Append<A>, publish: Publish<A>) -> Result<Self, StoreError> {
        let events = append.events.iter().zip(append.after + 1..).map(|(recorded, revision)| {
            let (id, state, event, origin) = (append.id, &recorded.state, &recorded.event, &*recorded.origin);
            let happened = Happened { id, revision, state, event, origin };
            Ok(EncodedEvent {
                revision: int(revision),
                cause: recorded.cause.map(|cause| cause.uuid().into_bytes()),
                told_of: recorded.origin.clone(),
                origin: encode_origin(origin),
                data: encode(event)?,
                published: publish(&happened).map(|published| (published.name, published.body)),
            })
        });
        let events = events.collect::<Result<_, StoreError>>()?;
        let index = append.index.clone().map_or([None, None, None, None], |index| {
            [Some(index.shop), Some(index.owner), Some(index.reference), Some(index.status)]
        });
        let claims = append.claims.iter().map(|(claim, revision)| {
            (claim.key.uuid().into_bytes(), claim.fingerprint.uuid().into_bytes(), int(*revision))
        });
        let entries = append.entries.iter().map(|(key, entry)| Ok((key.clone(), encode(entry)?)));
        Ok(Self {
            id: append.id.uuid().into_bytes(),
            aggregate: A::NAME,
            after: int(append.after),
            revision: int(append.standing.revision),
            version: A::VERSION,
            state: encode(&append.standing.state)?,
            index,
            created: append.standing.created.as_micros(),
            updated: append.standing.updated.as_micros(),
            wake: append.wake,
            origin: encode_origin(&append.origin),
            events,
            claims: claims.collect(),
            release: append.release,
            entries: entries.collect::<Result<_, StoreError>>()?,
        })
    }

    /// Hands over what is to be published; whether that was anything.
    pub(crate) fn hand_to_relay(&self, positions: &[i64], fresh: &Mutex<Fresh>) -> bool {
        let told = self.events.iter().zip(positions).filter_map(|(event, position)| {
            let (name, body) = event.published.as_ref()?;
            Some(FreshEvent {
                position: count(*position),
                subject: uuid(self.id),
                revision: count(event.revision),
                time: time(self.updated),
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
        for (key, ..) in &self.claims {
            if connection.prepare_cached("SELECT 1 FROM claims WHERE key = ?1")?.exists([key])? {
                return Ok(Err(AppendError::Claimed(ClaimKey::stored(uuid(*key)))));
            }
        }
        let stream = match self.find(connection)? {
            Some(Ok(found)) => self.update(connection, found)?,
            None if self.after == 0 => self.insert(connection)?,
            Some(Err(Conflict)) | None => return Ok(Err(AppendError::Conflict)),
        };
        let positions = self.write_events(connection, stream)?;
        self.write_entries(connection, stream)?;
        self.write_claims(connection, stream)?;
        Ok(Ok(positions))
    }

    /// The stream's row, if it is as the append expects it.
    fn find(&self, connection: &Connection) -> rusqlite::Result<Option<Result<Found, Conflict>>> {
        let mut find = connection.prepare_cached(
            "SELECT stream, aggregate, revision, shop, owner, reference, status, wake FROM streams WHERE id = ?1",
        )?;
        let mut rows = find.query([self.id])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        if row.get_ref(1)?.as_str()? != self.aggregate || row.get::<_, i64>(2)? != self.after {
            return Ok(Some(Err(Conflict)));
        }
        let differs = |column: usize, wanted: &Option<String>| {
            Ok::<_, rusqlite::Error>(match (row.get_ref(column)?, wanted) {
                (ValueRef::Null, None) => false,
                (ValueRef::Text(found), Some(wanted)) => found != wanted.as_bytes(),
                _ => true,
            })
        };
        let [shop, owner, reference, status] = &self.index;
        let was_due = row.get_ref(7)? != ValueRef::Null;
        Ok(Some(Ok(Found {
            stream: row.get(0)?,
            moves: differs(3, shop)? || differs(4, owner)? || differs(5, reference)?,
            turns: differs(6, status)?,
            wakes: match self.wake {
                Wake::Keep => false,
                Wake::Nothing => was_due,
                Wake::Leased { .. } | Wake::At { .. } => true,
            },
        })))
    }

    fn insert(&self, connection: &Connection) -> rusqlite::Result<i64> {
        let [shop, owner, reference, status] = &self.index;
        let (wake, leased, since) = self.due();
        connection
            .prepare_cached(
                "INSERT INTO streams (id, aggregate, revision, version, state, shop, owner, reference, status, \
                 created, updated, since, wake, leased, origin) VALUES (:id, :aggregate, :revision, :version, :state, \
                 :shop, :owner, :reference, :status, :created, :updated, :since, :wake, :leased, :origin)",
            )?
            .execute(named_params! {
                ":id": self.id, ":aggregate": self.aggregate, ":revision": self.revision, ":version": self.version,
                ":state": self.state, ":shop": shop, ":owner": owner, ":reference": reference, ":status": status,
                ":created": self.created, ":updated": self.updated, ":since": since, ":wake": wake,
                ":leased": leased, ":origin": self.origin,
            })?;
        Ok(connection.last_insert_rowid())
    }

    fn update(&self, connection: &Connection, found: Found) -> rusqlite::Result<i64> {
        connection
            .prepare_cached(
                "UPDATE streams SET revision = ?2, version = ?3, state = ?4, updated = ?5 WHERE stream = ?1",
            )?
            .execute(params![found.stream, self.revision, self.version, self.state, self.updated])?;
        if self.after == 0 {
            // The row held a claim, and nothing had happened yet.
            connection
                .prepare_cached("UPDATE streams SET created = ?2 WHERE stream = ?1")?
                .execute(params![found.stream, self.created])?;
        }
        let [shop, owner, reference, status] = &self.index;
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
            let (wake, leased, since) = self.due();
            connection
                .prepare_cached(
                    "UPDATE streams SET wake = ?2, leased = ?3, since = ?4, origin = ?5, attempts = 0, error = NULL \
                     WHERE stream = ?1",
                )?
                .execute(params![found.stream, wake, leased, since, self.origin])?;
        }
        Ok(found.stream)
    }

    /// When it is due, whether that is a lease, and with which revision it became so.
    fn due(&self) -> (Option<i64>, i64, i64) {
        match self.wake {
            Wake::Leased { until, since } => (Some(until.as_micros()), 1, int(since)),
            Wake::At { at, since } => (Some(at.as_micros()), 0, int(since)),
            Wake::Keep | Wake::Nothing => (None, 0, 0),
        }
    }

    fn write_events(&self, connection: &Connection, stream: i64) -> rusqlite::Result<Vec<i64>> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO events (stream, revision, time, cause, origin, data, name, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let positions = self.events.iter().map(|event| {
            let (name, body) = event.published.as_ref().map_or((None, None), |(name, body)| (Some(*name), Some(body)));
            let EncodedEvent { revision, cause, origin, data, .. } = event;
            insert.execute(params![stream, revision, self.updated, cause, origin, data, name, body])?;
            Ok(connection.last_insert_rowid())
        });
        positions.collect()
    }

    fn write_entries(&self, connection: &Connection, stream: i64) -> rusqlite::Result<()> {
        for (key, data) in &self.entries {
            connection
                .prepare_cached(
                    "INSERT INTO entries (stream, key, data, updated) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (stream, key) DO UPDATE SET data = excluded.data, updated = excluded.updated",
                )?
                .execute(params![stream, key, data, self.updated])?;
        }
        Ok(())
    }

    fn write_claims(&self, connection: &Connection, stream: i64) -> rusqlite::Result<()> {
        if self.release {
            connection
                .prepare_cached(
                    "DELETE FROM claims WHERE stream = ?1 AND key = (SELECT claim FROM streams WHERE stream = ?1)",
                )?
                .execute([stream])?;
        }
        for (key, fingerprint, revision) in &self.claims {
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

/// The stream is not as the append expects it.
struct Conflict;
