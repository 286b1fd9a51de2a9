//! `highstreet migrate`: brings stores to this version, and ends.

use std::sync::Arc;

use clap::Args;
use highstreet_domain::kernel::ports::Clock;
use highstreet_foundation::SystemClock;
use highstreet_sqlite::{DataFolder, Store};

use crate::config::{GroundArgs, StorePlace};
use crate::{ContextName, StartError, platform};

/// `highstreet migrate`.
#[derive(Args, Clone, Debug)]
pub struct MigrateArgs {
    /// The contexts whose stores they are, all of them if none is named.
    #[arg(value_name = "CONTEXT")]
    pub contexts: Vec<ContextName>,
    /// Where they are.
    #[command(flatten)]
    pub ground: GroundArgs,
}

/// Migrates the stores of the contexts. Any number of these may run at once, beside servers of the version before: each
/// schema has a lock for it, and what is migrated is left alone. A server that starts does the same by itself.
pub async fn migrate(args: MigrateArgs) -> Result<(), StartError> {
    let contexts = if args.contexts.is_empty() { ContextName::ALL.to_vec() } else { args.contexts };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let in_files = contexts.iter().any(|context| *args.ground.store_of(*context) == StorePlace::Sqlite);
    let folder = in_files.then(|| DataFolder::open(&args.ground.data)).transpose()?;
    for context in contexts {
        match (args.ground.store_of(context), &folder) {
            (StorePlace::Postgres(url), _) => drop(platform::schema(&args.ground, &clock, context, url).await?),
            (StorePlace::Sqlite, Some(folder)) => drop(Store::open_context(&folder.file(context.as_str()))?),
            (StorePlace::Sqlite, None) => {}
        }
        println!("{context} is ready for this version");
    }
    Ok(())
}
