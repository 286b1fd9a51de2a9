//! Rows of views, on PostgreSQL.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use highstreet_domain::kernel::ports::{Filter, Page, Row, Save, StoreError, Views};
use highstreet_domain::kernel::{Index, Timestamp, View};
use highstreet_foundation::codec::{count, decode, int, time};
use highstreet_foundation::encoded::EncodedSave;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row as Found};
use uuid::Uuid;

use crate::bells::Bells;
use crate::connect::{ended, no_answer, unavailable};
use crate::latest::Latest;
use crate::queries::Conditions;
use crate::store::Store;
use crate::unflushed::{Hasty, Mark, Unflushed, lost};

/// The rows of one view in one schema. Each projector has one of its own.
pub struct PostgresViews<V> {
    store: Arc<Store>,
    /// What they are called in the schema.
    name: Arc<str>,
    shared: Arc<Shared<V>>,
    mark: Mark,
}

/// What the projectors of a view have in common.
struct Shared<V> {
    unflushed: Unflushed,
    latest: Latest<V>,
    /// Of the rows beside that were asked for last.
    beside: Mutex<(String, Weak<Self>)>,
}

/// A row that was written, as the server says.
struct Written {
    key: String,
    cursor: u64,
    place: Uuid,
    created: Timestamp,
}

const COLUMNS: &str = "key, version, cursor, state, created, updated, place FROM views";

const LOAD: &str = "
SELECT v.* FROM unnest($2::text[]) AS wanted(key) CROSS JOIN LATERAL (
    SELECT key, version, cursor, state, created, updated, place FROM views
    WHERE view = $1 AND key = wanted.key OFFSET 0
) AS v";

