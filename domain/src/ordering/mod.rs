//! Ordering (주문): what customers order. An order exists for others only once payment has registered it.

mod order;
mod policy;
mod ports;

pub use order::{CancelReason, Command, Details, Event, Line, Order, Paid, Place, Placed, Rejection, Step};
pub use policy::{Fact, react};
pub use ports::{Payments, Performing, Registered, Registration};

/// The context's name.
pub const CONTEXT: &str = "ordering";
