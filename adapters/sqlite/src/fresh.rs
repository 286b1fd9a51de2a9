//! What was committed just now and is to be published: handed to the relay in memory, so that a relay that keeps up
//! reads no file.

use std::collections::VecDeque;
use std::sync::Arc;

use highstreet_domain::kernel::{Origin, Timestamp};
use uuid::Uuid;

/// The most events that wait here; a relay that is further behind reads the file.
const MOST: usize = 8192;

/// Events in the order of their commits.
pub(crate) struct Fresh {
    /// Every event to be published that was committed after this position is in the queue, or was.
    complete_after: u64,
    queue: VecDeque<FreshEvent>,
}

/// An event to be published.
#[derive(Clone)]
pub(crate) struct FreshEvent {
    pub(crate) position: u64,
    pub(crate) subject: Uuid,
    pub(crate) revision: u64,
    pub(crate) time: Timestamp,
    pub(crate) origin: Arc<Origin>,
    pub(crate) name: &'static str,
    pub(crate) body: Arc<[u8]>,
}

// === impl Fresh ===

impl Fresh {
    /// Nothing yet, in a file whose last event has `position`.
    pub(crate) fn after(position: u64) -> Self {
        Self { complete_after: position, queue: VecDeque::new() }
    }

    /// To be called in the order of commits.
    pub(crate) fn push(&mut self, event: FreshEvent) {
        if self.queue.len() == MOST
            && let Some(oldest) = self.queue.pop_front()
        {
            self.complete_after = oldest.position;
        }
        self.queue.push_back(event);
    }

    /// What is in the queue was rewritten in the file: it is read there.
    pub(crate) fn leave_to_file(&mut self) {
        if let Some(last) = self.queue.back() {
            self.complete_after = last.position;
        }
        self.queue.clear();
    }

    /// At most `limit` events behind `published`; `None` if some of them are only in the file.
    pub(crate) fn behind(&mut self, published: u64, limit: usize) -> Option<Vec<FreshEvent>> {
        while self.queue.front().is_some_and(|event| event.position <= published) {
            self.queue.pop_front();
        }
        (published >= self.complete_after).then(|| self.queue.iter().take(limit).cloned().collect())
    }
}
