//! Streams as they change.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Change, Feed, Filter, Journal, StoreError};
use highstreet_domain::kernel::{Aggregate, Id};

use crate::SqliteJournal;
use crate::queries::{Conditions, StreamRow};
use highstreet_foundation::codec::{count, int, uuid};

/// How many events are looked through at a time.
const WINDOW: u64 = 1024;

#[async_trait]
impl<A: Aggregate> Feed<A> for SqliteJournal<A> {
    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Change<A>>, StoreError> {
        let mut after = cursor;
        loop {
            let rings = self.store().changed.rings();
            let latest = self.latest().await?;
            while after < latest {
                let until = latest.min(after + WINDOW);
                let changes = self.window(filter, after, until, limit).await?;
                if !changes.is_empty() {
                    return Ok(changes);
                }
                // What concerns others need not be looked through again.
                after = until;
            }
            self.store().changed.after(rings).await;
        }
    }

    async fn latest(&self) -> Result<u64, StoreError> {
        self.store().read(|connection| {
            connection
                .prepare_cached("SELECT coalesce(max(position), 0) FROM events")?
                .query_row([], |row| row.get(0).map(count))
        })
    }
}

impl<A: Aggregate> SqliteJournal<A> {
    async fn window(
        &self,
        filter: &Filter,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<Change<A>>, StoreError> {
        let mut conditions = Conditions::new("aggregate", A::NAME.to_owned());
        conditions.and("e.position > ?", int(after));
        conditions.and("e.position <= ?", int(until));
        conditions.filter(filter);
        conditions.order(&format!("GROUP BY s.stream ORDER BY max(e.position) LIMIT {limit}"));
        let columns = "s.id, s.revision, s.version, s.state, s.created, s.updated, s.since, s.attempts, s.stream, \
                       s.wake IS NULL, s.era, max(e.position) FROM events e JOIN streams s USING (stream)";
        let rows = self.store().read(|connection| {
            conditions.select(connection, columns, |row| Ok((StreamRow::read(row)?, count(row.get(11)?))))
        })?;
        let mut changes = Vec::with_capacity(rows.len());
        for (row, cursor) in rows {
            let id = Id::new(uuid(row.id));
            let standing = match row.decode()? {
                Some(standing) => standing,
                None => self.load(id, &[]).await?.standing,
            };
            changes.push(Change { cursor, id, standing });
        }
        Ok(changes)
    }
}
