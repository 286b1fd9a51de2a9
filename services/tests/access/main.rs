//! Who may do what, over real sockets, with tokens (CAP-13).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../common/mod.rs"]
mod common;
mod contexts;
mod encrypted;
mod guest;
mod people;
mod pests;
mod shop;
mod walk;
