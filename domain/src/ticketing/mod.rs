//! Ticketing (티켓): a ticket for every confirmed booking; collected once, or cancelled.

mod language;
mod policy;
mod ports;
mod ticket;

pub use language::{Canceller, Command, Event, Rejection, Step};
pub use policy::{Fact, react};
pub use ports::{Grant, Granted, Performing, Points};
pub use ticket::{Admission, Cancelled, Ticket};

/// The context's name.
pub const CONTEXT: &str = "ticketing";
