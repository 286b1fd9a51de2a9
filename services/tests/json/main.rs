//! The shops in JSON over HTTP, as a plain client sees them; and from browsers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod browsers;
mod cafe;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod connect;
mod errors;
mod every_rpc;
mod headers;
mod street;
mod watch;
mod wrong;