/// Writes the rows whose version is still the one they were loaded with; returns those.
///
/// One writer at a time for each view, held to the commit: changes are numbered in the order of commits, and a cursor
/// skips none. What this statement saw before it had the lock is looked at again where it is written.
const SAVE: &str = "
WITH gate AS MATERIALIZED (
    SELECT pg_advisory_xact_lock($10)::text AS passed
), given AS MATERIALIZED (
    SELECT t.* FROM unnest($2::text[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::int8[]) AS t(key, version, state, shop, owner, reference, status, time)
    CROSS JOIN (SELECT count(passed) FROM gate) AS passed(times)
), made AS (
    INSERT INTO views (view, key, version, cursor, state, shop, owner, reference, status, created, updated)
    SELECT $1, key, 1, nextval('view_changes'), state, shop, owner, reference, status, time, time
    FROM given WHERE version = 0
    ON CONFLICT (view, key) DO NOTHING
    RETURNING key, cursor, place, created
), found AS MATERIALIZED (
    SELECT g.*, v.place FROM given g CROSS JOIN LATERAL (
        SELECT place, version FROM views WHERE view = $1 AND key = g.key OFFSET 0
    ) AS v WHERE g.version > 0 AND v.version = g.version
), changed AS (
    UPDATE views v SET version = v.version + 1, cursor = nextval('view_changes'), state = f.state, shop = f.shop,
        owner = f.owner, reference = f.reference, status = f.status, updated = f.time
    FROM found f WHERE v.place = f.place AND v.version = f.version
    RETURNING v.key, v.cursor, v.place, v.created
)
SELECT * FROM made UNION ALL SELECT * FROM changed";

/// The same for a single row that is there: at half of what that costs the server.
const SAVE_ONE: &str = "
WITH gate AS MATERIALIZED (
    SELECT pg_advisory_xact_lock($10)::text AS passed
)
UPDATE views v SET version = v.version + 1, cursor = nextval('view_changes'), state = $4, shop = $5, owner = $6,
    reference = $7, status = $8, updated = $9
FROM gate WHERE passed IS NOT NULL AND v.view = $1 AND v.key = $2 AND v.version = $3
RETURNING v.key, v.cursor, v.place, v.created";

/// The same for a single row that is not there yet.
const MAKE_ONE: &str = "
WITH gate AS MATERIALIZED (
    SELECT pg_advisory_xact_lock($10)::text AS passed
)
INSERT INTO views (view, key, version, cursor, state, shop, owner, reference, status, created, updated)
SELECT $1, $2, $3::int8 + 1, nextval('view_changes'), $4, $5, $6, $7, $8, $9, $9 FROM gate WHERE passed IS NOT NULL
ON CONFLICT (view, key) DO NOTHING
RETURNING key, cursor, place, created";

// === impl PostgresViews ===

impl<V: View> PostgresViews<V> {
    /// The rows of `V` in `store`.
    pub fn new(store: Arc<Store>) -> Self {
        Self::called(store, V::NAME)
    }

    /// The rows called `name`.
    pub(crate) fn called(store: Arc<Store>, name: &str) -> Self {
        Self { store, name: name.into(), shared: Arc::default(), mark: Mark::default() }
    }

    /// The same rows, for another projector.
    #[must_use]
    pub fn for_another(&self) -> Self {
        let Self { store, name, shared, .. } = self;
        Self { store: store.clone(), name: name.clone(), shared: shared.clone(), mark: Mark::default() }
    }

    /// The rows called `name`: whoever asks for the same ones has what they share in common.
    pub(crate) fn beside_called(&self, name: &str) -> Self {
        let mut beside = self.shared.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Self::called(self.store.clone(), name);
        match beside.1.upgrade().filter(|_| beside.0 == name) {
            Some(shared) => rows.shared = shared,
            None => *beside = (name.to_owned(), Arc::downgrade(&rows.shared)),
        }
        rows
    }

    async fn hasty(&self) -> Result<Arc<Hasty>, StoreError> {
        self.shared.unflushed.lend(&self.store).await
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The rows that were written, in the order of their cursors. May be tried again: what was written before has another
    /// version now.
    async fn save_encoded(&self, rows: &[EncodedSave]) -> Result<Vec<Written>, StoreError> {
        let mut again = true;
        loop {
            let hasty = self.hasty().await?;
            if !self.mark.allows(&hasty) {
                return Err(lost());
            }
            match timeout(self.store.lending().patience, self.try_save(&hasty.client, rows)).await {
                Ok(Ok(saved)) => {
                    self.mark.saved(&hasty);
                    return Ok(saved);
                }
                // The server was restarted since this connection was used last.
                Ok(Err(error)) if again && ended(&error) => again = false,
                Ok(Err(error)) => return Err(unavailable(&error)),
                Err(_) => {
                    self.shared.unflushed.give_up(&hasty).await;
                    return Err(no_answer());
                }
            }
        }
    }

    async fn try_save(&self, connection: &ClientWrapper, rows: &[EncodedSave]) -> Result<Vec<Written>, Error> {
        let gate = self.store.schema.view_lock(&self.name);
        if let [row] = rows {
            return self.try_save_one(connection, row, gate).await;
        }
        let column = |read: fn(&EncodedSave) -> &str| rows.iter().map(read).collect::<Vec<_>>();
        let states: Vec<_> = rows.iter().map(|row| String::from_utf8_lossy(&row.state)).collect();
        let versions: Vec<i64> = rows.iter().map(|row| row.version).collect();
        let times: Vec<i64> = rows.iter().map(|row| row.time).collect();
        let save = connection.prepare_cached(SAVE).await?;
        let written = connection
            .query(
                &save,
                &[
                    &&*self.name,
                    &column(|row| &row.key),
                    &versions,
                    &states,
                    &column(|row| &row.index.shop),
                    &column(|row| &row.index.owner),
                    &column(|row| &row.index.reference),
                    &column(|row| &row.index.status),
                    &times,
                    &gate,
                ],
            )
            .await?;
        Ok(written.iter().map(Written::read).collect())
    }

    async fn try_save_one(
        &self,
        connection: &ClientWrapper,
        row: &EncodedSave,
        gate: i64,
    ) -> Result<Vec<Written>, Error> {
        let state = String::from_utf8_lossy(&row.state);
        let Index { shop, owner, reference, status } = &row.index;
        let save = connection.prepare_cached(if row.version > 0 { SAVE_ONE } else { MAKE_ONE }).await?;
        let row: [&(dyn ToSql + Sync); 10] =
            [&&*self.name, &row.key, &row.version, &state, shop, owner, reference, status, &row.time, &gate];
        Ok(connection.query(&save, &row).await?.iter().map(Written::read).collect())
    }
}

#[async_trait]
impl<V: View> Views<V> for PostgresViews<V> {
    async fn load(&self, keys: &[String]) -> Result<Vec<Option<Row<V>>>, StoreError> {
        let hasty = self.hasty().await?;
        // After that: a new connection is a doubt.
        let doubts = self.store.bells.newest.doubts();
        let latest = &self.shared.latest;
        let mut rows: Vec<_> = keys.iter().map(|key| latest.row(key, doubts)).collect();
        let missing: Vec<&str> =
            keys.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(key, _)| key.as_str()).collect();
        if !missing.is_empty() {
            let found = self.store.query(LOAD, &[&&*self.name, &missing]).await?;
            let found: HashMap<&str, &Found> = found.iter().map(|row| (row.get(0), row)).collect();
            for (key, row) in keys.iter().zip(&mut rows).filter(|(_, row)| row.is_none()) {
                let Some(stored) = found.get(key.as_str()) else { continue };
                let known: &mut Row<V> = row.insert(read(stored)?);
                latest.found(known.clone(), stored.get::<_, &str>(3).len(), doubts);
            }
        }
        // What another one saved may not be flushed, and is as good as saved here if there is nothing to add to it.
        self.mark.loaded(&hasty);
        Ok(rows)
    }

    async fn save(&self, rows: Vec<Save<V>>) -> Result<Vec<bool>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = rows.iter().map(EncodedSave::of).collect::<Result<Vec<_>, _>>()?;
        let bells = &self.store.bells;
        let (doubts, mut unsure) = (bells.newest.doubts(), Unsure(Some(bells)));
        let written = self.save_encoded(&encoded).await?;
        if written.len() == rows.len()
            && let Some(newest) = written.iter().map(|row| row.cursor).max()
        {
            bells.saved(&self.name, newest, doubts);
            unsure.0 = None;
        }
        let mut written: HashMap<String, Written> = written.into_iter().map(|row| (row.key.clone(), row)).collect();
        let remember = |(Save { key, version, view, time: updated, .. }, encoded): (Save<V>, &EncodedSave)| {
            let Some(Written { cursor, place, created, .. }) = written.remove(&key) else {
                self.shared.latest.is_later(key, version);
                return false;
            };
            let row = Row { key, view, version: version + 1, cursor, place, created, updated };
            self.shared.latest.found(row, encoded.state.len(), doubts);
            true
        };
        Ok(rows.into_iter().zip(&encoded).map(remember).collect())
    }

    fn is_unflushed(&self) -> bool {
        self.mark.is_set()
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.mark.flush(&self.shared.unflushed).await
    }

    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<Row<V>>, StoreError> {
        let place = page.after.map_or(i64::MAX, |(_, place)| i64::try_from(place.as_u128()).unwrap_or(i64::MAX));
        let mut conditions = Conditions::new("view", self.name.to_string());
        conditions.always("place > 0");
        conditions.filter(filter);
        conditions.page(page, "place", place);
        conditions.select(&self.store, COLUMNS).await?.iter().map(read).collect()
    }

    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Row<V>>, StoreError> {
        let (mut after, mut latest, mut in_vain) = (cursor, None, false);
        loop {
            let rings = self.store.bells.viewed.rings();
            let newest = self.store.bells.newest.of(&self.name);
            if newest.is_some_and(|newest| newest <= after) {
                self.store.bells.viewed.after(rings).await;
                continue;
            }
            let mut conditions = Conditions::new("view", self.name.to_string());
            conditions.and("cursor > ?", int(after));
            conditions.always("cursor > 0");
            conditions.filter(filter);
            conditions.order("cursor", limit);
            let rows = conditions.select(&self.store, COLUMNS).await?;
            if !rows.is_empty() {
                return rows.iter().map(read).collect();
            }
            // What others had changed before this look need not be looked through again. Nor is it asked about before
            // there was something that was none of ours.
            after = after.max(newest.or(latest).unwrap_or(cursor));
            latest = if in_vain && newest.is_none() { Some(self.latest().await?) } else { None };
            in_vain = true;
            self.store.bells.viewed.after(rings).await;
        }
    }

    async fn latest(&self) -> Result<u64, StoreError> {
        let latest = "SELECT cursor FROM views WHERE view = $1 AND cursor > 0 ORDER BY cursor DESC LIMIT 1";
        let rows = self.store.query(latest, &[&&*self.name]).await?;
        Ok(rows.first().map_or(0, |row| count(row.get(0))))
    }
}

