//! Rows made anew beside those that answer, on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::kernel::View;
use highstreet_domain::kernel::ports::{Held, Renewal, Row, StoreError, Views};
use highstreet_foundation::codec::count;
use rusqlite::{Connection, params};
use tokio::sync::OwnedRwLockWriteGuard;

use crate::SqliteViews;
use crate::cursors::{Cursors, keep};
use crate::store::Store;
use highstreet_foundation::recent::Recent;

/// The rows of one view, while nobody writes them.
struct Holding<V> {
    store: Arc<Store>,
    name: Arc<str>,
    recent: Arc<Recent<String, Row<V>>>,
    _held: OwnedRwLockWriteGuard<()>,
}

#[async_trait]
impl<V: View> Renewal<V> for SqliteViews<V> {
    fn beside(&self, name: &str) -> Arc<dyn Views<V>> {
        Arc::new(Self::called(self.store().clone(), &beside::<V>(name)))
    }

    async fn beside_names(&self) -> Result<Vec<String>, StoreError> {
        let prefix = beside::<V>("");
        self.store().read(|connection| {
            connection
                .prepare_cached(
                    "SELECT DISTINCT substr(view, length(?1) + 1) FROM views WHERE view > ?1 AND view < ?2",
                )?
                .query_map(params![prefix, format!("{prefix}~")], |row| row.get(0))?
                .collect()
        })
    }

    async fn hold(&self) -> Result<Box<dyn Held>, StoreError> {
        let held = self.store().rows_held.clone().write_owned().await;
        let (store, recent) = (self.store().clone(), self.recent().clone());
        Ok(Box::new(Holding { store, name: V::NAME.into(), recent, _held: held }))
    }

    async fn clear(&self, name: &str) -> Result<(), StoreError> {
        let name = beside::<V>(name);
        let clear = move |connection: &Connection| connection.execute("DELETE FROM views WHERE view = ?1", [&name]);
        self.store().write(clear, |_| {}).await.map(drop)
    }
}

#[async_trait]
impl<V: View> Held for Holding<V> {
    async fn adopt(self: Box<Self>, name: &str) -> Result<u64, StoreError> {
        let (own, beside, recent) = (self.name.clone(), beside::<V>(name), self.recent.clone());
        let cursors = self.store.cursors.clone();
        let adopt = move |connection: &Connection| adopt(connection, &cursors, &own, &beside);
        let (viewed, newest) = (self.store.viewed.clone(), self.store.newest.clone());
        let told = move |_: &u64| {
            recent.clear();
            newest.doubt();
            viewed.ring();
        };
        self.store.write(adopt, told).await
    }
}

fn beside<V: View>(name: &str) -> String {
    format!("{}/{name}", V::NAME)
}

fn adopt(connection: &Connection, cursors: &Cursors, own: &str, beside: &str) -> rusqlite::Result<u64> {
    let rows = "SELECT count(*) FROM views WHERE view = ?1";
    let ask = |sql: &str, view: &str| connection.query_row(sql, [view], |row| row.get::<_, i64>(0));
    if ask(rows, beside)? == 0 {
        return ask(rows, own).map(count);
    }
    connection.execute(
        "UPDATE views AS v SET version = v.version + 1, cursor = ?3 + n.nth, state = n.state, shop = n.shop, \
             owner = n.owner, reference = n.reference, status = n.status, updated = n.updated \
         FROM (SELECT *, row_number() OVER (ORDER BY row) AS nth FROM views WHERE view = ?2) AS n \
         WHERE v.view = ?1 AND v.key = n.key AND (v.state, v.shop, v.owner, v.reference, v.status) \
             IS NOT (n.state, n.shop, n.owner, n.reference, n.status)",
        params![own, beside, cursors.latest(connection, own)?],
    )?;
    // The last of them may be among those that go, and somebody was told of it.
    keep(connection, own, cursors.latest(connection, own)?)?;
    connection.execute(
        "DELETE FROM views WHERE view = ?1 AND key NOT IN (SELECT key FROM views WHERE view = ?2)",
        params![own, beside],
    )?;
    connection.execute(
        "UPDATE views AS v SET view = ?1, cursor = ?3 + n.nth \
         FROM (SELECT row, row_number() OVER (ORDER BY row) AS nth FROM views \
             WHERE view = ?2 AND key NOT IN (SELECT key FROM views WHERE view = ?1)) AS n WHERE v.row = n.row",
        params![own, beside, cursors.latest(connection, own)?],
    )?;
    connection.execute("DELETE FROM views WHERE view = ?1", [beside])?;
    ask(rows, own).map(count)
}
