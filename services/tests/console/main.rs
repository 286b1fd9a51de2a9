//! The console on a real socket, asked as a browser asks without any script.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod browser;
#[path = "../common/mod.rs"]
mod common;
mod guard;
mod pages;
mod shops;
mod trouble;
