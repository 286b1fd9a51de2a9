//! Every port in memory: deterministic, and durable for as long as somebody holds the data.
//!
//! A context that is killed drops its handlers and loops; the [`Store`], [`Streams`], [`Rows`] and [`MemoryBus`]
//! are clones of one shared whole, so that whoever comes after finds everything that was committed. They keep the
//! promises of a real store (`crate::contract` holds them to it), and every call steps aside once, so that a seeded
//! scheduler meets all orders in which calls can interleave.

mod bus;
mod clock;
mod ids;
mod listing;
mod outbox;
mod store;
mod streams;
mod trouble;
mod turns;
mod views;

pub use bus::MemoryBus;
pub use clock::SimClock;
pub use ids::Counted;
pub use outbox::MemoryOutbox;
pub use store::Store;
pub use streams::{Flaws, Streams};
pub use trouble::{Call, NoTrouble, Strike, Trouble};
pub use turns::step_aside;
pub use views::Rows;
