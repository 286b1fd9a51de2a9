//! When calls are made, and when not: what a breaker knows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{Counter, counter, describe_counter, describe_gauge, gauge};
use tokio::time::Instant;

use crate::peer::PeerSettings;

const OPEN: &str = "highstreet_breaker_open";
const STATE: &str = "highstreet_breaker_state";
const REFUSED: &str = "highstreet_breaker_refused_total";

/// How many calls try whether a callee answers again.
const PROBES: usize = 3;

/// Whether calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// They are.
    Closed,
    /// A few are, to see.
    HalfOpen,
    /// They fail at once.
    Open,
}

/// What the calls of one context to another have in common.
pub(super) struct Circuit {
    caller: &'static str,
    callee: &'static str,
    settings: PeerSettings,
    standing: Mutex<Standing>,
    refused: Counter,
}

struct Standing {
    state: State,
    since: Instant,
}

enum State {
    /// Calls are made.
    Closed(Window),
    /// They are not, until then.
    Open { until: Instant },
    /// A few are made, to see.
    HalfOpen { free: usize, well: usize },
}

/// How the last calls went.
#[derive(Default)]
struct Window {
    outcomes: VecDeque<Outcome>,
    well: usize,
    slow: usize,
    failed: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    Well,
    Slow,
    Failed,
}

/// A call that may be made. One that is dropped without an outcome says nothing about the callee.
pub(super) struct Permit {
    circuit: Arc<Circuit>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Usual,
    Probe,
    Settled,
}

// === impl BreakerState ===

impl BreakerState {
    fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

// === impl Circuit ===

impl Circuit {
    pub(super) fn new(caller: &'static str, callee: &'static str, settings: PeerSettings) -> Self {
        describe_gauge!(OPEN, "1 while a context's calls to another fail at once.");
        describe_gauge!(
            STATE,
            "The circuit breaker: 0 closed, 1 half-open (a few calls try), 2 open (calls fail at once)."
        );
        describe_counter!(REFUSED, "Calls that were not made, because the callee did not answer lately.");
        let standing = Mutex::new(Standing { state: State::Closed(Window::default()), since: Instant::now() });
        let refused = counter!(REFUSED, "caller" => caller, "callee" => callee);
        let circuit = Self { caller, callee, settings, standing, refused };
        circuit.show(BreakerState::Closed);
        circuit
    }

    /// The context that is called.
    pub(super) fn callee(&self) -> &'static str {
        self.callee
    }

    /// Whether calls are made, and for how long that has been so.
    pub(super) fn told(&self) -> (BreakerState, Duration) {
        let standing = self.standing();
        (standing.state.told(), standing.since.elapsed())
    }

    /// Whether a call would not be let through now, which counts as refused.
    pub(super) fn refuses(&self) -> bool {
        let refuses = self.standing().state.refuses();
        if refuses {
            self.refused.increment(1);
        }
        refuses
    }

    pub(super) fn admit(self: &Arc<Self>) -> Option<Permit> {
        let mut standing = self.standing();
        if standing.state.refuses() {
            self.refused.increment(1);
            return None;
        }
        let kind = match &mut standing.state {
            State::Closed(_) => Kind::Usual,
            State::Open { .. } => {
                self.turn(&mut standing, State::HalfOpen { free: PROBES - 1, well: 0 });
                Kind::Probe
            }
            State::HalfOpen { free, .. } => {
                *free -= 1;
                Kind::Probe
            }
        };
        drop(standing);
        Some(Permit { circuit: self.clone(), kind })
    }

    fn settle(&self, kind: Kind, outcome: Outcome) {
        let mut standing = self.standing();
        let next = match &mut standing.state {
            State::Closed(window) => {
                window.push(outcome, self.settings.window);
                window.is_bad(&self.settings).then(|| self.rest())
            }
            State::HalfOpen { .. } if kind == Kind::Probe && outcome != Outcome::Well => Some(self.rest()),
            State::HalfOpen { well, .. } if kind == Kind::Probe => {
                *well += 1;
                (*well >= PROBES).then(|| State::Closed(Window::default()))
            }
            // It began before the breaker opened, and tells nothing new.
            State::HalfOpen { .. } | State::Open { .. } => None,
        };
        if let Some(next) = next {
            self.turn(&mut standing, next);
        }
    }

    fn rest(&self) -> State {
        State::Open { until: Instant::now() + self.settings.rest }
    }

    fn turn(&self, standing: &mut Standing, next: State) {
        let (caller, callee) = (self.caller, self.callee);
        let (from, to) = (standing.state.told(), next.told());
        tracing::warn!(caller, callee, from = from.name(), to = to.name(), "circuit breaker");
        self.show(to);
        *standing = Standing { state: next, since: Instant::now() };
    }

    fn show(&self, state: BreakerState) {
        let (open, code) = match state {
            BreakerState::Closed => (0.0, 0.0),
            BreakerState::HalfOpen => (0.0, 1.0),
            BreakerState::Open => (1.0, 2.0),
        };
        gauge!(OPEN, "caller" => self.caller, "callee" => self.callee).set(open);
        gauge!(STATE, "caller" => self.caller, "callee" => self.callee).set(code);
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    /// Whether the next call is kept back.
    fn refuses(&self) -> bool {
        match self {
            Self::Closed(_) => false,
            Self::Open { until } => *until > Instant::now(),
            Self::HalfOpen { free, .. } => *free == 0,
        }
    }

    fn told(&self) -> BreakerState {
        match self {
            Self::Closed(_) => BreakerState::Closed,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
            Self::Open { .. } => BreakerState::Open,
        }
    }
}

// === impl Window ===

impl Window {
    /// One more; the oldest of more than `most` is forgotten.
    fn push(&mut self, outcome: Outcome, most: usize) {
        *self.count(outcome) += 1;
        self.outcomes.push_back(outcome);
        if self.outcomes.len() > most
            && let Some(oldest) = self.outcomes.pop_front()
        {
            *self.count(oldest) -= 1;
        }
    }

    fn count(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Failed => &mut self.failed,
            Outcome::Slow => &mut self.slow,
            Outcome::Well => &mut self.well,
        }
    }

    /// Failed or slow calls are counted together: a caller waits for the slow ones as well.
    #[allow(clippy::cast_precision_loss, reason = "windows are short")]
    fn is_bad(&self, settings: &PeerSettings) -> bool {
        let all = self.outcomes.len();
        all >= settings.at_least && (self.failed + self.slow) as f64 >= settings.rate * all as f64
    }
}

// === impl Permit ===

impl Permit {
    /// The call is over. No outcome says nothing about the callee.
    pub(super) fn settle(mut self, outcome: Option<Outcome>) {
        let Some(outcome) = outcome else { return };
        let kind = std::mem::replace(&mut self.kind, Kind::Settled);
        self.circuit.settle(kind, outcome);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Another call may try in its place.
        if self.kind == Kind::Probe
            && let State::HalfOpen { free, .. } = &mut self.circuit.standing().state
        {
            *free += 1;
        }
    }
}
