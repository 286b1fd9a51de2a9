//! Fills a broker that lost its disk. What was published stays where it was committed; here it is marked as not yet
//! published, and the relays do the rest. Consumers recognise what they have seen.

use clap::Args;
use highstreet_postgres::PostgresSettings;
use highstreet_sqlite::DataFolder;

use crate::ContextName;
use crate::config::{GroundArgs, StorePlace};

/// `highstreet ops republish`.
#[derive(Args, Clone, Debug)]
pub struct RepublishArgs {
    /// The contexts whose events are lost, all of them if none is named.
    #[arg(value_name = "CONTEXT")]
    contexts: Vec<ContextName>,
    /// Where they keep what they know, as for `serve`.
    #[command(flatten)]
    ground: GroundArgs,
}

/// What happens to a context's events now.
enum Again {
    /// Whoever serves the context publishes them.
    Now(u64),
    /// Whoever serves it next.
    AtStart(u64),
    /// It never kept anything.
    Nothing,
}

pub(super) async fn republish(args: RepublishArgs) -> Result<(), String> {
    let named = !args.contexts.is_empty();
    let contexts = if named { args.contexts } else { ContextName::ALL.to_vec() };
    let mut folder = None;
    for context in contexts {
        let again = match args.ground.store_of(context) {
            StorePlace::Sqlite => from_file(context, &args.ground, &mut folder).await?,
            StorePlace::Postgres(url) => from_schema(context, url, &args.ground).await?,
        };
        match again {
            Again::Now(count) => println!("{context}: {count} events are published again, by whoever serves it"),
            Again::AtStart(count) => println!("{context}: {count} events are published again at its next start"),
            Again::Nothing if named => return Err(format!("{context} keeps nothing in {}", args.ground.described())),
            Again::Nothing => println!("{context}: keeps nothing here"),
        }
    }
    Ok(())
}

/// Holds the folder meanwhile: a server that runs would not hear of it, and keep its place later.
async fn from_file(
    context: ContextName,
    ground: &GroundArgs,
    folder: &mut Option<DataFolder>,
) -> Result<Again, String> {
    if !ground.data.join(format!("{context}.db")).exists() {
        return Ok(Again::Nothing);
    }
    let folder = match folder {
        Some(folder) => folder,
        None => folder.insert(DataFolder::open(&ground.data).map_err(|error| error.to_string())?),
    };
    let store = highstreet_sqlite::Store::open_context(&folder.file(context.as_str()));
    let count = store.map_err(|error| error.to_string())?.republish().await;
    Ok(Again::AtStart(count.map_err(|error| format!("{context}: {error}"))?))
}

async fn from_schema(context: ContextName, url: &str, ground: &GroundArgs) -> Result<Again, String> {
    let settings = PostgresSettings {
        connections: 2,
        writers: 1,
        connect_timeout: ground.store_connect_timeout,
        statement_timeout: ground.store_statement_timeout,
        authorities: ground.store_ca.clone(),
        ..PostgresSettings::new(url, context.as_str())
    };
    let store = highstreet_postgres::Store::open(&settings).await;
    let count = store.map_err(|error| format!("{context}: {error}"))?.republish().await;
    Ok(Again::Now(count.map_err(|error| format!("{context}: {error}"))?))
}
