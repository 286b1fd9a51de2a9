//! gRPC in and out.
//!
//! Inbound, each context has one file: it parses a request into a command (every bad field at once), lets the
//! [`Desk`] carry it out, and says what came of it. Errors are mapped to status codes once, in `status`. Outbound,
//! a client stands behind each port of the domain, and calls through a [`Peer`] that knows when not to; contexts in
//! other processes are reached by a [`Channel`].

pub mod booking;
pub mod delivery;
pub mod inventory;
pub mod kitchen;
pub mod lending;
pub mod loyalty;
mod malformed;
pub mod notification;
pub mod operations;
pub mod ordering;
pub mod payment;
pub mod replenishment;
pub mod sales;
pub mod seating;
pub mod ticketing;
pub mod tracking;

mod addresses;
mod breaker;
mod call;
mod caller_limit;
mod channel;
mod desk;
mod fields;
mod gathered;
mod layer;
mod limit;
mod opened;
mod page;
mod peer;
mod red;
mod retry;
mod scope;
mod span;
mod status;
mod tls;
mod watch;

pub use addresses::{AddressError, AddressTemplate, Addresses, PeerAddresses};
pub use breaker::{BreakerState, BreakerView};
pub use call::{ACTOR, CALLER, Call};
pub use caller_limit::{CallerLimitLayer, MethodRate};
pub use channel::{Channel, ChannelSettings, Names};
pub use desk::Desk;
pub use gathered::Gathered;
pub use layer::CallLayer;
pub use limit::LimitLayer;
pub use peer::{BoxError, Credentials, Peer, PeerFailure, PeerSettings, Reach};
pub use span::Traced;
pub use status::unavailable;
pub use tls::{Arrival, Arrivals, CertificateFiles, DoorTls, PeerTls, TlsError, arrivals};
