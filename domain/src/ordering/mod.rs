//! Ordering (주문): what customers order. An order exists for others only once payment has registered it.

mod language;
mod order;
mod policy;
mod ports;

pub use language::{CancelReason, Command, Event, Place, Rejection, Step};
pub use order::{Details, Line, Order, Paid, Placed};
pub use policy::{Fact, react};
pub use ports::{Payments, Performing, Registered, Registration};

/// The context's name.
pub const CONTEXT: &str = "ordering";
