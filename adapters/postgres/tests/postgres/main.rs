//! What PostgreSQL makes hard: replicas that share a schema, servers that go away in the middle of it, certificates,
//! and plans that must stay good. What every store promises is in `contract.rs`.

#![allow(clippy::unwrap_used, reason = "what tests have in common is a test too")]

mod agenda;
mod backlog;
mod counting;
mod creating;
mod feed;
mod migrations;
mod outages;
mod outbox;
mod plans;
mod proxy;
mod replicas;
mod secured;
mod unflushed;
mod writer;
