//! How bad things are: what the stores, the bus and the network do to their callers while it storms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use highstreet_domain::kernel::Signal;

use crate::Dice;
use crate::memory::{Call, Strike, Trouble};
use crate::sim::Node;

/// Storm or calm. Clones share it.
#[derive(Clone)]
pub(super) struct Weather {
    dice: Dice,
    /// Half as bad, as usual, or half as bad again.
    severity: u64,
    calm: Arc<AtomicBool>,
}

/// A node's share of the weather: its calls of stores and bus fail, and some of them kill it.
pub(super) struct Exposed {
    pub(super) weather: Weather,
    pub(super) node: Node,
    pub(super) fallen: Signal,
}

/// What becomes of a call over the network.
pub(super) struct Passage {
    /// It never leaves.
    pub(super) lost: bool,
    /// The answer never comes back.
    pub(super) silent: bool,
    /// How long it is on its way.
    pub(super) late: Duration,
    /// How long the caller waits.
    pub(super) patience: Duration,
}

// === impl Weather ===

impl Weather {
    pub(super) fn storm(dice: Dice) -> Self {
        let severity = 1 + dice.roll() % 3;
        Self { dice, severity, calm: Arc::default() }
    }

    pub(super) fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    /// True about `percent` times out of a hundred, in a storm.
    pub(super) fn strikes(&self, percent: u64) -> bool {
        !self.is_calm() && self.dice.chance(percent * self.severity / 2)
    }

    /// The copies of a message that a consumer gets, by how late each comes.
    pub(super) fn copies(&self) -> Vec<Duration> {
        let mut copies = vec![self.delay()];
        if self.strikes(15) {
            copies.push(self.delay());
        }
        copies
    }

    /// How a call over the network goes.
    pub(super) fn passage(&self) -> Passage {
        Passage {
            lost: self.strikes(5),
            silent: self.strikes(5),
            late: self.delay(),
            patience: if self.strikes(50) { Duration::from_millis(500) } else { Duration::from_secs(6) },
        }
    }

    /// Nothing, a little, or a lot.
    pub(super) fn delay(&self) -> Duration {
        if !self.strikes(40) {
            Duration::ZERO
        } else if self.strikes(25) {
            self.dice.up_to(Duration::from_secs(5))
        } else {
            self.dice.up_to(Duration::from_millis(50))
        }
    }
}

// === impl Exposed ===

impl Trouble for Exposed {
    fn strike(&self, call: Call) -> Strike {
        if !self.weather.strikes(2) {
            Strike::Spared
        } else if call == Call::Write && self.weather.strikes(20) {
            self.node.kill();
            self.fallen.ring();
            Strike::Silenced
        } else {
            Strike::Away
        }
    }
}
