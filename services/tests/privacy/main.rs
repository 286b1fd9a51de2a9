//! A customer is forgotten: every byte that the high street keeps is searched for them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../common/mod.rs"]
mod common;
mod files;
mod operator;
mod servers;
mod telltale;
