//! Rows of streams, read; and the `WHERE` of lists.

use highstreet_domain::kernel::ports::{Filter, Page, StoreError};
use highstreet_domain::kernel::{Aggregate, Standing};
use highstreet_foundation::codec::{count, decode, time};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::store::Store;

/// The columns that `StreamRow::read` wants, in its order, of a table called `s`.
pub(crate) const STREAM_COLUMNS: &str =
    "s.id, s.revision, s.version, s.state, s.created, s.updated, s.since, s.attempts, s.era";

/// A stream as it stands in its row.
pub(crate) struct StreamRow {
    pub(crate) id: Uuid,
    pub(crate) revision: u64,
    pub(crate) version: i32,
    pub(crate) state: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) since: u64,
    pub(crate) attempts: u32,
    pub(crate) era: u64,
}

/// The `WHERE` of a list and its parameters.
pub(crate) struct Conditions {
    sql: String,
    parameters: Vec<Box<dyn ToSql + Sync + Send>>,
}

// === impl StreamRow ===

impl StreamRow {
    pub(crate) fn read(row: &Row) -> Self {
        Self {
            id: row.get(0),
            revision: count(row.get(1)),
            version: row.get(2),
            state: row.get(3),
            created: row.get(4),
            updated: row.get(5),
            since: count(row.get(6)),
            attempts: u32::try_from(row.get::<_, i32>(7)).unwrap_or_default(),
            era: count(row.get(8)),
        }
    }

    /// The standing; `None` if another version of the program wrote the state.
    pub(crate) fn decode<A: Aggregate>(&self) -> Result<Option<Standing<A>>, StoreError> {
        if u32::try_from(self.version) != Ok(A::VERSION) {
            return Ok(None);
        }
        let state = decode(self.state.as_bytes())?;
        Ok(Some(Standing { state, revision: self.revision, created: time(self.created), updated: time(self.updated) }))
    }
}

// === impl Conditions ===

impl Conditions {
    pub(crate) fn new(column: &str, value: impl ToSql + Sync + Send + 'static) -> Self {
        let mut conditions = Self { sql: String::from("WHERE TRUE"), parameters: Vec::new() };
        conditions.and(&format!("{column} = ?"), value);
        conditions
    }

    /// `condition`, with one `?` for `value`.
    pub(crate) fn and(&mut self, condition: &str, value: impl ToSql + Sync + Send + 'static) {
        let place = self.parameter(value);
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition.replacen('?', &place, 1));
    }

    /// `condition`, as it is.
    pub(crate) fn always(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    /// Where `value` stands among the parameters.
    pub(crate) fn parameter(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.parameters.push(Box::new(value));
        format!("${}", self.parameters.len())
    }

    /// What `filter` asks for.
    pub(crate) fn filter(&mut self, filter: &Filter) {
        let columns = ["shop", "owner", "reference", "status"];
        for (column, value) in columns.iter().zip([&filter.shop, &filter.owner, &filter.reference, &filter.status]) {
            if let Some(value) = value {
                self.and(&format!("{column} = ?"), value.clone());
            }
        }
        if filter.owner.as_ref().is_some_and(|owner| !owner.is_empty()) {
            // As the index says that is meant for this.
            self.always("owner <> ''");
        }
    }

    /// Newest first, behind `page.after`, by `created` and `tie`.
    pub(crate) fn page(&mut self, page: &Page, tie: &str, place: impl ToSql + Sync + Send + 'static) {
        if let Some((created, _)) = page.after {
            let (created, place) = (self.parameter(created.as_micros()), self.parameter(place));
            let behind = format!(" AND created <= {created} AND (created, {tie}) < ({created}, {place})");
            self.sql.push_str(&behind);
        }
        self.order(&format!("created DESC, {tie} DESC"), page.size);
    }

    /// At most `limit` rows in this order.
    pub(crate) fn order(&mut self, order: &str, limit: usize) {
        let limit = self.parameter(i64::try_from(limit).unwrap_or(i64::MAX));
        self.sql.extend([" ORDER BY ", order, " LIMIT ", &limit]);
    }

    pub(crate) async fn select(&self, store: &Store, columns_and_table: &str) -> Result<Vec<Row>, StoreError> {
        let parameters: Vec<&(dyn ToSql + Sync)> =
            self.parameters.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        store.query(&format!("SELECT {columns_and_table} {}", self.sql), &parameters).await
    }
}
