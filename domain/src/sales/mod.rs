//! Sales (구매): what customers buy in a store. Taken at any time; what turns out not to be in stock is cancelled.

mod policy;
mod purchase;

pub use policy::{Fact, react};
pub use purchase::{CancelReason, Command, Details, Event, Purchase, Rejection};

/// The context's name.
pub const CONTEXT: &str = "sales";
