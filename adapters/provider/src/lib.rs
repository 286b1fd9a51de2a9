//! Payment providers. There is one, which is simulated: it moves no money, and is as slow, as strict and as
//! unreliable as it is told to be.

mod ledger;
mod simulated;
mod simulation;

pub use ledger::{Ledger, Refunded};
pub use simulated::{DECLINED, Simulated};
pub use simulation::{InvalidOutage, InvalidSimulation, SimulatedOutage, Simulation};
