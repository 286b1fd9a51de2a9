//! Steps with a name, a duration and an outcome, and the summary at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The steps of one run. After a failure the rest is not run, unless the run keeps going.
pub(crate) struct Steps {
    keep_going: bool,
    taken: Vec<Taken>,
}

/// A step that did not fail.
pub(crate) enum Done {
    /// It was carried out.
    Passed,
    /// It was left out; says why.
    Skipped(String),
}

struct Taken {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Skipped(String),
    Failed,
    NotRun,
}

// === impl Steps ===

impl Steps {
    pub(crate) fn new(keep_going: bool) -> Self {
        Self { keep_going, taken: Vec::new() }
    }

    /// Takes a step, if none before it failed.
    #[allow(clippy::disallowed_methods, reason = "durations are printed, not decided by")]
    pub(crate) fn take<D: Into<Done>>(&mut self, name: &'static str, step: impl FnOnce() -> Result<D, String>) {
        if self.failed() && !self.keep_going {
            self.taken.push(Taken { name, took: Duration::ZERO, outcome: Outcome::NotRun });
            return;
        }
        println!("\n── {name}");
        let started = Instant::now();
        let outcome = match step().map(Into::into) {
            Ok(Done::Passed) => Outcome::Passed,
            Ok(Done::Skipped(why)) => {
                println!("skipped: {why}");
                Outcome::Skipped(why)
            }
            Err(why) => {
                println!("{why}");
                Outcome::Failed
            }
        };
        let took = started.elapsed();
        println!("── {name}: {} in {took:.1?}", outcome.word());
        self.taken.push(Taken { name, took, outcome });
    }

    /// Prints the summary.
    pub(crate) fn finish(self) -> ExitCode {
        let width = self.taken.iter().map(|taken| taken.name.chars().count()).max().unwrap_or(0);
        println!("\n── summary");
        for Taken { name, took, outcome } in &self.taken {
            let (word, seconds) = (outcome.word(), took.as_secs_f64());
            match outcome {
                Outcome::Skipped(why) => println!("{name:width$}  {word:8}{seconds:8.1} s  {why}"),
                _ => println!("{name:width$}  {word:8}{seconds:8.1} s"),
            }
        }
        // A last line that says it all, for whoever reads no more.
        let of = |word: &str| self.taken.iter().filter(|taken| taken.outcome.word() == word).count();
        println!(
            "\n{} passed, {} failed, {} skipped, {} not run",
            of("passed"),
            of("FAILED"),
            of("skipped"),
            of("not run")
        );
        if self.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    /// Whether a step failed.
    pub(crate) fn failed(&self) -> bool {
        self.taken.iter().any(|taken| matches!(taken.outcome, Outcome::Failed))
    }
}

impl From<()> for Done {
    fn from((): ()) -> Self {
        Self::Passed
    }
}

// === impl Outcome ===

impl Outcome {
    const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped(_) => "skipped",
            Self::Failed => "FAILED",
            Self::NotRun => "not run",
        }
    }
}