/// Says, when it is dropped, that something may have been written: what was not written now may have been before, by
/// others, by a try whose answer was lost, or by one that nobody waited for.
struct Unsure<'a>(Option<&'a Bells>);

impl Drop for Unsure<'_> {
    fn drop(&mut self) {
        if let Some(bells) = self.0 {
            bells.rewritten();
        }
    }
}

fn read<V: View>(row: &Found) -> Result<Row<V>, StoreError> {
    Ok(Row {
        key: row.get(0),
        view: decode(row.get::<_, &str>(3).as_bytes())?,
        version: count(row.get(1)),
        cursor: count(row.get(2)),
        place: place(row.get(6)),
        created: time(row.get(4)),
        updated: time(row.get(5)),
    })
}

fn place(number: i64) -> Uuid {
    Uuid::from_u128(u128::from(count(number)))
}

// === impl Shared ===

impl<V: Clone> Default for Shared<V> {
    fn default() -> Self {
        let beside = Mutex::new((String::new(), Weak::new()));
        Self { unflushed: Unflushed::default(), latest: Latest::default(), beside }
    }
}

// === impl Written ===

impl Written {
    fn read(row: &Found) -> Self {
        Self { key: row.get(0), cursor: count(row.get(1)), place: place(row.get(2)), created: time(row.get(3)) }
    }
}
