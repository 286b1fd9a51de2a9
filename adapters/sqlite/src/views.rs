//! Rows of views, on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Filter, Page, Row, Save, StoreError, Views};
use highstreet_domain::kernel::{Index, View};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::cursors::latest;
use crate::queries::Conditions;
use crate::store::Store;
use crate::writer::Manner;
use highstreet_foundation::codec::{count, decode, int, time};
use highstreet_foundation::encoded::EncodedSave;
use highstreet_foundation::recent::Recent;

/// The rows of one view in one file.
pub struct SqliteViews<V> {
    store: Arc<Store>,
    /// What they are called in the file.
    name: Arc<str>,
    recent: Arc<Recent<String, Row<V>>>,
}

struct RowParts {
    key: String,
    version: u64,
    cursor: u64,
    state: Vec<u8>,
    created: i64,
    updated: i64,
    row: i64,
}

/// Where a row came to stand.
struct Written {
    place: i64,
    cursor: i64,
    created: i64,
}

const COLUMNS: &str = "key, version, cursor, state, created, updated, row FROM views";

// === impl SqliteViews ===

impl<V: View> SqliteViews<V> {
    /// The rows of `V` in `store`.
    pub fn new(store: Arc<Store>) -> Self {
        Self::called(store, V::NAME)
    }

    /// The rows called `name`.
    pub(crate) fn called(store: Arc<Store>, name: &str) -> Self {
        let recent = Arc::new(Recent::default());
        store.rewritten().watch_rows(name, &recent);
        Self { store, name: name.into(), recent }
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn recent(&self) -> &Arc<Recent<String, Row<V>>> {
        &self.recent
    }

    fn find(&self, key: &str) -> Result<Option<Row<V>>, StoreError> {
        let parts = self.store.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT key, version, cursor, state, created, updated, row FROM views \
                     WHERE view = ?1 AND key = ?2",
                )?
                .query_row((&*self.name, key), RowParts::read)
                .optional()
        })?;
        parts.map(RowParts::decode).transpose()
    }
}

/// Remembers a row that was written, and forgets one that somebody else wrote.
fn remember<V: View>(recent: &Recent<String, Row<V>>, save: Save<V>, bytes: usize, written: Option<&Written>) {
    let Some(Written { place, cursor, created }) = written else { return recent.forget(save.key, save.version + 1) };
    let row = Row {
        key: save.key.clone(),
        view: save.view,
        version: save.version + 1,
        cursor: count(*cursor),
        place: Uuid::from_u128(u128::from(count(*place))),
        created: time(*created),
        updated: save.time,
    };
    recent.put(save.key, row, bytes);
}

#[async_trait]
impl<V: View> Views<V> for SqliteViews<V> {
    async fn load(&self, keys: &[String]) -> Result<Vec<Option<Row<V>>>, StoreError> {
        keys.iter()
            .map(|key| match self.recent.get(key) {
                Some(row) => Ok(Some(row)),
                None => self.find(key),
            })
            .collect()
    }

