//! Tracking (마이페이지, OrderTrace): the timeline of everything that belongs to one order.

mod trace;

pub use trace::{Fact, Kind, Step, Trace};

/// The context's name.
pub const CONTEXT: &str = "tracking";
