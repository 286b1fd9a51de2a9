//! Takes up what the agenda says is due: retries, deadlines, and what a dead process left behind.

use alloc::sync::Arc;
use core::time::Duration;

use super::ports::{Agenda, Clock};
use super::{Aggregate, Handler};

const AT_ONCE: usize = 64;
const STORE_AWAY: Duration = Duration::from_millis(200);

/// One per kind of aggregate and replica.
pub struct Worker<A: Aggregate> {
    /// Carries out what is due.
    pub handler: Handler<A>,
    /// Says what is due.
    pub agenda: Arc<dyn Agenda<A>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a step belongs to the run that is at it.
    pub lease: Duration,
}

// === impl Worker ===

impl<A: Aggregate> Worker<A> {
    /// Works until it is dropped.
    pub async fn run(self) {
        loop {
            match self.agenda.take(AT_ONCE, self.lease).await {
                Ok(tasks) => {
                    for task in tasks {
                        self.handler.resume(task).await;
                    }
                }
                Err(_) => self.clock.until(self.clock.now().after(STORE_AWAY)).await,
            }
        }
    }
}
