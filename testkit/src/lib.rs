//! What every context and every store is tested with.
//!
//! [`laws`] are what holds for every aggregate and view, [`given`](given()) tells one rule as a story, [`contract`]
//! is what every port promises, [`memory`] keeps those promises without a disk, [`sim`] runs them all on a seeded
//! scheduler in virtual time, and [`world`] is the whole coffee shop on it. Nothing here sleeps, and nothing depends
//! on a runtime; but for `servers` (a feature), real ones on loopback for the tests of what talks to them.

pub mod contract;
pub mod counter;
pub mod dice;
mod forgotten;
pub mod given;
pub mod laws;
pub mod memory;
#[cfg(feature = "servers")]
pub mod servers;
pub mod sim;
pub mod world;

pub use dice::Dice;
pub use given::given;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`; one that a panicking test left behind is as good as any.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
