//! `highstreet ops`: what operators look at, and what they do now and then.

use clap::{Args, Subcommand};

mod asked;
mod backup;
mod contexts;
mod erase;
mod letters;
mod rebuild;
mod republish;
mod steps;
mod table;

pub use asked::AskArgs;
pub use backup::BackupArgs;
pub use contexts::ContextsArgs;
pub use erase::EraseArgs;
pub use letters::{LetterArgs, LettersArgs};
pub use rebuild::RebuildArgs;
pub use republish::RepublishArgs;
pub use steps::{PendingArgs, StepArgs};

/// `highstreet ops`.
#[derive(Args, Debug)]
pub struct OpsArgs {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Say how the contexts are: their breakers, and how far they are behind.
    Contexts(ContextsArgs),
    /// List the steps that wait for a retry or a time.
    Pending(PendingArgs),
    /// Make a call that waits now, and say what came of it.
    Retry(StepArgs),
    /// End a call that waits as an outage would end it: a notification fails, an order is undone.
    Abandon(StepArgs),
    /// List the messages that contexts could not handle.
    DeadLetters(LettersArgs),
    /// Show one of them, with its payload.
    DeadLetter(LetterArgs),
    /// Give one of them once more to the context that could not handle it.
    Replay(LetterArgs),
    /// Forget one of them.
    Discard(LetterArgs),
    /// Make the rows of a view anew from everything that was ever published, while it answers.
    Rebuild(RebuildArgs),
    /// Forget a customer in every context: states, events, views, messages and dead letters say nothing of them any more.
    Erase(Box<EraseArgs>),
    /// Publish everything again that was ever published, for a broker that lost its disk.
    ///
    /// Contexts on PostgreSQL may go on running. Those on SQLite are to be stopped first: one process has their files
    /// at a time.
    Republish(Box<RepublishArgs>),
    /// Copy a data folder as it is at one instant, while a server works in it. The copy is a data folder itself.
    ///
    /// What is kept in PostgreSQL is backed up with PostgreSQL's own programs.
    Backup(BackupArgs),
}

/// Does what an operator asks for, and prints what came of it.
pub async fn run(args: OpsArgs) -> Result<(), String> {
    match args.task {
        Task::Contexts(args) => contexts::contexts(args).await,
        Task::Pending(args) => steps::pending(args).await,
        Task::Retry(args) => steps::retry(args).await,
        Task::Abandon(args) => steps::abandon(args).await,
        Task::DeadLetters(args) => letters::list(args).await,
        Task::DeadLetter(args) => letters::show(args).await,
        Task::Replay(args) => letters::replay(args).await,
        Task::Discard(args) => letters::discard(args).await,
        Task::Rebuild(args) => rebuild::rebuild(args).await,
        Task::Erase(args) => erase::erase(*args).await,
        Task::Republish(args) => republish::republish(*args).await,
        Task::Backup(args) => backup::back_up(args).await,
    }
}
