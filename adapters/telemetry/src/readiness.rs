//! Whether this server should be sent work.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// What a server reports about itself; all clones are the same. Starting, at first.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<State>>);

/// Where a server is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Opening stores, migrating.
    #[default]
    Starting,
    /// Taking work.
    Ready,
    /// Finishing what it has; takes nothing new.
    Draining,
}

/// What is to be said of one thing that the server depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is there.
    Ok,
    /// It is away, and the server works without it; says why.
    Degraded(String),
    /// It is away, and the server cannot work; says why.
    Failed(String),
}

/// Whether to send a server work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Yes.
    Ready,
    /// Yes, but somebody should look.
    Degraded,
    /// No.
    NotReady,
}

/// What a server reports about itself at one point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The worst of all checks.
    pub status: Status,
    /// Each check by name: first `lifecycle`, then those that were reported, by name.
    pub checks: Vec<(String, Check)>,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    checks: BTreeMap<String, Check>,
}

// === impl Readiness ===

impl Readiness {
    /// The readiness of a server that is starting.
    pub fn new() -> Self {
        metrics::describe_gauge!(
            "highstreet_check_status",
            "What is to be said of a check: 0 is ok, 1 degraded, 2 failed."
        );
        Self(Arc::new(watch::Sender::new(State::default())))
    }

    /// The server is in `phase` now. There is no way back: whoever drains does not become ready again. That it is ready
    /// is announced by whoever knows where it listens, and not here.
    pub fn enter(&self, phase: Phase) {
        let entered = self.0.send_if_modified(|state| {
            let later = phase > state.phase;
            state.phase = state.phase.max(phase);
            later
        });
        if entered && phase != Phase::Ready {
            tracing::info!("the server is {}", phase.as_str());
        }
    }

    /// The check called `name` now says `check`. Changes are logged; the gauge `highstreet_check_status` shows
    /// each check.
    pub fn report(&self, name: &str, check: Check) {
        metrics::gauge!("highstreet_check_status", "check" => name.to_owned()).set(check.level());
        self.0.send_if_modified(|state| {
            let changed = *state.checks.get(name).unwrap_or(&Check::Ok) != check;
            if changed {
                check.log(name);
            }
            state.checks.insert(name.to_owned(), check);
            changed
        });
    }

    /// What the server reports about itself now.
    pub fn summary(&self) -> Summary {
        self.0.borrow().summary()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Phase ===

impl Phase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
        }
    }

    fn check(self) -> Check {
        match self {
            Self::Ready => Check::Ok,
            Self::Starting | Self::Draining => Check::Failed(self.as_str().into()),
        }
    }
}

// === impl Check ===

impl Check {
    /// Its status as the admin port names it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded(_) => "degraded",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it is not ok; empty if it is.
    pub fn detail(&self) -> &str {
        match self {
            Self::Ok => "",
            Self::Degraded(why) | Self::Failed(why) => why,
        }
    }

    const fn level(&self) -> f64 {
        match self {
            Self::Ok => 0.0,
            Self::Degraded(_) => 1.0,
            Self::Failed(_) => 2.0,
        }
    }

    fn log(&self, name: &str) {
        match self {
            Self::Ok => tracing::info!(check = name, "ok"),
            Self::Degraded(why) => tracing::warn!(check = name, "degraded: {why}"),
            Self::Failed(why) => tracing::error!(check = name, "failed: {why}"),
        }
    }
}

// === impl Status ===

impl Status {
    /// The status as the admin port names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::NotReady => "not ready",
        }
    }
}

// === impl State ===

impl State {
    fn summary(&self) -> Summary {
        let reported = self.checks.iter().map(|(name, check)| (name.clone(), check.clone()));
        let checks: Vec<_> = std::iter::once(("lifecycle".to_owned(), self.phase.check())).chain(reported).collect();
        let any = |wanted: fn(&Check) -> bool| checks.iter().any(|(_, check)| wanted(check));
        let status = if any(|check| matches!(check, Check::Failed(_))) {
            Status::NotReady
        } else if any(|check| matches!(check, Check::Degraded(_))) {
            Status::Degraded
        } else {
            Status::Ready
        };
        Summary { status, checks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_decides() {
        let readiness = Readiness::new();
        assert_eq!(readiness.summary().status, Status::NotReady);
        readiness.enter(Phase::Ready);
        assert_eq!(readiness.summary().status, Status::Ready);
        readiness.report("bus", Check::Degraded("away".into()));
        assert_eq!(readiness.summary().status, Status::Degraded);
        readiness.report("store", Check::Failed("disk full".into()));
        assert_eq!(readiness.summary().status, Status::NotReady);
        readiness.report("store", Check::Ok);
        readiness.report("bus", Check::Ok);
        assert_eq!(readiness.summary().status, Status::Ready);
    }

    #[test]
    fn whoever_drains_does_not_become_ready_again() {
        let readiness = Readiness::new();
        readiness.enter(Phase::Draining);
        readiness.enter(Phase::Ready);
        assert_eq!(readiness.summary().checks, [("lifecycle".to_owned(), Check::Failed("draining".into()))]);
    }
}
