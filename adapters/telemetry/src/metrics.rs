//! The process's metrics, as Prometheus reads them.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

use crate::process;

/// Upper bounds for durations: from a commit on a fast disk to the longest deadline.
const SECONDS: [f64; 15] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The metrics of this process; all clones are the same.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

/// Why metrics are not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("metrics are not recorded: {0}")]
pub struct NotInstalled(String);

// === impl Metrics ===

impl Metrics {
    /// Records, from now on, what this process says with the `metrics` macros. Called again, it gives the same
    /// metrics.
    ///
    /// Histograms whose name ends in `_seconds` get buckets.
    pub fn install() -> Result<Self, NotInstalled> {
        static INSTALLED: OnceLock<Result<Metrics, NotInstalled>> = OnceLock::new();
        INSTALLED.get_or_init(Self::install_first).clone()
    }

    fn install_first() -> Result<Self, NotInstalled> {
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
            .and_then(PrometheusBuilder::install_recorder)
            .map(Self)
            .map_err(|error| NotInstalled(error.to_string()))
    }

    /// All metrics, and those of the process itself, in Prometheus' text format.
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        text.push_str(&process::render());
        text
    }

    /// Folds what histograms have gathered since the last time. To be called every few seconds: without it, they
    /// grow until the next scrape.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_servers_in_a_process_share_its_metrics() {
        let (first, second) = (Metrics::install().unwrap(), Metrics::install().unwrap());
        metrics::counter!("test_servers_total").increment(1);
        metrics::histogram!("test_duration_seconds").record(0.003);
        first.upkeep();
        for text in [first.render(), second.render()] {
            assert!(text.contains("test_servers_total 1"), "{text}");
            assert!(text.contains(r#"test_duration_seconds_bucket{le="0.005"} 1"#), "{text}");
        }
    }
}
