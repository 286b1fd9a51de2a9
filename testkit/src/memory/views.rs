//! Rows of views in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Filter, Held, Page, Renewal, Row, Save, StoreError, Views};
use highstreet_domain::kernel::{Index, View};
use uuid::Uuid;

use super::Store;
use super::listing::{behind, wanted};
use super::trouble::Call;
use crate::lock;

/// The rows of one view. Clones share them.
pub struct Rows<V> {
    store: Store,
    kept: Shelf<V>,
    beside: Arc<Mutex<BTreeMap<String, Shelf<V>>>>,
    /// Says that what was saved is kept.
    careless: bool,
}

type Shelf<V> = Arc<Mutex<Kept<V>>>;

struct Kept<V> {
    rows: BTreeMap<String, (Row<V>, Index)>,
    cursor: u64,
    held: bool,
    /// What was changed since it was flushed last, as it was before.
    unflushed: BTreeMap<String, Option<(Row<V>, Index)>>,
}

/// Rows that nobody writes.
struct Holding<V: View> {
    rows: Rows<V>,
}

// === impl Rows ===

impl<V: View> Rows<V> {
    /// Rows in `store`.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), kept: Arc::default(), beside: Arc::default(), careless: false }
    }

    /// Rows that say that what was saved is kept, though the power may take it. Shows that a test would notice.
    pub fn careless(store: &Store) -> Self {
        Self { careless: true, ..Self::new(store) }
    }

    /// Every row, for a test to look at.
    pub fn all(&self) -> Vec<Row<V>> {
        lock(&self.kept).rows.values().map(|(row, _)| row.clone()).collect()
    }

    /// The power fails: what was not flushed is as it was before. Cursors are not used again.
    pub fn lose_power(&self) {
        let mut kept = lock(&self.kept);
        for (key, before) in std::mem::take(&mut kept.unflushed) {
            match before {
                Some(row) => kept.rows.insert(key, row),
                None => kept.rows.remove(&key),
            };
        }
    }

    fn changed(&self, filter: &Filter, cursor: u64, limit: usize) -> Vec<Row<V>> {
        let kept = lock(&self.kept);
        let changed = kept.rows.values().filter(|(row, index)| row.cursor > cursor && wanted(filter, index));
        let mut changed: Vec<_> = changed.map(|(row, _)| row.clone()).collect();
        changed.sort_by_key(|row| row.cursor);
        changed.truncate(limit);
        changed
    }
}

#[async_trait]
impl<V: View> Views<V> for Rows<V> {
    async fn load(&self, keys: &[String]) -> Result<Vec<Option<Row<V>>>, StoreError> {
        let find = || {
            let kept = lock(&self.kept);
            keys.iter().map(|key| kept.rows.get(key).map(|(row, _)| row.clone())).collect()
        };
        self.store.call(Call::Read, find).await
    }

    async fn save(&self, rows: Vec<Save<V>>) -> Result<Vec<bool>, StoreError> {
        loop {
            let rings = self.store.viewed().rings();
            if !lock(&self.kept).held {
                break;
            }
            self.store.viewed().after(rings).await;
        }
        let write = || {
            let mut kept = lock(&self.kept);
            let saved = rows.into_iter().map(|save| kept.write(save)).collect();
            drop(kept);
            self.store.viewed().ring();
            saved
        };
        self.store.call(Call::Write, write).await
    }

    fn is_unflushed(&self) -> bool {
        !self.careless && !lock(&self.kept).unflushed.is_empty()
    }

    async fn flush(&self) -> Result<(), StoreError> {
        if self.careless {
            return Ok(());
        }
        self.store.call(Call::Write, || lock(&self.kept).unflushed.clear()).await
    }

    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<Row<V>>, StoreError> {
        let find = || {
            let kept = lock(&self.kept);
            let wanted = kept.rows.values().filter(|(_, index)| wanted(filter, index)).map(|(row, _)| row);
            let mut found: Vec<_> = wanted.filter(|row| behind(page, (row.created, row.place))).cloned().collect();
            found.sort_by_key(|row| std::cmp::Reverse((row.created, row.place)));
            found.truncate(page.size);
            found
        };
        self.store.call(Call::Read, find).await
    }

    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Row<V>>, StoreError> {
        loop {
            let rings = self.store.viewed().rings();
            let rows = self.store.call(Call::Read, || self.changed(filter, cursor, limit)).await?;
            if !rows.is_empty() {
                return Ok(rows);
            }
            self.store.viewed().after(rings).await;
        }
    }

