//! Versioned migrations, run once whoever starts first.
//!
//! Safe in a rolling upgrade: a migration only adds, so that the replicas of the version before go on working, and can
//! start again, beside those of the new one. What a version stops using is removed by the one after it.

use refinery::Runner;
use refinery::embed_migrations;
use tokio_postgres::Client;

use crate::connect::OpenError;

embed_migrations!("migrations");

/// Longer than a migration takes, shorter than somebody waits who watches a deployment.
const PATIENCE: &str = "120s";

/// Brings `schema` up to date, making it if need be.
pub(crate) async fn run(client: &mut Client, schema: &str) -> Result<(), OpenError> {
    let refused = |error: tokio_postgres::Error| OpenError::Migration(crate::connect::unavailable(&error).to_string());
    let schema = schema.replace('"', "");
    // One at a time: replicas that start together wait for the first.
    let begin = format!(
        "SET statement_timeout = 0; SET lock_timeout = '{PATIENCE}'; \
         SELECT pg_advisory_lock(hashtextextended('highstreet migration of {schema}', 0)); \
         CREATE SCHEMA IF NOT EXISTS \"{schema}\""
    );
    client.batch_execute(&begin).await.map_err(refused)?;
    // What a newer version added is not missed.
    let runner: Runner = migrations::runner().set_abort_missing(false);
    let done = runner.run_async(client).await.map_err(|error| OpenError::Migration(error.to_string()))?;
    for migration in done.applied_migrations() {
        tracing::info!(schema, migration = %migration, "migrated");
    }
    // The lock ends with the connection.
    Ok(())
}
