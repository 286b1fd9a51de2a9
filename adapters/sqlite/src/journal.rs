//! Streams on `SQLite`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Append, AppendError, Claimed, Journal, Loaded, Lookup, StoreError, Wake};
use highstreet_domain::kernel::{Aggregate, ClaimKey, Fingerprint, Happened, Id, Origin, Publish, Standing, Timestamp};
use rusqlite::{Connection, OptionalExtension, named_params, params};

use crate::codec::{count, decode, encode, encode_origin, int, time, uuid};
use crate::fresh::{Fresh, FreshEvent};
use crate::queries;
use crate::recent::Recent;
use crate::store::Store;

/// The streams of one kind of aggregate in one file.
pub struct SqliteJournal<A: Aggregate> {
    store: Arc<Store>,
    publish: Publish<A>,
    recent: Recent<Id<A>, Loaded<A>>,
}

/// An append as the writer takes it: encoded, so that the writer thread is the same for all aggregates.
struct Encoded {
    id: [u8; 16],
    aggregate: &'static str,
    after: i64,
    revision: i64,
    version: u32,
    state: Vec<u8>,
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

// === impl SqliteJournal ===

impl<A: Aggregate> SqliteJournal<A> {
    /// The streams of `A` in `store`, whose events are published as `publish` says.
    pub fn new(store: Arc<Store>, publish: Publish<A>) -> Self {
        Self { store, publish, recent: Recent::new() }
    }

    /// Remembers what an append led to, unless it waits for a call: that one's attempts are counted in the file.
    fn remember(&self, append: &Append<A>) {
        if append.wake != Wake::Keep {
            self.store.put_off().remove(&append.id.uuid());
        }
        let since = match append.wake {
            Wake::Leased { .. } => None,
            Wake::At { since, .. } => Some(since),
            Wake::Nothing => Some(0),
            Wake::Keep => self.recent.get(&append.id).map(|known| known.since),
        };
        match since {
            Some(since) => {
                let standing = append.standing.clone();
                self.recent.put(append.id, Loaded { standing, since, ..Loaded::default() });
            }
            None => self.recent.forget(&append.id),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    fn encode(&self, append: &Append<A>) -> Result<Encoded, StoreError> {
        let events = append.events.iter().zip(append.after + 1..).map(|(recorded, revision)| {
            let happened = Happened {
                id: append.id,
                revision,
                state: &recorded.state,
                event: &recorded.event,
                origin: &recorded.origin,
            };
            Ok(EncodedEvent {
                revision: int(revision),
                cause: recorded.cause.map(|cause| cause.uuid().into_bytes()),
                told_of: recorded.origin.clone(),
                origin: encode_origin(&recorded.origin),
                data: encode(&recorded.event)?,
                published: (self.publish)(&happened).map(|published| (published.name, published.body)),
            })
        });
        let index = append.index.clone().map_or([None, None, None, None], |index| {
            [Some(index.shop), Some(index.owner), Some(index.reference), Some(index.status)]
        });
        let entries = append.entries.iter().map(|(key, entry)| Ok((key.clone(), encode(entry)?)));
        Ok(Encoded {
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
            events: events.collect::<Result<_, StoreError>>()?,
            claims: append
                .claims
                .iter()
                .map(|(claim, revision)| {
                    (claim.key.uuid().into_bytes(), claim.fingerprint.uuid().into_bytes(), int(*revision))
                })
                .collect(),
            release: append.release,
            entries: entries.collect::<Result<_, StoreError>>()?,
        })
    }
}

#[async_trait]
impl<A: Aggregate> Journal<A> for SqliteJournal<A> {
    async fn load(&self, id: Id<A>, lookups: &[Lookup]) -> Result<Loaded<A>, StoreError> {
        if lookups.is_empty()
            && !self.store.put_off().contains(&id.uuid())
            && let Some(loaded) = self.recent.get(&id)
        {
            return Ok(loaded);
        }
        let (found, looked_up) = self.store.read(|connection| {
            let Some((stream, found)) = queries::stream::<A>(connection, id)? else { return Ok((None, vec![])) };
            let looked_up = lookups.iter().map(|lookup| look_up(connection, stream, lookup));
            Ok((Some(found), looked_up.collect::<Result<Vec<_>, _>>()?))
        })?;
        let Some(found) = found else {
            let nothing = Loaded::default();
            return Ok(Loaded { answers: vec![None; lookups.len()], entries: vec![None; lookups.len()], ..nothing });
        };
        let (since, attempts, found_idle) = (found.since, found.attempts, found.waits_for_nothing);
        let standing = match found.decode::<A>()? {
            Some(standing) => standing,
            None => fold(self.history(id).await?),
        };
        if found_idle {
            self.recent.put(id, Loaded { standing: standing.clone(), since, ..Loaded::default() });
        }
        let (mut answers, mut entries) = (Vec::new(), Vec::new());
        for (answer, entry) in looked_up {
            answers.push(answer);
            entries.push(entry.as_deref().map(decode).transpose()?);
        }
        Ok(Loaded { standing, since, attempts, answers, entries })
    }

    async fn append(&self, append: Append<A>) -> Result<(), AppendError> {
        let encoded = self.encode(&append)?;
        let encoded = Arc::new(encoded);
        let (work, told) = (encoded.clone(), encoded);
        let (fresh, published) = (self.store.fresh.clone(), self.store.published.clone());
        let after = move |positions: &Result<Vec<i64>, AppendError>| {
            if let Ok(positions) = positions
                && told.hand_to_relay(positions, &fresh)
            {
                published.ring();
            }
        };
        if let Err(error) = self.store.write(move |connection| write(connection, &work), after).await? {
            self.recent.forget(&append.id);
            return Err(error);
        }
        self.remember(&append);
        self.store.changed.ring();
        if let Wake::At { at, .. } | Wake::Leased { until: at, .. } = append.wake
            && at.as_micros() < self.store.next_look.load(Ordering::SeqCst)
        {
            self.store.due.ring();
        }
        Ok(())
    }

    async fn claimed(&self, key: ClaimKey) -> Result<Option<Claimed<A>>, StoreError> {
        self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT s.id, c.revision, c.fingerprint FROM claims c JOIN streams s USING (stream) \
                     WHERE c.key = ?1",
                )?
                .query_row([key.uuid().into_bytes()], |row| {
                    Ok(Claimed {
                        id: Id::new(uuid(row.get(0)?)),
                        revision: count(row.get(1)?),
                        fingerprint: Fingerprint::stored(uuid(row.get(2)?)),
                    })
                })
                .optional()
        })
    }

