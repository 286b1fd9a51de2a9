//! Streams on PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Append, AppendError, Claimed, Journal, Loaded, Lookup, StoreError};
use highstreet_domain::kernel::{Aggregate, Cause, ClaimKey, Fingerprint, Id, Publish, Standing, Timestamp};
use highstreet_foundation::codec::{count, decode, time};
use highstreet_foundation::encoded::{EncodedAppend, fold};
use highstreet_foundation::trace;
use tracing::Instrument;
use uuid::Uuid;

use crate::queries::StreamRow;
use crate::store::Store;

/// The streams of one kind of aggregate in one schema.
pub struct PostgresJournal<A: Aggregate> {
    store: Arc<Store>,
    publish: Publish<A>,
}

/// What spans call it.
const POSTGRESQL: &str = "postgresql";

/// A stream, what it answered and what it keeps: in one statement, so that all of it is of one moment.
const LOAD: &str = "
SELECT s.id, s.revision, s.version, s.state, s.created, s.updated, s.since, s.attempts, s.era,
    ARRAY(SELECT (SELECT e.revision FROM events e WHERE e.stream = s.stream AND e.cause = l.cause LIMIT 1)
        FROM unnest($3::uuid[]) WITH ORDINALITY AS l(cause, n) ORDER BY n),
    ARRAY(SELECT (SELECT k.data FROM entries k WHERE k.stream = s.stream AND k.key = l.key)
        FROM unnest($4::text[]) WITH ORDINALITY AS l(key, n) ORDER BY n)
FROM streams s WHERE s.id = $1 AND s.aggregate = $2";

const LOAD_ALONE: &str = "
SELECT s.id, s.revision, s.version, s.state, s.created, s.updated, s.since, s.attempts, s.era
FROM streams s WHERE s.id = $1 AND s.aggregate = $2";

// === impl PostgresJournal ===

impl<A: Aggregate> PostgresJournal<A> {
    /// The streams of `A` in `store`, whose events are published as `publish` says.
    pub fn new(store: Arc<Store>, publish: Publish<A>) -> Self {
        Self { store, publish }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Where the stream in `row` stands; folded from its events if another version wrote its state.
    pub(crate) async fn standing(&self, row: &StreamRow) -> Result<Standing<A>, StoreError> {
        match row.decode()? {
            Some(standing) => Ok(standing),
            None => Ok(fold(self.history(Id::new(row.id)).await?)),
        }
    }
}

#[async_trait]
impl<A: Aggregate> Journal<A> for PostgresJournal<A> {
    async fn load(&self, id: Id<A>, lookups: &[Lookup]) -> Result<Loaded<A>, StoreError> {
        let span = trace::storing(POSTGRESQL, "load", self.store.schema.name(), trace::current().as_deref());
        let rows = if lookups.is_empty() {
            self.store.query(LOAD_ALONE, &[&id.uuid(), &A::NAME]).instrument(span).await?
        } else {
            let causes: Vec<Option<Uuid>> = lookups.iter().map(|lookup| lookup.cause.map(Cause::uuid)).collect();
            let keys: Vec<Option<&str>> = lookups.iter().map(|lookup| lookup.key.as_deref()).collect();
            self.store.query(LOAD, &[&id.uuid(), &A::NAME, &causes, &keys]).instrument(span).await?
        };
        let Some(row) = rows.first() else {
            let nothing = Loaded::default();
            return Ok(Loaded { answers: vec![None; lookups.len()], entries: vec![None; lookups.len()], ..nothing });
        };
        let found = StreamRow::read(row);
        let (mut answers, mut entries) = (Vec::new(), Vec::new());
        if !lookups.is_empty() {
            answers.extend(row.get::<_, Vec<Option<i64>>>(9).into_iter().map(|revision| revision.map(count)));
            for entry in row.get::<_, Vec<Option<&str>>>(10) {
                entries.push(entry.map(|entry| decode(entry.as_bytes())).transpose()?);
            }
        }
        let standing = self.standing(&found).await?;
        Ok(Loaded { standing, era: found.era, since: found.since, attempts: found.attempts, answers, entries })
    }

    async fn append(&self, append: Append<A>) -> Result<(), AppendError> {
        let span = trace::storing(POSTGRESQL, "append", self.store.schema.name(), append.origin.trace.as_deref());
        let done = self.store.append(EncodedAppend::of(&append, self.publish)?).instrument(span.clone()).await;
        if let Err(AppendError::Store(_)) = done {
            trace::failed(&span);
        }
        done
    }

    async fn claimed(&self, key: ClaimKey) -> Result<Option<Claimed<A>>, StoreError> {
        let holder = "SELECT s.id, c.revision, c.fingerprint FROM claims c JOIN streams s USING (stream) \
                      WHERE c.key = $1";
        let rows = self.store.query(holder, &[&key.uuid()]).await?;
        Ok(rows.first().map(|row| Claimed {
            id: Id::new(row.get(0)),
            revision: count(row.get(1)),
            fingerprint: Fingerprint::stored(row.get(2)),
        }))
    }

    async fn history(&self, id: Id<A>) -> Result<Vec<(Timestamp, A::Event)>, StoreError> {
        let events = "SELECT time, data FROM events \
                      WHERE stream = (SELECT stream FROM streams WHERE id = $1 AND aggregate = $2) ORDER BY revision";
        let rows = self.store.query(events, &[&id.uuid(), &A::NAME]).await?;
        rows.iter().map(|row| Ok((time(row.get(0)), decode(row.get::<_, &str>(1).as_bytes())?))).collect()
    }
}
