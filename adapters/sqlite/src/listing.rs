//! Pages of streams and of their entries.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Filter, Journal, Kept, Listing, Page, StoreError};
use highstreet_domain::kernel::{Aggregate, Id, Standing, Timestamp};
use rusqlite::types::Value;
use uuid::Uuid;

use crate::SqliteJournal;
use crate::queries::{Conditions, STREAM_COLUMNS, StreamRow};
use highstreet_foundation::codec::{decode, time, uuid};

#[async_trait]
impl<A: Aggregate> Listing<A> for SqliteJournal<A> {
    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<(Id<A>, Standing<A>)>, StoreError> {
        let mut conditions = Conditions::new("aggregate", A::NAME.to_owned());
        // What has no shop is not there for others.
        conditions.and("shop IS NOT ?", Value::Null);
        conditions.filter(filter);
        conditions.page(page, "id", page.after.map_or(Vec::new(), |(_, id)| id.into_bytes().to_vec()));
        let columns = format!("{STREAM_COLUMNS} FROM streams");
        let rows = self.store().read(|connection| conditions.select(connection, &columns, StreamRow::read))?;
        let mut standings = Vec::with_capacity(rows.len());
        for row in rows {
            let id = Id::new(uuid(row.id));
            let standing = match row.decode()? {
                Some(standing) => standing,
                None => self.load(id, &[]).await?.standing,
            };
            standings.push((id, standing));
        }
        Ok(standings)
    }

    async fn entries(&self, id: Id<A>, page: &Page) -> Result<Vec<Kept<A>>, StoreError> {
        let before = page.after.map_or(i64::MAX, |(place, _)| place.as_micros());
        let rows: Vec<(i64, String, Vec<u8>, i64)> = self.store().read(|connection| {
            connection
                .prepare_cached(
                    "SELECT e.entry, e.key, e.data, e.updated FROM streams s JOIN entries e USING (stream) \
                     WHERE s.id = ?1 AND e.entry < ?2 ORDER BY e.entry DESC LIMIT ?3",
                )?
                .query_map((id.uuid().into_bytes(), before, i64::try_from(page.size).unwrap_or(i64::MAX)), |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect()
        })?;
        rows.into_iter()
            .map(|(entry, key, data, updated)| {
                let place = (Timestamp::from_micros(entry), Uuid::nil());
                Ok(Kept { place, key, entry: decode(&data)?, updated: time(updated) })
            })
            .collect()
    }
}
