//! Payment (결제): one payment per order, ever; charged at most once, refunded at most once.

mod language;
mod payment;
mod policy;
mod ports;

pub use language::{Authorisation, By, Cancellation, Command, Event, Rejection, Step};
pub use payment::{Bill, Closing, Payment, Refund};
pub use policy::{Fact, react};
pub use ports::{Charge, PaymentProvider, Performing};

/// The context's name.
pub const CONTEXT: &str = "payment";
