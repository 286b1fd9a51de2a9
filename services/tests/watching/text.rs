//! Prometheus' text format, and what expressions name.

use std::collections::{BTreeMap, BTreeSet};

/// What processes say of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) labels: BTreeSet<String>,
}

/// Metrics, by name.
pub(crate) type Metrics = BTreeMap<String, Metric>;

/// Reads what a process says of its metrics, beside what others said.
pub(crate) fn read(text: &str, metrics: &mut Metrics) {
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            help.clone_into(&mut metrics.entry(name.into()).or_default().help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kind.clone_into(&mut metrics.entry(name.into()).or_default().kind);
        } else if let Some((name, labels)) = sample(line) {
            let metric = family(name, metrics);
            metric.labels.extend(labels.into_iter().filter(|label| label != "le"));
        }
    }
}

/// The metric that a series belongs to: histograms have three.
fn family<'a>(series: &str, metrics: &'a mut Metrics) -> &'a mut Metric {
    let name = metric_of(series, |name| metrics.contains_key(name));
    metrics.entry(name).or_default()
}

/// What the metric of a series is called.
pub(crate) fn metric_of(series: &str, is_known: impl Fn(&str) -> bool) -> String {
    let parts = ["_bucket", "_sum", "_count"].iter().filter_map(|end| series.strip_suffix(end));
    parts.into_iter().find(|name| is_known(name)).unwrap_or(series).to_owned()
}

/// The name of a series and its labels' names.
fn sample(line: &str) -> Option<(&str, Vec<String>)> {
    let end = line.find(['{', ' ']).filter(|_| !line.starts_with('#'))?;
    let (name, rest) = line.split_at(end);
    let mut labels = Vec::new();
    let mut rest = rest.strip_prefix('{').unwrap_or_default();
    while let Some((label, after)) = rest.split_once("=\"") {
        labels.push(label.trim_start_matches(',').to_owned());
        // Values may hold escaped quotes.
        let mut escaped = false;
        let end = after.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        rest = &after[end? + 1..];
    }
    Some((name, labels))
}

/// The metrics of ours that a text names, such as a rule's expression.
pub(crate) fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = |word: &&str| ["highstreet_", "rpc_server_", "process_"].iter().any(|start| word.starts_with(start));
    words.filter(ours).map(str::to_owned).collect()
}

#[test]
fn labels_are_read() {
    let mut metrics = Metrics::new();
    let text = "# TYPE a histogram\na_bucket{x=\"1,\\\"y=\\\"\",le=\"5\"} 3\na_count{z=\"\"} 3\nb 7\n";
    read(text, &mut metrics);
    assert_eq!(metrics["a"].labels, BTreeSet::from(["x".to_owned(), "z".to_owned()]));
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["a", "b"]);
}
