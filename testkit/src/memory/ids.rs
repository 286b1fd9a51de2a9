//! Ids that are counted instead of drawn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use highstreet_domain::kernel::ports::{Clock, Ids};
use uuid::{Builder, Uuid};

use super::SimClock;

/// Version 7 UUIDs of virtual time and a count: the same ones in every run of a seed.
#[derive(Debug)]
pub struct Counted {
    clock: Arc<SimClock>,
    made: AtomicU64,
}

// === impl Counted ===

impl Counted {
    /// Ids that sort by the time of `clock`.
    pub fn new(clock: Arc<SimClock>) -> Self {
        Self { clock, made: AtomicU64::new(0) }
    }
}

impl Ids for Counted {
    fn next(&self) -> Uuid {
        let millis = u64::try_from(self.clock.now().as_micros() / 1000).unwrap_or(0);
        let count = self.made.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        Builder::from_unix_timestamp_millis(
            millis,
            &[0, 0, count[0], count[1], count[2], count[3], count[4], count[5], count[6], count[7]],
        )
        .into_uuid()
    }
}
