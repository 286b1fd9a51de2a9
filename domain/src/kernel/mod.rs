//! The kernel: what every context is made of, and the machinery that runs it on any store, bus and runtime.
//!
//! [`Aggregate`], [`View`] and policies are what a context writes. [`Handler`], [`Worker`], [`Relay`],
//! [`Consumer`] and [`Projector`] are what it gets: they are written against the [`ports`] alone and know no
//! runtime, so that the world test can drive the same code with a seeded scheduler.

mod aggregate;
mod case;
mod cause;
mod consumer;
mod detached;
mod erasure;
mod forgetter;
mod handler;
mod id;
mod late;
mod left;
mod message;
mod money;
mod operator;
mod perform;
pub mod ports;
mod projector;
mod queue;
mod rebuild;
mod relay;
mod repeat;
mod request;
mod scope;
mod seat;
mod signal;
mod text;
mod time;
mod turn;
mod view;
mod worker;

pub use aggregate::{Aggregate, Callee, Due, Index, Kind, Never, OnOutage, Outage, Rejection, Unanswered};
pub use case::Case;
pub use cause::{Cause, Claim, ClaimKey, Fingerprint, Origin, StepKey};
pub use consumer::{Consumer, Hearing, Refused, Undecodable};
pub use erasure::{Erasure, Forgotten, Known, PERSONAL, Redact, pseudonym, time_in};
pub use forgetter::{Forgetter, Swept};
pub use handler::{Handled, Handler, HandlerPorts, HandlerSettings};
pub use id::{Id, Reference};
pub use late::heard_late;
pub use message::{Happened, Message, Publish, Published};
pub use money::{Currency, InvalidMoney, Money};
pub use operator::{PendingStep, Steps, Unmoved, Wanted};
pub use projector::{Projector, Seeing};
pub use rebuild::{Rebuild, Rebuilds};
pub use relay::Relay;
pub use request::{Failure, Release, Request, Standing};
pub use scope::{Bounds, Scope};
pub use seat::{Seat, Seats};
pub use signal::Signal;
pub use text::{
    InvalidText, Item, Note, Payer, PaymentMethod, Phone, ProductId, ProductName, Quantity, ScreeningId, ShopId,
};
pub use time::Timestamp;
pub use view::{Seen, View};
pub use worker::Worker;

/// A future that may be moved between threads, as the ports take it.
pub type BoxFuture = core::pin::Pin<alloc::boxed::Box<dyn core::future::Future<Output = ()> + Send>>;
