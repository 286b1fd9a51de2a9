//! The coffee shop end to end, over real sockets: on SQLite files in one process, and on PostgreSQL and JetStream in fifteen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod acceptance;
mod backup;
mod binary;
mod breaker;
mod carriers;
#[path = "../common/mod.rs"]
mod common;
mod contract;
mod kill;
mod limits;
mod mesh;
mod metrics;
mod operations;
mod outage;
mod shop;
mod watch;
