//! The high street as a mesh: a process for each context on a PostgreSQL and a nats-server, and whatever can happen to
//! them. Everything here is real; the faults too.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod acceptance;
mod addresses;
mod at_work;
mod backup;
mod breaker;
mod clock;
#[path = "../common/mod.rs"]
mod common;
mod controls;
mod disk;
mod empty_broker;
mod harness;
mod kills;
mod lost_disk;
mod network;
mod operations;
mod poison;
mod probes;
mod rolling;
mod scale;
mod stranger;
mod upgrade;
mod views;
