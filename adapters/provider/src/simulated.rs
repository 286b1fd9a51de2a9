//! The simulated provider.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::{Money, StepKey, Unanswered};
use highstreet_domain::payment::{Authorisation, Charge, PaymentProvider};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time;
use uuid::Uuid;

use crate::{InvalidSimulation, Ledger, Refunded, SimulatedOutage, Simulation};

/// The reason it gives for declining a charge.
pub const DECLINED: &str = "DECLINED_BY_ISSUER";

/// A payment provider that moves no money.
///
/// What it answers is drawn from the key alone. So the same key gets the same answer for ever, across restarts and
/// replicas, without anything being kept.
#[derive(Debug)]
pub struct Simulated {
    simulation: Simulation,
    outage: Mutex<SimulatedOutage>,
    turns: Option<Semaphore>,
    ledger: Option<Mutex<Ledger>>,
}

/// What is drawn from a key; each draw is independent of the others.
#[derive(Clone, Copy)]
enum Draw {
    Decline,
    Latency,
}

// === impl Simulated ===

impl Simulated {
    /// A provider that behaves like this and remembers nothing.
    pub fn new(simulation: Simulation) -> Result<Self, InvalidSimulation> {
        simulation.validate()?;
        let outage = Mutex::new(simulation.outage);
        let turns = simulation.concurrency.map(Semaphore::new);
        Ok(Self { simulation, outage, turns, ledger: None })
    }

    /// A provider that keeps a [`Ledger`], which grows with every payment: for tests.
    pub fn recording(simulation: Simulation) -> Result<Self, InvalidSimulation> {
        Ok(Self { ledger: Some(Mutex::default()), ..Self::new(simulation)? })
    }

    /// From now on it is out of order in this way.
    pub fn set_outage(&self, outage: SimulatedOutage) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage;
        tracing::info!(?outage, "the simulated payment provider's outage was set");
    }

    /// What it did so far; `None` unless it is recording.
    pub fn ledger(&self) -> Option<Ledger> {
        let ledger = self.ledger.as_ref()?;
        Some(ledger.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Waits for its turn, which lasts until the permit is dropped.
    async fn turn(&self) -> Result<Option<SemaphorePermit<'_>>, Unanswered> {
        if self.outage() == SimulatedOutage::Refuses {
            return Err(Unanswered::not_sent("the simulated provider refuses connections"));
        }
        let Some(turns) = &self.turns else { return Ok(None) };
        match time::timeout(self.simulation.patience, turns.acquire()).await {
            Ok(turn) => Ok(Some(turn.expect("the semaphore is never closed"))),
            Err(_) => Err(Unanswered::not_sent("the simulated provider is busy")),
        }
    }

    /// Waits as long as the answer takes.
    async fn answer(&self, key: StepKey) -> Result<(), Unanswered> {
        if self.outage() == SimulatedOutage::Hangs {
            time::sleep(self.simulation.timeout).await;
            return Err(Unanswered::unknown("the simulated provider does not answer"));
        }
        let latency = self.latency(key);
        // Even the shortest sleep takes a millisecond.
        if !latency.is_zero() {
            time::sleep(latency).await;
        }
        Ok(())
    }

    fn authorisation(&self, key: StepKey) -> Authorisation {
        if Draw::Decline.of(key) < self.simulation.decline_rate {
            Authorisation::Declined { reason: DECLINED.into() }
        } else {
            Authorisation::Approved { reference: format!("sim-{}", key.uuid()) }
        }
    }

    fn latency(&self, key: StepKey) -> Duration {
        let (least, most) = (*self.simulation.latency.start(), *self.simulation.latency.end());
        least + most.saturating_sub(least).mul_f64(Draw::Latency.of(key))
    }

    fn outage(&self) -> SimulatedOutage {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, entry: impl FnOnce(&mut Ledger)) {
        if let Some(ledger) = &self.ledger {
            entry(&mut ledger.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

#[async_trait]
impl PaymentProvider for Simulated {
    async fn authorise(&self, charge: &Charge, key: StepKey) -> Result<Authorisation, Unanswered> {
        let _turn = self.turn().await?;
        let authorisation = self.authorisation(key);
        if let Authorisation::Approved { .. } = authorisation {
            // Before it answers: a caller that no longer waits has paid all the same.
            self.record(|ledger| {
                ledger.charges.insert(key, charge.clone());
            });
        }
        self.answer(key).await?;
        Ok(authorisation)
    }

    async fn refund(&self, reference: &str, amount: Money, key: StepKey) -> Result<(), Unanswered> {
        let _turn = self.turn().await?;
        let refunded = Refunded { reference: reference.into(), amount };
        self.record(|ledger| {
            ledger.refunds.insert(key, refunded);
        });
        self.answer(key).await
    }
}

// === impl Draw ===

impl Draw {
    /// The same number for the same key, at least 0 and below 1.
    fn of(self, key: StepKey) -> f64 {
        let name: &[u8] = match self {
            Self::Decline => b"decline",
            Self::Latency => b"latency",
        };
        let [a, b, c, d, ..] = Uuid::new_v5(&key.uuid(), name).into_bytes();
        f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }
}
