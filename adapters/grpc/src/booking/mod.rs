//! Booking over gRPC: `BookingService` inbound; seating, payment and ticketing outbound.

mod clients;
mod service;

pub use clients::{PaymentClient, SeatingClient, TicketingClient};
pub use service::{Bookings, Terms};
