//! How much of a context's work waits: what a store is asked every few seconds, whatever the product.

use std::time::Duration;

/// Of what waits, so much is counted: beyond it the number says "that or more", so that counting stays cheap however
/// much there is.
pub const MOST_COUNTED: u64 = 10_000;

/// Failing steps are looked for among so many of those that are taken up next. Who failed is tried again within
/// seconds, and so is among them.
pub const MOST_LOOKED_THROUGH: u64 = 2_000;

/// What waits in one context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that are committed and not yet published.
    pub outbox: Queue,
    /// Steps and deadlines whose time has come, and which nobody is at.
    pub due: Queue,
    /// Steps that were tried in vain and are tried again.
    pub failing: Queue,
}

/// Things that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// How many there are, at most [`MOST_COUNTED`].
    pub depth: u64,
    /// How long the oldest of them has waited; nothing if there is none.
    pub age: Duration,
}

// === impl Queue ===

impl Queue {
    /// So many, the oldest of which has waited since `oldest`; both times in microseconds since the epoch.
    pub fn since(depth: u64, oldest: Option<i64>, now: i64) -> Self {
        let age = oldest.map_or(0, |oldest| now.saturating_sub(oldest).max(0));
        Self { depth, age: Duration::from_micros(age.unsigned_abs()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_makes_nothing_old() {
        assert_eq!(Queue::since(3, Some(2_000_000), 5_000_000).age, Duration::from_secs(3));
        assert_eq!(Queue::since(3, Some(7_000_000), 5_000_000).age, Duration::ZERO);
        assert_eq!(Queue::since(0, None, 5_000_000), Queue::default());
    }
}
