//! Booking (예매): seats of a screening, paid for and with a ticket. With its seats named at once a booking exists for
//! others only when all of it is done; without, it is paid first and its seats are chosen later.

mod booking;
mod evolve;
mod language;
mod policy;
mod ports;
mod refusal;
mod rules;

pub use booking::{Billed, Booked, Booking, Cancelling, Chosen, Details, Stage, Taken, TicketOf};
pub use language::{Ask, Book, CancelReason, Command, Event, SeatRefusal, Step};
pub use policy::{Fact, react};
pub use ports::{
    Assigned, Called, Held, Learned, Paid, Partners, Payments, Performing, Registered, Registration, SeatCall, Seats,
    Tickets, Withdrawn,
};
pub use refusal::{FailReason, Rejection, SelectRefusal};

/// The context's name.
pub const CONTEXT: &str = "booking";
