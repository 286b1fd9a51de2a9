//! Versioned migrations, run once whoever starts first.
//!
//! Safe in a rolling upgrade: a migration only adds, so that the replicas of the version before go on working, and can
//! start again, beside those of the new one. What a version stops using is removed by the one after it.

use refinery::Runner;
use refinery::embed_migrations;
use tokio_postgres::Client;

use crate::connect::{OpenError, in_full, unavailable};
use crate::schema::Schema;

embed_migrations!("migrations");

/// Longer than a migration takes, shorter than somebody waits who watches a deployment.
const PATIENCE: &str = "120s";

/// Brings `schema` up to date, making it if need be.
pub(crate) async fn run(client: &mut Client, schema: &Schema) -> Result<(), OpenError> {
    begin(client, schema).await.map_err(|error| OpenError::Migration(unavailable(&error).to_string()))?;
    ensure_in_use(client, schema).await?;
    // What a newer version added is not missed.
    let runner: Runner = migrations::runner().set_abort_missing(false);
    let done = runner.run_async(client).await.map_err(|error| OpenError::Migration(in_full(&error)))?;
    for migration in done.applied_migrations() {
        tracing::info!(schema = schema.name(), migration = %migration, "migrated");
    }
    // The lock ends with the connection.
    Ok(())
}

/// One at a time: replicas that start together wait for the first.
async fn begin(client: &Client, schema: &Schema) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(&format!("SET statement_timeout = 0; SET lock_timeout = '{PATIENCE}'")).await?;
    client.execute("SELECT pg_advisory_lock($1)", &[&schema.lock("migration")]).await?;
    // Looked for first: to be told that it exists takes the right to make it.
    let exists = client.query_opt("SELECT FROM pg_namespace WHERE nspname = $1", &[&schema.name()]).await?;
    if exists.is_none() {
        client.batch_execute(&format!("CREATE SCHEMA {}", schema.quoted())).await?;
    }
    Ok(())
}

/// A pooler that drops the options of a connection would have everything kept in another schema.
async fn ensure_in_use(client: &Client, schema: &Schema) -> Result<(), OpenError> {
    let current = client.query_one("SELECT current_schema()::text", &[]).await;
    let current: Option<String> =
        current.map_err(|error| OpenError::Migration(unavailable(&error).to_string()))?.get(0);
    if current.as_deref() == Some(schema.name()) {
        return Ok(());
    }
    let name = schema.name();
    Err(OpenError::Migration(format!(
        "the connection does not use the schema {name}: its role may not, or a pooler drops the options of connections"
    )))
}
