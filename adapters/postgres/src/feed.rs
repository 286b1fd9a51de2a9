//! Streams as they change.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Change, Feed, Filter, StoreError};
use highstreet_domain::kernel::{Aggregate, Id};
use highstreet_foundation::codec::{count, int};

use crate::PostgresJournal;
use crate::queries::{Conditions, STREAM_COLUMNS, StreamRow};

/// How many events are looked through at a time.
const WINDOW: u64 = 1024;

#[async_trait]
impl<A: Aggregate> Feed<A> for PostgresJournal<A> {
    async fn changes(&self, filter: &Filter, cursor: u64, limit: usize) -> Result<Vec<Change<A>>, StoreError> {
        let mut after = cursor;
        loop {
            let rings = self.store().bells.changed.rings();
            let latest = self.store().settled(after).await?;
            if latest <= after {
                self.store().bells.changed.after(rings).await;
            }
            while after < latest {
                let until = latest.min(after + WINDOW);
                let changes = self.window(filter, after, until, limit).await?;
                if !changes.is_empty() {
                    return Ok(changes);
                }
                // What concerns others need not be looked through again.
                after = until;
            }
        }
    }

    async fn latest(&self) -> Result<u64, StoreError> {
        self.store().settled(u64::MAX).await
    }
}

impl<A: Aggregate> PostgresJournal<A> {
    async fn window(
        &self,
        filter: &Filter,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<Change<A>>, StoreError> {
        let mut conditions = Conditions::new("aggregate", A::NAME);
        conditions.filter(filter);
        let (after, until) = (conditions.parameter(int(after)), conditions.parameter(int(until)));
        conditions.order("c.position", limit);
        let columns = format!(
            "{STREAM_COLUMNS}, c.position FROM (SELECT stream, max(position) AS position FROM events \
             WHERE position > {after} AND position <= {until} GROUP BY stream) c \
             CROSS JOIN LATERAL (SELECT * FROM streams WHERE stream = c.stream OFFSET 0) s"
        );
        let rows = conditions.select(self.store(), &columns).await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in &rows {
            let found = StreamRow::read(row);
            let standing = self.standing(&found).await?;
            changes.push(Change { cursor: count(row.get(9)), id: Id::new(found.id), standing });
        }
        Ok(changes)
    }
}
