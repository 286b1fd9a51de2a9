//! The ports on PostgreSQL, for contexts that run as several replicas.
//!
//! A schema per context. Appends of many callers are committed in groups, each group one statement ([`Store`]): that
//! more than doubles what one statement for each reaches. The ports are thin typed layers over it.

mod agenda;
mod append;
mod backlog;
mod bells;
mod change;
mod connect;
mod create;
mod feed;
mod forgetting;
mod fresh;
mod journal;
mod latest;
mod listing;
mod migrate;
mod outbox;
mod pool;
mod queries;
mod renewal;
mod rewrite;
mod schema;
mod session;
mod store;
mod unflushed;
mod views;
mod writer;

pub use agenda::PostgresAgenda;
pub use connect::{OpenError, PostgresSettings};
pub use journal::PostgresJournal;
pub use outbox::PostgresOutbox;
pub use pool::PoolUse;
pub use store::Store;
pub use views::PostgresViews;
