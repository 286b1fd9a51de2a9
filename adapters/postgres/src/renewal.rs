//! Rows made anew beside those that answer, on PostgreSQL.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Object};
use highstreet_domain::kernel::View;
use highstreet_domain::kernel::ports::{Held, Renewal, StoreError, Views};
use highstreet_foundation::codec::count;
use tokio_postgres::Error;

use crate::PostgresViews;
use crate::connect::unavailable;
use crate::store::Store;

/// Puts the rows called `$2` in the place of those called `$1`, statement by statement in one transaction.
const ADOPT: [&str; 4] = [
    "UPDATE views v SET version = v.version + 1, cursor = nextval('view_changes'), state = n.state, shop = n.shop,
        owner = n.owner, reference = n.reference, status = n.status, updated = n.updated
    FROM views n WHERE v.view = $1 AND n.view = $2 AND v.key = n.key
        AND (v.state, v.shop, v.owner, v.reference, v.status)
            IS DISTINCT FROM (n.state, n.shop, n.owner, n.reference, n.status)",
    "DELETE FROM views v WHERE v.view = $1 AND NOT EXISTS (SELECT FROM views n WHERE n.view = $2 AND n.key = v.key)",
    "DELETE FROM views n WHERE n.view = $2 AND EXISTS (SELECT FROM views v WHERE v.view = $1 AND v.key = n.key)",
    "UPDATE views SET view = $1, cursor = nextval('view_changes') WHERE view = $2",
];

const ROWS: &str = "SELECT count(*) FROM views WHERE view = $1";

/// A connection that holds the lock of whoever writes the view's own rows; it ends with the connection.
struct Holding {
    store: Arc<Store>,
    client: ClientWrapper,
    own: &'static str,
}

#[async_trait]
impl<V: View> Renewal<V> for PostgresViews<V> {
    fn beside(&self, name: &str) -> Arc<dyn Views<V>> {
        Arc::new(self.beside_called(&beside(V::NAME, name)))
    }

    async fn beside_names(&self) -> Result<Vec<String>, StoreError> {
        let prefix = beside(V::NAME, "");
        let names = "SELECT DISTINCT substr(view, length($1) + 1) FROM views WHERE starts_with(view, $1)";
        let rows = self.store().query(names, &[&prefix]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn hold(&self) -> Result<Box<dyn Held>, StoreError> {
        // Nobody else is to use it again.
        let client = Object::take(self.store().connection().await?);
        let lock = self.store().schema.view_lock(V::NAME);
        let held = async {
            client.batch_execute("SET statement_timeout = 0").await?;
            client.query("SELECT pg_advisory_lock($1)::text", &[&lock]).await
        };
        held.await.map_err(|error| unavailable(&error))?;
        Ok(Box::new(Holding { store: self.store().clone(), client, own: V::NAME }))
    }

    async fn clear(&self, name: &str) -> Result<(), StoreError> {
        self.store().query("DELETE FROM views WHERE view = $1", &[&beside(V::NAME, name)]).await.map(drop)
    }
}

#[async_trait]
impl Held for Holding {
    async fn adopt(self: Box<Self>, name: &str) -> Result<u64, StoreError> {
        let adopted = self.adopt_all(&beside(self.own, name)).await;
        self.store.bells.rewritten();
        adopted.map_err(|error| unavailable(&error))
    }
}

// === impl Holding ===

impl Holding {
    async fn adopt_all(&self, beside: &str) -> Result<u64, Error> {
        let found: i64 = self.client.query_one(ROWS, &[&beside]).await?.get(0);
        if found > 0 {
            self.client.batch_execute("BEGIN").await?;
            for statement in ADOPT {
                self.client.execute(statement, &[&self.own, &beside]).await?;
            }
            self.client.batch_execute("COMMIT").await?;
        }
        Ok(count(self.client.query_one(ROWS, &[&self.own]).await?.get(0)))
    }
}

fn beside(own: &str, name: &str) -> String {
    format!("{own}/{name}")
}
