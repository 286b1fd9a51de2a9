//! Kitchen (제조): makes the drinks of paid orders.

mod policy;
mod preparation;

pub use policy::{Fact, react};
pub use preparation::{Command, Event, Preparation, Rejection, Work};

/// The context's name.
pub const CONTEXT: &str = "kitchen";
