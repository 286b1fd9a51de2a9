//! What callers saw, second by second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Calls and the breaker's state, with the time at which each was seen. Clones share it.
#[derive(Clone)]
pub(super) struct Timeline {
    pub(super) begin: Instant,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    breaker: Vec<(f64, f64)>,
}

/// One call.
#[derive(Clone, Copy)]
pub(super) struct Call {
    /// When it was answered, in seconds.
    pub(super) at: f64,
    pub(super) took: Duration,
    pub(super) answer: Answer,
}

/// How a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// `UNAVAILABLE`, and when to try again.
    TryAgain,
    /// Anything else.
    Failed,
}

// === impl Timeline ===

impl Timeline {
    pub(super) fn begin() -> Self {
        Self { begin: Instant::now(), seen: Arc::default() }
    }

    pub(super) fn now(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// Notes how a call went that began at `asked`.
    pub(super) fn note<T>(&self, asked: Instant, answer: &Result<T, Status>) -> Answer {
        let answer = match answer {
            Ok(_) => Answer::Done,
            Err(status) if status.code() == Code::Unavailable && status.get_details_retry_info().is_some() => {
                Answer::TryAgain
            }
            Err(_) => Answer::Failed,
        };
        self.seen().calls.push(Call { at: self.now(), took: asked.elapsed(), answer });
        answer
    }

    /// Notes the breaker's state: 0 closed, 1 half-open, 2 open.
    pub(super) fn note_breaker(&self, state: f64) {
        let at = self.now();
        self.seen().breaker.push((at, state));
    }

    /// The calls answered between two moments.
    pub(super) fn calls(&self, from: f64, until: f64) -> Vec<Call> {
        self.seen().calls.iter().filter(|call| (from..until).contains(&call.at)).copied().collect()
    }

    pub(super) fn breaker(&self) -> Vec<(f64, f64)> {
        self.seen().breaker.clone()
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long calls took that were answered so; `share` of them took no longer.
pub(super) fn took(calls: &[Call], answer: Answer, share: f64) -> Duration {
    let mut took: Vec<_> = calls.iter().filter(|call| call.answer == answer).map(|call| call.took).collect();
    took.sort_unstable();
    let at = ((took.len() as f64 - 1.0).max(0.0) * share).round() as usize;
    took.get(at).copied().unwrap_or_default()
}

pub(super) fn count(calls: &[Call], answer: Answer) -> usize {
    calls.iter().filter(|call| call.answer == answer).count()
}
