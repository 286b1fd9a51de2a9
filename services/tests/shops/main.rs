//! The shops end to end, over real sockets: on SQLite files in one process, and on PostgreSQL and JetStream in fifteen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod cinema;
#[path = "../common/mod.rs"]
mod common;
mod house;
mod library;
mod mesh;
mod my_page;
mod rush;
mod seat_later;
mod store;
