//! Composition: which contexts run where, on what, and how they start and stop. No rules, no technology.

mod carrier;
mod checks;
mod client;
pub mod config;
mod context;
mod contexts;
#[cfg(test)]
mod design;
mod entrance;
mod front;
mod gauges;
mod health;
mod healthcheck;
mod heard;
mod identities;
mod lifecycle;
mod migrate;
mod performed;
mod platform;
mod recognised;
mod seen;
mod server;
mod store;
mod street;
mod switchboard;

pub mod demo;
pub mod ops;
pub mod token;

pub use context::Context;
pub use contexts::ContextName;
pub use healthcheck::healthcheck;
pub use lifecycle::serve;
pub use migrate::{MigrateArgs, migrate};
pub use platform::Platform;
pub use server::{Door, Listening};
pub use street::{StartError, Street};
pub use switchboard::Switchboard;
