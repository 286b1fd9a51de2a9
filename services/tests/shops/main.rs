//! The shops end to end, over real sockets, on SQLite files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../common/mod.rs"]
mod common;
mod library;
mod store;
