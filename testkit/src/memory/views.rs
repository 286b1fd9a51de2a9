//! Rows of views in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Filter, Page, Row, Save, StoreError, Views};
use highstreet_domain::kernel::{Index, View};
use uuid::Uuid;

use super::Store;
use super::listing::{behind, wanted};
use super::trouble::Call;
use crate::lock;

/// The rows of one view. Clones share them.
pub struct Rows<V> {
    store: Store,
    kept: Arc<Mutex<Kept<V>>>,
}

struct Kept<V> {
    rows: BTreeMap<String, (Row<V>, Index)>,
    cursor: u64,
}

// === impl Rows ===

impl<V: View> Rows<V> {
    /// Rows in `store`.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), kept: Arc::new(Mutex::new(Kept { rows: BTreeMap::new(), cursor: 0 })) }
    }

    /// Every row, for a test to look at.
    pub fn all(&self) -> Vec<Row<V>> {
        lock(&self.kept).rows.values().map(|(row, _)| row.clone()).collect()
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
        let write = || {
            let mut kept = lock(&self.kept);
            let saved = rows.into_iter().map(|save| kept.write(save)).collect();
            drop(kept);
            self.store.viewed().ring();
            saved
        };
        self.store.call(Call::Write, write).await
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
        Self { store: self.store.clone(), kept: self.kept.clone() }
    }
}

impl<V: View> fmt::Debug for Rows<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("of", &V::NAME).field("store", &self.store).finish_non_exhaustive()
    }
}

// === impl Kept ===

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
        self.rows.insert(save.key, (row, save.index));
        true
    }
}
