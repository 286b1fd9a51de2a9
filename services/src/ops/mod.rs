//! `highstreet ops`: what operators do now and then.

use clap::{Args, Subcommand};

mod republish;

pub use republish::RepublishArgs;

/// `highstreet ops`.
#[derive(Args, Debug)]
pub struct OpsArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Publish everything again that was ever published, for a broker that lost its disk.
    ///
    /// Contexts on PostgreSQL may go on running. Those on SQLite are to be stopped first: one process has their files
    /// at a time.
    Republish(Box<RepublishArgs>),
}

/// Does what an operator asks for, and prints what came of it.
pub async fn run(args: OpsArgs) -> Result<(), String> {
    match args.task {
        Task::Republish(args) => republish::republish(*args).await,
    }
}
