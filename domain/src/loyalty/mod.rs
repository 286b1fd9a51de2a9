//! Loyalty (스탬프/포인트): what customers earn, each reference once.

mod account;
mod policy;

pub use account::{Account, AccountName, Command, Entry, Event, Program, Rejection};
pub use policy::{Fact, react};

/// The context's name.
pub const CONTEXT: &str = "loyalty";
