//! The page of all metrics.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::common::eventually;
use crate::files::{PAGE, at, named_files};
use crate::text::{Metric, Metrics, read as read_text};
use crate::watched::{Watched, YEAR};

/// Set, the page is written and not compared.
const WRITE: &str = "HIGHSTREET_WRITE_DOCS";
const INTRODUCTION: &str = "\
# Metrics

What every process says at `/metrics` of its admin port, and over OTLP with `--otlp-endpoint`. Made from what a mesh says
that all shops' stories were played on, by

```sh
HIGHSTREET_WRITE_DOCS=1 cargo test --package highstreet --test watching -- the_page
```

Durations are seconds, times are Unix times. Gauges of what replicas share (outboxes, agendas, lag, dead letters) are
shown by each of them: take the largest, never the sum. No label holds anything that customers or callers choose, but
`shop`, of which the first hundred have numbers of their own.

";

/// CAP-17: every metric has a description and is on the page, and what is on the page is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_names_every_metric() {
    let watched = Watched::open(YEAR).await;
    watched.play();
    let known = named_files();
    let metrics = eventually("all metrics of the rules and dashboards", || async {
        let mut metrics = Metrics::new();
        read_text(&watched.metrics().await, &mut metrics);
        let is_there = |series: &String| {
            let metric = crate::text::metric_of(series, |name| metrics.contains_key(name));
            metrics.contains_key(&metric)
        };
        known.iter().all(is_there).then_some(metrics)
    });
    let metrics = metrics.await;
    for (name, metric) in &metrics {
        assert!(!metric.help.is_empty(), "{name} has no description");
        assert!(!metric.kind.is_empty(), "{name} has no type");
    }
    let page = page(&metrics);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(at(PAGE), page).unwrap();
    } else {
        let written = std::fs::read_to_string(at(PAGE)).unwrap_or_default();
        assert_eq!(names(&written), names(&page), "{PAGE} is not what is there: make it anew");
        assert_eq!(written, page, "{PAGE} is not what is there: make it anew");
    }
    crate::dashboards::every_query_is_understood(&watched.prometheus, &metrics).await;
}

fn page(metrics: &Metrics) -> String {
    let mut page = format!("{INTRODUCTION}| metric | kind | labels | |\n|---|---|---|---|\n");
    for (name, Metric { kind, help, labels }) in metrics {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(page, "| `{name}` | {kind} | {} | {help} |", labels.join(", "));
    }
    page
}

fn names(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect()
}
