//! Payment (결제): one payment per order, ever; charged at most once, refunded at most once.

mod payment;
mod policy;
mod ports;

pub use payment::{Authorisation, Bill, By, Cancellation, Closing, Command, Event, Payment, Refund, Rejection, Step};
pub use policy::{Fact, react};
pub use ports::{Charge, PaymentProvider, Performing};

/// The context's name.
pub const CONTEXT: &str = "payment";
