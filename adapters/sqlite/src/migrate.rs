//! Versioned migrations: each runs once, in order, in a transaction with the version it leads to.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::OpenError;

/// What a file holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Schema {
    /// A context's streams, events, agenda, outbox and views.
    Context,
    /// The embedded bus.
    Bus,
}

pub(crate) fn run(connection: &mut Connection, schema: Schema, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::Sqlite { path: path.into(), error };
    let migrations = schema.migrations();
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if found > known {
        return Err(OpenError::Newer { path: path.into(), found, known });
    }
    if (1..known).contains(&found) {
        let file = path.display();
        tracing::info!(%file, found, known, "this file is of an earlier version; it is taken along, which may take a while");
    }
    for (migration, version) in migrations.iter().zip(1i64..).skip(usize::try_from(found).unwrap_or(0)) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        transaction.execute_batch(migration).map_err(failed)?;
        transaction.pragma_update(None, "user_version", version).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

// === impl Schema ===

impl Schema {
    /// How often the disk is waited for. The bus may lose what came last when the power fails: every context has
    /// what it published in its own file, and publishes again what the bus has not flushed. So may views, whatever the
    /// schema: their projectors hear again what they have not settled.
    pub(crate) const fn synchronous(self) -> &'static str {
        match self {
            Self::Context => "FULL",
            Self::Bus => "NORMAL",
        }
    }

    const fn migrations(self) -> &'static [&'static str] {
        match self {
            Self::Context => &[
                include_str!("../migrations/0001_context.sql"),
                include_str!("../migrations/0002_erasures.sql"),
                include_str!("../migrations/0003_chains.sql"),
            ],
            Self::Bus => &[include_str!("../migrations/0001_bus.sql")],
        }
    }
}
