//! The ports on SQLite: the embedded default, which needs no server and loses nothing that was answered.
//!
//! One file per context and one for the bus, each with a writer thread that commits whatever waits as one group
//! ([`Store`]), and readers beside it. The ports are thin typed layers over it.

mod agenda;
mod append;
mod backlog;
mod backup;
mod bus;
mod cursors;
mod feed;
mod folder;
mod forgetting;
mod fresh;
mod journal;
mod listing;
mod log;
mod migrate;
mod outbox;
mod queries;
mod renewal;
mod rewrite;
mod rewritten;
mod store;
mod unflushed;
mod views;
mod writer;

pub use agenda::SqliteAgenda;
pub use backup::{BackedUp, BackupError, back_up};
pub use bus::EmbeddedBus;
pub use folder::{DataFolder, FolderError};
pub use journal::SqliteJournal;
pub use outbox::SqliteOutbox;
pub use store::{OpenError, Store};
pub use views::SqliteViews;
