//! How a simulated provider behaves.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;

/// How a simulated provider behaves. By default it answers at once and approves everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// How long it takes to answer; drawn for each key.
    pub latency: RangeInclusive<Duration>,
    /// Which share of charges it declines, 0 to 1; drawn for each key.
    pub decline_rate: f64,
    /// How it is out of order.
    pub outage: SimulatedOutage,
    /// How many calls it takes at a time; `None` is any number.
    pub concurrency: Option<usize>,
    /// How long a call waits for its turn before it is given up, not sent.
    pub patience: Duration,
    /// How long an answer that does not come is waited for.
    pub timeout: Duration,
}

/// How a simulated provider is out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SimulatedOutage {
    /// It is in order.
    #[default]
    None,
    /// It cannot be reached: nothing is taken.
    Refuses,
    /// It does what it is asked and never answers.
    Hangs,
}

/// Why a simulation makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum InvalidSimulation {
    /// The latency ends before it begins.
    #[error("the least latency must not be more than the most")]
    Latency,
    /// The decline rate is no share.
    #[error("the decline rate must lie between 0 and 1, and is {0}")]
    DeclineRate(f64),
    /// Nothing could ever be paid, or the number is absurd.
    #[error("the concurrency must be 1 or more, and is {0}")]
    Concurrency(usize),
}

/// An outage that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be `none`, `refuses` or `hangs`")]
pub struct InvalidOutage;

// === impl Simulation ===

impl Simulation {
    pub(crate) fn validate(&self) -> Result<(), InvalidSimulation> {
        if self.latency.is_empty() {
            return Err(InvalidSimulation::Latency);
        }
        if !(0.0..=1.0).contains(&self.decline_rate) {
            return Err(InvalidSimulation::DeclineRate(self.decline_rate));
        }
        match self.concurrency {
            None | Some(1..=Semaphore::MAX_PERMITS) => Ok(()),
            Some(other) => Err(InvalidSimulation::Concurrency(other)),
        }
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO..=Duration::ZERO,
            decline_rate: 0.0,
            outage: SimulatedOutage::None,
            concurrency: None,
            patience: Duration::from_millis(100),
            timeout: Duration::from_secs(5),
        }
    }
}

// === impl SimulatedOutage ===

impl FromStr for SimulatedOutage {
    type Err = InvalidOutage;

    fn from_str(name: &str) -> Result<Self, InvalidOutage> {
        match name {
            "none" => Ok(Self::None),
            "refuses" => Ok(Self::Refuses),
            "hangs" => Ok(Self::Hangs),
            _ => Err(InvalidOutage),
        }
    }
}
