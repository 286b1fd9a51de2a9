//! What a kubelet does for a container: asks its probes, ends it when they fail, starts it again.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::parts::Parts;
use super::probe::{Probe, Probes};
use super::process::Process;

/// How long a kubelet waits before it starts again what keeps ending: nothing at first, then this, doubled each time.
const BACK_OFF: Duration = Duration::from_secs(10);
const MOST: Duration = Duration::from_mins(5);
/// Whatever ran for so long is forgiven.
const FORGIVEN: Duration = Duration::from_mins(10);
const STEP: Duration = Duration::from_millis(50);

/// One process, and what is known of it.
struct Charge {
    process: Process,
    /// Where it answers its probes.
    admin: u16,
    /// If it was started here: whoever starts a process has to hear of its end.
    child: Option<Child>,
    restarts: u32,
}

/// Why a process has to be started again.
enum Why {
    Ended,
    /// A probe of this name failed so often.
    Failed(&'static str, u32),
}

/// Looks after every process of ours, for as long as it is let.
pub(super) fn supervise(parts: Parts) -> Result<(), String> {
    let probes = Probes::of_the_chart()?;
    thread::scope(|scope| {
        for process in parts.all() {
            let Some(admin) = process.admin else { continue };
            let charge = Charge { process, admin, child: None, restarts: 0 };
            let (parts, probes) = (&parts, &probes);
            scope.spawn(move || charge.look_after(parts, probes));
        }
    });
    Ok(())
}

// === impl Charge ===

impl Charge {
    fn look_after(mut self, parts: &Parts, probes: &Probes) {
        loop {
            #[allow(clippy::disallowed_methods, reason = "the supervisor's clock is not one that tests move")]
            let since = Instant::now();
            let why = self.watch(parts, probes);
            if since.elapsed() > FORGIVEN {
                self.restarts = 0;
            }
            self.tell(&why);
            self.end(parts, probes.grace);
            thread::park_timeout(back_off(self.restarts));
            self.restarts += 1;
            match parts.prepare(&self.process).and_then(|command| self.process.start(&parts.folder, command)) {
                Ok(child) => self.child = Some(child),
                Err(why) => println!("{}: {why}", self.process.name),
            }
        }
    }

    /// Returns when it has to be started again: first until it has started, then for as long as it lives.
    fn watch(&mut self, parts: &Parts, probes: &Probes) -> Why {
        if let Some(why) = self.ask("startup", &probes.startup, parts, Until::Succeeds) {
            return why;
        }
        println!("{} has started", self.process.name);
        self.ask("liveness", &probes.liveness, parts, Until::Fails).unwrap_or(Why::Ended)
    }

    fn ask(&mut self, name: &'static str, probe: &Probe, parts: &Parts, until: Until) -> Option<Why> {
        let mut failures = 0;
        loop {
            match (probe.succeeds(self.admin), until) {
                (true, Until::Succeeds) => return None,
                (true, Until::Fails) => failures = 0,
                (false, _) => failures += 1,
            }
            if failures >= probe.failures {
                return Some(Why::Failed(name, failures));
            }
            if self.rest(probe.period, parts) {
                return Some(Why::Ended);
            }
        }
    }

    /// Waits for so long, or until it has ended.
    fn rest(&mut self, pause: Duration, parts: &Parts) -> bool {
        #[allow(clippy::disallowed_methods, reason = "the supervisor's clock is not one that tests move")]
        let begin = Instant::now();
        while begin.elapsed() < pause {
            if self.has_ended(parts) {
                return true;
            }
            thread::park_timeout(STEP);
        }
        false
    }

    fn has_ended(&mut self, parts: &Parts) -> bool {
        if let Some(child) = &mut self.child {
            return child.try_wait().is_ok_and(|status| status.is_some());
        }
        !self.process.is_running(&parts.folder)
    }

    /// Asks it to end, and ends it when its time is over: what hangs hears nothing.
    fn end(&mut self, parts: &Parts, grace: Duration) {
        if self.has_ended(parts) {
            return;
        }
        for signal in ["TERM", "KILL"] {
            if let Err(why) = self.process.signal(signal, &parts.folder) {
                println!("{}: {why}", self.process.name);
            }
            if self.rest(grace, parts) {
                return;
            }
        }
    }

    fn tell(&self, why: &Why) {
        let name = &self.process.name;
        let pause = back_off(self.restarts);
        let when = if pause.is_zero() { "now".into() } else { format!("in {pause:?}") };
        match why {
            Why::Ended => println!("{name} has ended: it is started again {when}"),
            Why::Failed(probe, times) => {
                println!(
                    "{name} failed its {probe} probe {times} times in a row: it is ended, and started again {when}"
                );
            }
        }
    }
}

/// What a probe is asked for.
#[derive(Clone, Copy)]
enum Until {
    Succeeds,
    Fails,
}

fn back_off(restarts: u32) -> Duration {
    match restarts.checked_sub(1) {
        None => Duration::ZERO,
        Some(before) => BACK_OFF.saturating_mul(1 << before.min(16)).min(MOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_ending_is_started_again_ever_later() {
        let pauses: Vec<_> = (0..8).map(|restarts| back_off(restarts).as_secs()).collect();
        assert_eq!(pauses, [0, 10, 20, 40, 80, 160, 300, 300]);
    }
}
