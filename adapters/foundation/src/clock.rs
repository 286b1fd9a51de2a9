//! The machine's clock, and ids that follow it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::{Clock, Ids};
use uuid::Uuid;

/// Waits at most this long at a time, so that a clock that is set forward is noticed.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// UUIDs of version 7.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimeOrderedIds;

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the adapter of the clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    async fn until(&self, at: Timestamp) {
        loop {
            let wait = at.since(self.now());
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
        }
    }
}

impl Ids for TimeOrderedIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