    async fn save(&self, rows: Vec<Save<V>>) -> Result<Vec<bool>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = rows.iter().map(EncodedSave::of).collect::<Result<Vec<_>, _>>()?;
        let bytes: Vec<usize> = encoded.iter().map(|row| row.state.len()).collect();
        // Whoever holds the view's own rows is waited for.
        let own = *self.name == *V::NAME;
        let _free = if own { Some(self.store.rows_held.read().await) } else { None };
        let (viewed, cursors, name) = (self.store.viewed.clone(), self.store.cursors.clone(), self.name.clone());
        // Nobody watches those that are beside them.
        let manner = if !own || cursors.are_kept(&name) { Manner::Unflushed } else { Manner::Kept };
        let work = move |connection: &Connection| {
            let mut cursor = if own { cursors.latest(connection, &name)? } else { latest(connection, &name)? };
            encoded
                .iter()
                .map(|row| {
                    cursor += 1;
                    write(row, connection, &name, cursor)
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let (recent, cursors, view) = (self.recent.clone(), self.store.cursors.clone(), self.name.clone());
        let (newest, doubts) = (self.store.newest.clone(), self.store.newest.doubts());
        // Remembered before anybody is told, so that whoever is told reads what they were told of.
        let after = move |written: &Vec<Option<Written>>| {
            if manner == Manner::Kept {
                cursors.keep(&view);
            }
            if let Some(written) = written.iter().flatten().last() {
                newest.saved(&view, count(written.cursor), doubts);
            }
            for ((save, bytes), written) in rows.into_iter().zip(bytes).zip(written) {
                remember(&recent, save, bytes, written.as_ref());
            }
            viewed.ring();
        };
        let written = self.store.write_in(manner, work, after).await?;
        Ok(written.iter().map(Option::is_some).collect())
    }

    fn is_unflushed(&self) -> bool {
        self.store.is_unflushed()
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.store.flush().await
    }

    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<Row<V>>, StoreError> {
        let place = match page.after {
            Some((_, place)) => i64::try_from(place.as_u128()).unwrap_or(i64::MAX),
            None => i64::MAX,
        };
        let mut conditions = Conditions::new("view", self.name.to_string());
        conditions.filter(filter);
        conditions.page(page, "row", place);
        let rows = self.store.read(|connection| conditions.select(connection, COLUMNS, RowParts::read))?;
        rows.into_iter().map(RowParts::decode).collect()
    }

    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Row<V>>, StoreError> {
        let mut after = cursor;
        loop {
            let rings = self.store.viewed.rings();
            let latest = match self.store.newest.of(&self.name) {
                Some(newest) => newest,
                None => self.latest().await?,
            };
            if latest <= after {
                self.store.viewed.after(rings).await;
                continue;
            }
            let mut conditions = Conditions::new("view", self.name.to_string());
            conditions.and("cursor > ?", int(after));
            conditions.filter(filter);
            conditions.order(&format!("ORDER BY cursor LIMIT {limit}"));
            let rows = self.store.read(|connection| conditions.select(connection, COLUMNS, RowParts::read))?;
            if !rows.is_empty() {
                return rows.into_iter().map(RowParts::decode).collect();
            }
            // What others changed need not be looked through again.
            after = after.max(latest);
            self.store.viewed.after(rings).await;
        }
    }

    async fn latest(&self) -> Result<u64, StoreError> {
        self.store.read(|connection| {
            connection
                .prepare_cached("SELECT coalesce(max(cursor), 0) FROM views WHERE view = ?1")?
                .query_row([&*self.name], |row| row.get(0).map(count))
        })
    }
}

/// Writes the row, unless it has another version by now.
fn write(row: &EncodedSave, connection: &Connection, view: &str, cursor: i64) -> rusqlite::Result<Option<Written>> {
    let Index { shop, owner, reference, status } = &row.index;
    if row.version == 0 {
        let inserted = connection
            .prepare_cached(
                "INSERT INTO views (view, key, version, cursor, state, shop, owner, reference, status, created, \
                 updated) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) ON CONFLICT DO NOTHING",
            )?
            .execute(params![view, row.key, cursor, row.state, shop, owner, reference, status, row.time])?;
        let place = connection.last_insert_rowid();
        return Ok((inserted == 1).then_some(Written { place, cursor, created: row.time }));
    }
    let mut find = connection
        .prepare_cached("SELECT row, created, shop, owner FROM views WHERE view = ?1 AND key = ?2 AND version = ?3")?;
    let mut rows = find.query(params![view, row.key, row.version])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    let written = Written { place: found.get(0)?, cursor, created: found.get(1)? };
    connection
        .prepare_cached(
            "UPDATE views SET version = version + 1, cursor = ?2, state = ?3, reference = ?4, status = ?5, \
             updated = ?6 WHERE row = ?1",
        )?
        .execute(params![written.place, cursor, row.state, reference, status, row.time])?;
    // Indexed, and hardly ever changed.
    if found.get_ref(2)?.as_str()? != shop || found.get_ref(3)?.as_str()? != owner {
        connection.prepare_cached("UPDATE views SET shop = ?2, owner = ?3 WHERE row = ?1")?.execute(params![
            written.place,
            shop,
            owner
        ])?;
    }
    Ok(Some(written))
}

// === impl RowParts ===

impl RowParts {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            version: count(row.get(1)?),
            cursor: count(row.get(2)?),
            state: row.get(3)?,
            created: row.get(4)?,
            updated: row.get(5)?,
            row: row.get(6)?,
        })
    }

    fn decode<V: View>(self) -> Result<Row<V>, StoreError> {
        Ok(Row {
            key: self.key,
            view: decode(&self.state)?,
            version: self.version,
            cursor: self.cursor,
            place: Uuid::from_u128(u128::from(count(self.row))),
            created: time(self.created),
            updated: time(self.updated),
        })
    }
}