    async fn history(&self, id: Id<A>) -> Result<Vec<(Timestamp, A::Event)>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT e.time, e.data FROM streams s JOIN events e USING (stream) \
                     WHERE s.id = ?1 AND s.aggregate = ?2 ORDER BY e.revision",
                )?
                .query_map(params![id.uuid().into_bytes(), A::NAME], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        rows.into_iter().map(|(micros, data)| Ok((time(micros), decode(&data)?))).collect()
    }
}

/// What the stream is, folded from all that happened: for states that another version wrote.
fn fold<A: Aggregate>(history: Vec<(Timestamp, A::Event)>) -> Standing<A> {
    let mut standing = Loaded::<A>::default().standing;
    standing.created = history.first().map_or(standing.created, |(time, _)| *time);
    for (time, event) in history {
        standing.state = standing.state.evolve(&event);
        standing.revision += 1;
        standing.updated = time;
    }
    standing
}

fn look_up(connection: &Connection, stream: i64, lookup: &Lookup) -> rusqlite::Result<(Option<u64>, Option<Vec<u8>>)> {
    let answer = connection
        .prepare_cached("SELECT revision FROM events WHERE stream = ?1 AND cause = ?2")?
        .query_row(params![stream, lookup.cause.uuid().into_bytes()], |row| row.get(0).map(count))
        .optional()?;
    let entry = match &lookup.key {
        Some(key) => connection
            .prepare_cached("SELECT data FROM entries WHERE stream = ?1 AND key = ?2")?
            .query_row(params![stream, key], |row| row.get(0))
            .optional()?,
        None => None,
    };
    Ok((answer, entry))
}

// === On the writer thread ===

