//! Rows of streams, read.

use highstreet_domain::kernel::ports::{Filter, Loaded, Page, StoreError};
use highstreet_domain::kernel::{Aggregate, Id, Standing};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};

use highstreet_foundation::codec::{count, decode, int, time};

/// The columns that `StreamRow::read` wants, in its order.
pub(crate) const STREAM_COLUMNS: &str =
    "id, revision, version, state, created, updated, since, attempts, stream, wake IS NULL, era";

/// A stream as it stands in its row.
pub(crate) struct StreamRow {
    pub(crate) id: [u8; 16],
    pub(crate) revision: u64,
    pub(crate) version: u32,
    pub(crate) state: Vec<u8>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) since: u64,
    pub(crate) attempts: u32,
    pub(crate) stream: i64,
    pub(crate) waits_for_nothing: bool,
    pub(crate) era: u64,
}

/// A query of `columns` of all events `e` of the stream that `is` describes, as they happened: from its last one back.
macro_rules! history {
    ($columns:literal, $is:literal) => {
        concat!(
            "WITH RECURSIVE chain (position, previous) AS (
                 SELECT e.position, e.previous FROM streams s JOIN events e ON e.position = s.last WHERE ",
            $is,
            "
                 UNION ALL SELECT e.position, e.previous FROM chain c JOIN events e ON e.position = c.previous
             ) SELECT ",
            $columns,
            " FROM chain c JOIN events e ON e.position = c.position ORDER BY c.position"
        )
    };
}
pub(crate) use history;

/// The `WHERE` of a list and its parameters.
pub(crate) struct Conditions {
    sql: String,
    parameters: Vec<Value>,
}

pub(crate) fn stream<A: Aggregate>(connection: &Connection, id: Id<A>) -> rusqlite::Result<Option<(i64, StreamRow)>> {
    connection
        .prepare_cached(
            "SELECT id, revision, version, state, created, updated, since, attempts, stream, wake IS NULL, era \
             FROM streams WHERE id = ?1 AND aggregate = ?2",
        )?
        .query_row(params![id.uuid().into_bytes(), A::NAME], StreamRow::read)
        .optional()
        .map(|row| row.map(|row| (row.stream, row)))
}

/// The stream, if it is still as it is known.
pub(crate) fn unchanged<A: Aggregate>(
    connection: &Connection,
    id: Id<A>,
    known: &Loaded<A>,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT stream FROM streams WHERE id = ?1 AND aggregate = ?2 AND revision = ?3 AND era = ?4")?
        .query_row(params![id.uuid().into_bytes(), A::NAME, int(known.standing.revision), int(known.era)], |row| {
            row.get(0)
        })
        .optional()
}

// === impl StreamRow ===

impl StreamRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            revision: count(row.get(1)?),
            version: row.get(2)?,
            state: row.get(3)?,
            created: row.get(4)?,
            updated: row.get(5)?,
            since: count(row.get(6)?),
            attempts: row.get(7)?,
            stream: row.get(8)?,
            waits_for_nothing: row.get(9)?,
            era: count(row.get(10)?),
        })
    }

    /// The standing; `None` if another version of the program wrote the state.
    pub(crate) fn decode<A: Aggregate>(&self) -> Result<Option<Standing<A>>, StoreError> {
        if self.version != A::VERSION {
            return Ok(None);
        }
        let state = decode(&self.state)?;
        Ok(Some(Standing { state, revision: self.revision, created: time(self.created), updated: time(self.updated) }))
    }
}

// === impl Conditions ===

impl Conditions {
    pub(crate) fn new(column: &str, value: impl Into<Value>) -> Self {
        let mut conditions = Self { sql: String::from("WHERE TRUE"), parameters: Vec::new() };
        conditions.and(&format!("{column} = ?"), value);
        conditions
    }

    pub(crate) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.parameters.push(value.into());
    }

    /// What `filter` asks for.
    pub(crate) fn filter(&mut self, filter: &Filter) {
        let columns = ["shop", "owner", "reference", "status"];
        for (column, value) in columns.iter().zip([&filter.shop, &filter.owner, &filter.reference, &filter.status]) {
            if let Some(value) = value {
                self.and(&format!("{column} = ?"), value.clone());
            }
        }
    }

    /// Newest first, behind `page.after`, by `created` and `tie`.
    pub(crate) fn page(&mut self, page: &Page, tie: &str, place: impl Into<Value>) {
        if let Some((created, _)) = page.after {
            self.and("created <= ?", created.as_micros());
            self.and(&format!("(created, {tie}) < (?, ?"), created.as_micros());
            self.sql.push(')');
            self.parameters.push(place.into());
        }
        self.order(&format!("ORDER BY created DESC, {tie} DESC LIMIT {}", page.size));
    }

    pub(crate) fn order(&mut self, order: &str) {
        self.sql.push(' ');
        self.sql.push_str(order);
    }

    pub(crate) fn select<T>(
        &self,
        connection: &Connection,
        columns_and_table: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        connection
            .prepare_cached(&format!("SELECT {columns_and_table} {}", self.sql))?
            .query_map(rusqlite::params_from_iter(&self.parameters), read)?
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use crate::store::Store;

    /// No index leads to a stream's events, so that nothing may look for them as if one did.
    #[test]
    fn histories_are_read_by_position() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_context(&folder.path().join("counting.db")).unwrap();
        let plans = |query: &str| {
            let read = |connection: &rusqlite::Connection| {
                let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}"))?;
                explain.query_map([], |row| row.get::<_, String>(3))?.collect::<Result<Vec<_>, _>>()
            };
            store.read(read).unwrap().into_iter().filter(|step| step.contains(" e"))
        };
        for query in [history!("e.data", "s.id = x'' AND s.aggregate = ''"), history!("e.data", "s.stream = 1")] {
            let steps: Vec<_> = plans(query).collect();
            assert_eq!(steps, ["SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"; 3], "{query}");
        }
    }
}
