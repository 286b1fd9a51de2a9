//! Streams on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Append, AppendError, Claimed, Journal, Loaded, Lookup, StoreError, Wake};
use highstreet_domain::kernel::{Aggregate, ClaimKey, Fingerprint, Id, Publish, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::append::Appending;
use crate::queries::{self, StreamRow, history};
use crate::store::Store;
use highstreet_foundation::codec::{count, decode, time, uuid};
use highstreet_foundation::encoded::{EncodedAppend, fold};
use highstreet_foundation::recent::{Recent, age};
use highstreet_foundation::trace;
use tracing::Instrument;

/// The streams of one kind of aggregate in one file.
pub struct SqliteJournal<A: Aggregate> {
    store: Arc<Store>,
    publish: Publish<A>,
    recent: Arc<Recent<Id<A>, Loaded<A>>>,
}

/// What spans call it.
const SQLITE: &str = "sqlite";

// === impl SqliteJournal ===

impl<A: Aggregate> SqliteJournal<A> {
    /// The streams of `A` in `store`, whose events are published as `publish` says.
    pub fn new(store: Arc<Store>, publish: Publish<A>) -> Self {
        let recent = Arc::new(Recent::default());
        store.rewritten().watch_streams(&recent);
        Self { store, publish, recent }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What was found, remembered unless it waits for something.
    async fn loaded(&self, id: Id<A>, found: &StreamRow) -> Result<Loaded<A>, StoreError> {
        let standing = match found.decode::<A>()? {
            Some(standing) => standing,
            None => fold(self.history(id).await?),
        };
        let loaded = Loaded { standing, era: found.era, since: found.since, ..Loaded::default() };
        if found.waits_for_nothing {
            self.recent.put(id, loaded.clone(), found.state.len());
        }
        Ok(Loaded { attempts: found.attempts, ..loaded })
    }
}

#[async_trait]
impl<A: Aggregate> Journal<A> for SqliteJournal<A> {
    async fn load(&self, id: Id<A>, lookups: &[Lookup]) -> Result<Loaded<A>, StoreError> {
        let is_put_off = self.store.put_off().contains(&id.uuid());
        let known = if is_put_off { None } else { self.recent.get(&id) };
        if lookups.is_empty()
            && let Some(known) = known
        {
            return Ok(known);
        }
        let span = trace::storing(SQLITE, "load", self.store.tally.context(), trace::current().as_deref());
        let (found, looked_up) = self.store.read(|connection| {
            // What is known need not be read once more, but for what is looked up beside it.
            let same = known.as_ref().map(|known| queries::unchanged(connection, id, known)).transpose()?.flatten();
            let found = match same {
                Some(stream) => Some((stream, None)),
                None => queries::stream::<A>(connection, id)?.map(|(stream, found)| (stream, Some(found))),
            };
            let Some((stream, found)) = found else { return Ok((None, vec![])) };
            let looked_up = lookups.iter().map(|lookup| look_up(connection, stream, lookup));
            Ok((Some(found), looked_up.collect::<Result<Vec<_>, _>>()?))
        })?;
        drop(span);
        let Some(found) = found else {
            let nothing = Loaded::default();
            return Ok(Loaded { answers: vec![None; lookups.len()], entries: vec![None; lookups.len()], ..nothing });
        };
        let loaded = match found {
            Some(found) => self.loaded(id, &found).await?,
            None => known.unwrap_or_default(),
        };
        let (mut answers, mut entries) = (Vec::new(), Vec::new());
        for (answer, entry) in looked_up {
            answers.push(answer);
            entries.push(entry.as_deref().map(decode).transpose()?);
        }
        Ok(Loaded { answers, entries, ..loaded })
    }

    async fn append(&self, append: Append<A>) -> Result<(), AppendError> {
        let span = trace::storing(SQLITE, "append", self.store.tally.context(), append.origin.trace.as_deref());
        let encoded = Appending(EncodedAppend::of(&append, self.publish)?);
        // What one thread takes from the allocator is dear for another to give back: this one keeps a share to the end.
        let shared = Arc::new((encoded, append));
        let (work, told) = (shared.clone(), shared.clone());
        let (store, recent) = (self.store.clone(), self.recent.clone());
        let after = move |written: &Result<Vec<i64>, AppendError>| match written {
            Ok(positions) => {
                // Remembered before anybody is told, so that whoever is told reads what they were told of.
                let (encoded, append) = &*told;
                remember(&store, &recent, append, encoded.0.state.len());
                store.tally.count(&encoded.0);
                if encoded.hand_to_relay(positions, &store.fresh) {
                    store.published.ring();
                }
                store.changed.ring();
                store.wake_for(append.wake);
            }
            // Whatever it is now, it is further than the append thought.
            Err(_) => recent.forget(told.1.id, age(told.1.era, told.1.after) + 1),
        };
        let written = self.store.write(move |connection| work.0.write(connection), after).instrument(span).await;
        drop(shared);
        written?.map(drop)
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
                .prepare_cached(history!("e.time, e.data", "s.id = ?1 AND s.aggregate = ?2"))?
                .query_map(params![id.uuid().into_bytes(), A::NAME], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        rows.into_iter().map(|(micros, data)| Ok((time(micros), decode(&data)?))).collect()
    }
}

/// Remembers what an append led to, unless it waits for a call: that one's attempts are counted in the file.
fn remember<A: Aggregate>(store: &Store, recent: &Recent<Id<A>, Loaded<A>>, append: &Append<A>, bytes: usize) {
    if append.wake != Wake::Keep {
        store.put_off().remove(&append.id.uuid());
    }
    let since = match append.wake {
        Wake::Leased { .. } => None,
        Wake::At { since, .. } => Some(since),
        Wake::Nothing => Some(0),
        Wake::Keep => recent.get(&append.id).map(|known| known.since),
    };
    match since {
        Some(since) => {
            let standing = append.standing.clone();
            recent.put(append.id, Loaded { standing, era: append.era, since, ..Loaded::default() }, bytes);
        }
        None => recent.forget(append.id, age(append.era, append.standing.revision)),
    }
}

fn look_up(connection: &Connection, stream: i64, lookup: &Lookup) -> rusqlite::Result<(Option<u64>, Option<Vec<u8>>)> {
    let answer = match lookup.cause {
        Some(cause) => connection
            .prepare_cached("SELECT revision FROM events WHERE stream = ?1 AND cause = ?2")?
            .query_row(params![stream, cause.uuid().into_bytes()], |row| row.get(0).map(count))
            .optional()?,
        None => None,
    };
    let entry = match &lookup.key {
        Some(key) => connection
            .prepare_cached("SELECT data FROM entries WHERE stream = ?1 AND key = ?2")?
            .query_row(params![stream, key], |row| row.get(0))
            .optional()?,
        None => None,
    };
    Ok((answer, entry))
}
