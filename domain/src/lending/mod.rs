//! Lending (도서 예약): reservations of books, and which books there are.

mod books;
mod policy;
mod reservation;

pub use books::{Book, BookFact};
pub use policy::{Fact, react};
pub use reservation::{Command, Copy, Details, Event, Rejection, Reservation};

/// The context's name.
pub const CONTEXT: &str = "lending";
