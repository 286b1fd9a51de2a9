//! Seating (좌석): who sits where. One seat has one holder; a hold runs out, an assignment stays.

mod language;
mod policy;
mod screening;

pub use language::{Change, Command, Details, Event, Guest, Hall, OpenedBy, Rejection};
pub use policy::{Fact, react};
pub use screening::{Entry, Holding, Opened, Screening, ScreeningName, SeatStatus};

/// The context's name.
pub const CONTEXT: &str = "seating";
