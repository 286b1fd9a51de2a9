//! Callers that call as fast as they are answered, or at a pace.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonic::Status;

use crate::Outcome;

/// What a load showed.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Answers a second.
    pub(crate) rate: f64,
    /// In so many seconds.
    took: f64,
    /// How long answers took, sorted.
    latencies: Vec<Duration>,
}

/// Calls `call` with 0, 1, 2, … from `callers` at once, until `time` is over or `most` calls were made.
pub(crate) async fn run<F, Fut>(callers: usize, time: Duration, most: usize, call: F) -> Outcome<Load>
where
    F: Fn(usize, usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), Status>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let (next, call) = (next.clone(), call.clone());
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while begin.elapsed() < time {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= most {
                    break;
                }
                let asked = Instant::now();
                call(caller, number).await?;
                latencies.push(asked.elapsed());
            }
            Ok::<_, Status>(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    let took = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Ok(Load { rate: latencies.len() as f64 / took, took, latencies })
}

/// A load of so many seconds, again and again.
pub(crate) type Turn<'a> = Box<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = Outcome<Load>> + Send + 'a>> + 'a>;

/// How long a turn is.
const TURN: Duration = Duration::from_millis(500);

/// What is to be compared, each for `time`, in turns there and back: what else the machine does falls on all of it. Ends
/// before if one of them has nothing left to do.
pub(crate) async fn in_turns<const N: usize>(time: Duration, turns: [Turn<'_>; N]) -> Outcome<[Load; N]> {
    let mut loads = [const { Load { rate: 0.0, took: 0.0, latencies: Vec::new() } }; N];
    for round in 0..time.as_millis() / TURN.as_millis() {
        for at in 0..N {
            let at = if round % 2 == 0 { at } else { N - 1 - at };
            let load = turns[at](TURN).await?;
            if load.count() == 0 {
                return Ok(loads);
            }
            loads[at].add(load);
        }
    }
    Ok(loads)
}

// === impl Load ===

impl Load {
    pub(crate) fn from_latencies(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self { rate: 0.0, took: 0.0, latencies }
    }

    /// What both showed, one after the other.
    pub(crate) fn add(&mut self, more: Self) {
        self.took += more.took;
        self.latencies.extend(more.latencies);
        self.latencies.sort_unstable();
        self.rate = self.latencies.len() as f64 / self.took;
    }

    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let at = ((self.latencies.len() as f64 - 1.0) * share).round() as usize;
        self.latencies.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn count(&self) -> usize {
        self.latencies.len()
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, late) = (self.percentile(0.5), self.percentile(0.99));
        write!(f, "{:>8.0}/s  p50 {median:>8.2?}  p99 {late:>8.2?}", self.rate)
    }
}
