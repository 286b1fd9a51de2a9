//! The shops end to end, over real sockets, on SQLite files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod cinema;
#[path = "../common/mod.rs"]
mod common;
mod house;
mod library;
mod rush;
mod seat_later;
mod store;