impl Encoded {
    /// Hands over what is to be published; whether that was anything.
    fn hand_to_relay(&self, positions: &[i64], fresh: &Mutex<Fresh>) -> bool {
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
}

/// Looks first and writes after, so that a refusal leaves no trace in the group. Returns the events' positions.
fn write(connection: &Connection, append: &Encoded) -> rusqlite::Result<Result<Vec<i64>, AppendError>> {
    for (key, ..) in &append.claims {
        let mut taken = connection.prepare_cached("SELECT 1 FROM claims WHERE key = ?1")?;
        if taken.exists([key])? {
            return Ok(Err(AppendError::Claimed(ClaimKey::stored(uuid(*key)))));
        }
    }
    let Some(stream) = write_stream(connection, append)? else { return Ok(Err(AppendError::Conflict)) };
    let mut positions = Vec::with_capacity(append.events.len());
    for event in &append.events {
        let (name, body) = event.published.as_ref().map_or((None, None), |(name, body)| (Some(*name), Some(body)));
        connection
            .prepare_cached(
                "INSERT INTO events (stream, revision, time, cause, origin, data, name, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                stream,
                event.revision,
                append.updated,
                event.cause,
                event.origin,
                event.data,
                name,
                body
            ])?;
        positions.push(connection.last_insert_rowid());
    }
    for (key, data) in &append.entries {
        connection
            .prepare_cached(
                "INSERT INTO entries (stream, key, data, updated) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (stream, key) DO UPDATE SET data = excluded.data, updated = excluded.updated",
            )?
            .execute(params![stream, key, data, append.updated])?;
    }
    write_claims(connection, stream, append)?;
    Ok(Ok(positions))
}

/// The row of the stream, if it is as the append expects.
fn write_stream(connection: &Connection, append: &Encoded) -> rusqlite::Result<Option<i64>> {
    let sql = match (append.after, append.wake) {
        (0, _) => INSERT,
        (_, Wake::Keep) => UPDATE,
        (_, _) => UPDATE_AND_WAKE,
    };
    let [shop, owner, reference, status] = &append.index;
    let (wake, leased, since) = match append.wake {
        Wake::Leased { until, since } => (Some(until.as_micros()), 1, since),
        Wake::At { at, since } => (Some(at.as_micros()), 0, since),
        Wake::Keep | Wake::Nothing => (None, 0, 0),
    };
    let mut statement = connection.prepare_cached(sql)?;
    let parameters = named_params! {
        ":id": append.id,
        ":aggregate": append.aggregate,
        ":after": append.after,
        ":revision": append.revision,
        ":version": append.version,
        ":state": append.state,
        ":shop": shop,
        ":owner": owner,
        ":reference": reference,
        ":status": status,
        ":created": append.created,
        ":updated": append.updated,
        ":since": int(since),
        ":wake": wake,
        ":leased": leased,
        ":origin": append.origin,
    };
    // Each statement takes those it names.
    for (name, value) in parameters {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    let mut rows = statement.raw_query();
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// A row of revision 0 only holds a claim.
const INSERT: &str = "
    INSERT INTO streams (id, aggregate, revision, version, state, shop, owner, reference, status, created, updated,
        since, wake, leased, origin)
    VALUES (:id, :aggregate, :revision, :version, :state, :shop, :owner, :reference, :status, :created, :updated,
        :since, :wake, :leased, :origin)
    ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, state = excluded.state, shop = excluded.shop,
        owner = excluded.owner, reference = excluded.reference, status = excluded.status,
        created = excluded.created, updated = excluded.updated, since = excluded.since, wake = excluded.wake,
        leased = excluded.leased, origin = excluded.origin
    WHERE streams.revision = 0 AND streams.aggregate = excluded.aggregate
    RETURNING stream";

/// What is due stays as it is.
const UPDATE: &str = "
    UPDATE streams SET revision = :revision, version = :version, state = :state, shop = :shop, owner = :owner,
        reference = :reference, status = :status, updated = :updated
    WHERE id = :id AND aggregate = :aggregate AND revision = :after
    RETURNING stream";

const UPDATE_AND_WAKE: &str = "
    UPDATE streams SET revision = :revision, version = :version, state = :state, shop = :shop, owner = :owner,
        reference = :reference, status = :status, updated = :updated, since = :since, wake = :wake,
        leased = :leased, attempts = 0, error = NULL, origin = :origin
    WHERE id = :id AND aggregate = :aggregate AND revision = :after
    RETURNING stream";

fn write_claims(connection: &Connection, stream: i64, append: &Encoded) -> rusqlite::Result<()> {
    if append.release {
        connection
            .prepare_cached(
                "DELETE FROM claims WHERE stream = ?1 AND key = (SELECT claim FROM streams WHERE stream = ?1)",
            )?
            .execute([stream])?;
    }
    for (key, fingerprint, revision) in &append.claims {
        connection
            .prepare_cached("INSERT INTO claims (key, stream, revision, fingerprint) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key, stream, revision, fingerprint])?;
        connection.prepare_cached("UPDATE streams SET claim = ?2 WHERE stream = ?1")?.execute(params![stream, key])?;
    }
    Ok(())
}
