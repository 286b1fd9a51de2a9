//! What happened in a world, written down only when somebody is going to read it.

use std::sync::{Arc, Mutex};

use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::Clock;

use crate::lock;
use crate::memory::SimClock;

/// Lines, each with its time. Clones share them.
#[derive(Clone)]
pub(super) struct Chronicle {
    clock: Arc<SimClock>,
    began: Timestamp,
    lines: Option<Arc<Mutex<Vec<String>>>>,
}

// === impl Chronicle ===

impl Chronicle {
    /// Remembers nothing.
    pub(super) fn blank(clock: Arc<SimClock>) -> Self {
        Self { began: clock.now(), clock, lines: None }
    }

    /// Remembers everything.
    pub(super) fn kept(clock: Arc<SimClock>) -> Self {
        Self { lines: Some(Arc::default()), ..Self::blank(clock) }
    }

    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let since = self.clock.now().since(self.began).as_secs_f64();
            lock(lines).push(format!("{since:10.3} {}", line()));
        }
    }

    /// The last `most` lines.
    pub(super) fn last(&self, most: usize) -> Vec<String> {
        let Some(lines) = &self.lines else { return vec![] };
        let lines = lock(lines);
        lines[lines.len().saturating_sub(most)..].to_vec()
    }
}
