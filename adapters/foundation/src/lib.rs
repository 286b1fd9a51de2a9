//! What stores and buses stand on, whatever the product: the machine's clock, ids that follow it, and how values are
//! kept.
//!
//! A store is a core that commits groups of [`encoded`] changes, which knows no aggregate, and thin typed ports over
//! it. What that core is given is made here, once for all stores.

mod backlog;
mod clock;
pub mod codec;
pub mod encoded;
pub mod erasing;
pub mod newest;
pub mod recent;
pub mod tally;
pub mod trace;

pub use backlog::{Backlog, MOST_COUNTED, MOST_LOOKED_THROUGH, Queue};
pub use clock::{SystemClock, TimeOrderedIds};
