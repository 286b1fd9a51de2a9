//! Replenishment (발주): what a store orders from head office, and how an order that was not shipped is cancelled.

mod language;
mod order;
mod policy;
mod ports;

pub use language::{Command, Event, Rejection, Step};
pub use order::{Details, Order, Tried};
pub use policy::{Fact, react};
pub use ports::{Cancellation, Deliveries, Performing};

/// The context's name.
pub const CONTEXT: &str = "replenishment";
