//! The published language, as every version of it was spoken (CAP-18): events that were published once are heard for
//! ever, and what strangers rely on stays.
//!
//! Goldens are added by `HIGHSTREET_WRITE_GOLDEN=1 cargo test --package highstreet --test published`, and never changed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../common/mod.rs"]
mod common;
mod consumer;
mod golden;
mod heard;
