//! Pages of streams and of their entries.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Filter, Kept, Listing, Page, StoreError};
use highstreet_domain::kernel::{Aggregate, Id, Standing, Timestamp};
use highstreet_foundation::codec::{decode, time};
use uuid::Uuid;

use crate::PostgresJournal;
use crate::queries::{Conditions, STREAM_COLUMNS, StreamRow};

#[async_trait]
impl<A: Aggregate> Listing<A> for PostgresJournal<A> {
    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<(Id<A>, Standing<A>)>, StoreError> {
        let mut conditions = Conditions::new("aggregate", A::NAME);
        // What has no shop is not there for others.
        conditions.always("shop IS NOT NULL");
        conditions.filter(filter);
        conditions.page(page, "id", page.after.map_or(Uuid::nil(), |(_, id)| id));
        let rows = conditions.select(self.store(), &format!("{STREAM_COLUMNS} FROM streams s")).await?;
        let mut standings = Vec::with_capacity(rows.len());
        for row in rows.iter().map(StreamRow::read) {
            standings.push((Id::new(row.id), self.standing(&row).await?));
        }
        Ok(standings)
    }

    async fn entries(&self, id: Id<A>, page: &Page) -> Result<Vec<Kept<A>>, StoreError> {
        let entries = "SELECT entry, key, data, updated FROM entries \
                       WHERE stream = (SELECT stream FROM streams WHERE id = $1) AND entry < $2 AND entry > 0 \
                       ORDER BY stream DESC, entry DESC LIMIT $3";
        let before = page.after.map_or(i64::MAX, |(place, _)| place.as_micros());
        let most = i64::try_from(page.size).unwrap_or(i64::MAX);
        let rows = self.store().query(entries, &[&id.uuid(), &before, &most]).await?;
        rows.iter()
            .map(|row| {
                let place = (Timestamp::from_micros(row.get(0)), Uuid::nil());
                let entry = decode(row.get::<_, &str>(2).as_bytes())?;
                Ok(Kept { place, key: row.get(1), entry, updated: time(row.get(3)) })
            })
            .collect()
    }
}
