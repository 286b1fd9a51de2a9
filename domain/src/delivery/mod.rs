//! Delivery (배송): carries what was ordered to whoever ordered it.

mod delivery;
mod policy;

pub use delivery::{Command, Delivery, Dispatch, Event, Load, Recalled, Rejection};
pub use policy::{Fact, react};

/// The context's name.
pub const CONTEXT: &str = "delivery";
