//! The latest messages, kept in memory so that consumers who keep up read no file.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use highstreet_domain::kernel::Message;

/// How many messages of each source are at hand.
const MOST: usize = 4096;

#[derive(Default)]
pub(super) struct Recent {
    sources: HashMap<Arc<str>, VecDeque<(u64, Arc<Message>)>>,
}

// === impl Recent ===

impl Recent {
    /// To be called in the order of commits.
    pub(super) fn push(&mut self, messages: impl Iterator<Item = (u64, Arc<Message>)>) {
        for (position, message) in messages {
            let latest = self.sources.entry(message.source.clone()).or_default();
            if latest.len() == MOST {
                latest.pop_front();
            }
            latest.push_back((position, message));
        }
    }

    /// Messages of `source` were rewritten in the file: they are read there.
    pub(super) fn leave_to_file(&mut self, source: &str) {
        self.sources.remove(source);
    }

    /// At most `limit` messages of `source` behind `after`; `None` if some of them are no longer, or not yet, at
    /// hand.
    pub(super) fn behind(&self, source: &str, after: u64, limit: usize) -> Option<Vec<(u64, Arc<Message>)>> {
        let latest = self.sources.get(source)?;
        let (first, _) = latest.front()?;
        if after < *first {
            return None;
        }
        let start = latest.partition_point(|(position, _)| *position <= after);
        Some(latest.iter().skip(start).take(limit).cloned().collect())
    }
}