    async fn latest(&self) -> Result<u64, StoreError> {
        self.store.call(Call::Read, || lock(&self.kept).cursor).await
    }
}

impl<V> Clone for Rows<V> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            kept: self.kept.clone(),
            beside: self.beside.clone(),
            careless: self.careless,
        }
    }
}

impl<V: View> fmt::Debug for Rows<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("of", &V::NAME).field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl<V: View> Renewal<V> for Rows<V> {
    fn beside(&self, name: &str) -> Arc<dyn Views<V>> {
        let kept = lock(&self.beside).entry(name.into()).or_default().clone();
        Arc::new(Self { kept, ..self.clone() })
    }

    async fn beside_names(&self) -> Result<Vec<String>, StoreError> {
        self.store.call(Call::Read, || lock(&self.beside).keys().cloned().collect()).await
    }

    async fn hold(&self) -> Result<Box<dyn Held>, StoreError> {
        self.store.call(Call::Write, || lock(&self.kept).held = true).await?;
        Ok(Box::new(Holding { rows: self.clone() }))
    }

    async fn clear(&self, name: &str) -> Result<(), StoreError> {
        self.store.call(Call::Write, || drop(lock(&self.beside).remove(name))).await
    }
}

// === impl Holding ===

#[async_trait]
impl<V: View> Held for Holding<V> {
    async fn adopt(self: Box<Self>, name: &str) -> Result<u64, StoreError> {
        let adopt = || {
            let beside = lock(&self.rows.beside).remove(name).unwrap_or_default();
            let mut kept = lock(&self.rows.kept);
            kept.adopt(std::mem::take(&mut lock(&beside).rows));
            kept.rows.len() as u64
        };
        self.rows.store.call(Call::Write, adopt).await
    }
}

impl<V: View> Drop for Holding<V> {
    fn drop(&mut self) {
        lock(&self.rows.kept).held = false;
        self.rows.store.viewed().ring();
    }
}

// === impl Kept ===

impl<V> Default for Kept<V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), cursor: 0, held: false, unflushed: BTreeMap::new() }
    }
}

impl<V: PartialEq> Kept<V> {
    fn adopt(&mut self, rows: BTreeMap<String, (Row<V>, Index)>) {
        if rows.is_empty() {
            return;
        }
        // Kept at once, with all that was saved before.
        self.unflushed.clear();
        self.rows.retain(|key, _| rows.contains_key(key));
        for (key, (new, index)) in rows {
            let row = match self.rows.remove(&key) {
                Some((old, was)) if (&old.view, &was) == (&new.view, &index) => old,
                old => {
                    self.cursor += 1;
                    let (version, created) =
                        old.map_or((new.version, new.created), |(old, _)| (old.version + 1, old.created));
                    Row { cursor: self.cursor, version, created, ..new }
                }
            };
            self.rows.insert(key, (row, index));
        }
    }
}

impl<V> Kept<V> {
    fn write(&mut self, save: Save<V>) -> bool {
        let found = self.rows.get(&save.key);
        if found.map_or(0, |(row, _)| row.version) != save.version {
            return false;
        }
        self.cursor += 1;
        let row = Row {
            key: save.key.clone(),
            view: save.view,
            version: save.version + 1,
            cursor: self.cursor,
            place: Uuid::new_v5(&Uuid::NAMESPACE_OID, save.key.as_bytes()),
            created: found.map_or(save.time, |(row, _)| row.created),
            updated: save.time,
        };
        let before = self.rows.insert(save.key.clone(), (row, save.index));
        self.unflushed.entry(save.key).or_insert(before);
        true
    }
}
