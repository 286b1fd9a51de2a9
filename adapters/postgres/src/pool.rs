//! Connections lent to whoever has something to ask.

use std::time::Duration;

use deadpool_postgres::{Object, Pool, PoolError, Timeouts};
use highstreet_domain::kernel::ports::StoreError;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use crate::connect::{ended, no_answer, unavailable, was_cut};

/// The parameters of a statement.
pub(crate) type Parameters<'a> = [&'a (dyn ToSql + Sync)];

/// A pool, and how long to wait.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) pool: Pool,
    /// For a connection that others use.
    pub(crate) wait: Duration,
    /// For an answer: after this long there will be none.
    pub(crate) patience: Duration,
}

/// How a pool is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// How many connections are lent.
    pub lent: usize,
    /// How many wait to be lent.
    pub idle: usize,
    /// How many there may be.
    pub most: usize,
    /// How many callers wait for one.
    pub waiting: usize,
}

// === impl Connections ===

impl Connections {
    pub(crate) fn usage(&self) -> PoolUse {
        let status = self.pool.status();
        let idle = status.available.min(status.size);
        PoolUse { lent: status.size - idle, idle, most: status.max_size, waiting: status.waiting }
    }

    pub(crate) async fn lend(&self) -> Result<Object, StoreError> {
        let timeouts = Timeouts { wait: Some(self.wait), ..self.pool.timeouts() };
        match self.pool.timeout_get(&timeouts).await {
            // Somebody ended it while it was being made; they will hardly do so again.
            Err(PoolError::Backend(error)) if was_cut(&error) || error.code() == Some(&SqlState::ADMIN_SHUTDOWN) => {
                self.pool.timeout_get(&timeouts).await
            }
            lent => lent,
        }
        .map_err(|error| no_connection(&error))
    }

    /// A connection on which a statement is prepared.
    pub(crate) async fn prepared(&self, sql: &str) -> Result<(Object, Statement), StoreError> {
        loop {
            let connection = self.lend().await?;
            match timeout(self.patience, connection.prepare_cached(sql)).await {
                Ok(Ok(statement)) => return Ok((connection, statement)),
                // The server was restarted since it was used last. If there is none, the next cannot be made.
                Ok(Err(error)) if ended(&error) => drop(Object::take(connection)),
                Ok(Err(error)) => return Err(unavailable(&error)),
                Err(_) => {
                    drop(Object::take(connection));
                    return Err(no_answer());
                }
            }
        }
    }

    /// The rows of a statement, which is prepared once for each connection. May be run again, if the server ends the
    /// connection meanwhile.
    pub(crate) async fn query(&self, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        let mut again = self.pool.status().max_size;
        loop {
            let connection = self.lend().await?;
            match timeout(self.patience, query(&connection, sql, parameters)).await {
                Ok(Ok(rows)) => return Ok(rows),
                // The server was restarted since this connection was used last, and perhaps the next one too.
                Ok(Err(error)) if ended(&error) && again > 0 => again -= 1,
                Ok(Err(error)) => return Err(unavailable(&error)),
                Err(_) => {
                    drop(Object::take(connection));
                    return Err(no_answer());
                }
            }
        }
    }
}

async fn query(connection: &Object, sql: &str, parameters: &Parameters<'_>) -> Result<Vec<Row>, tokio_postgres::Error> {
    connection.query(&connection.prepare_cached(sql).await?, parameters).await
}

fn no_connection(error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => unavailable(error),
        PoolError::Timeout(_) => {
            StoreError::Unavailable("no connection became free in time; see --store-connections".into())
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}
