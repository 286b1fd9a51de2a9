//! The dashboards, as Grafana reads them.

use highstreet_testkit::servers::PrometheusServer;
use serde_json::Value;

use crate::files::{DASHBOARDS, read, within};
use crate::text::{Metrics, metric_of, named};

/// What the variables of the dashboards stand for here.
const VARIABLES: [(&str, &str); 4] =
    [("$__rate_interval", "1m"), ("$namespace", ".*"), ("$context", "ordering"), ("$shop", ".*")];

/// Each dashboard by its file.
fn dashboards() -> Vec<(String, Value)> {
    let read = |file: String| {
        let text = read(&format!("{DASHBOARDS}/{file}"));
        let dashboard = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        (file, dashboard)
    };
    within(DASHBOARDS).into_iter().map(read).collect()
}

/// The expressions of a dashboard, each with its panel's title.
fn expressions(dashboard: &Value) -> Vec<(String, String)> {
    let panels = dashboard["panels"].as_array().cloned().unwrap_or_default();
    let of = |panel: Value| {
        let title = panel["title"].as_str().unwrap_or_default().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |target| (title.clone(), target["expr"].as_str().unwrap_or_default().to_owned()))
    };
    panels.into_iter().flat_map(of).collect()
}

/// CAP-17: each has a name of its own, a data source to choose, and panels that do not lie on each other.
#[test]
fn dashboards_are_as_grafana_wants_them() {
    let mut uids = Vec::new();
    for (file, dashboard) in dashboards() {
        uids.push(dashboard["uid"].as_str().unwrap().to_owned());
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        let names: Vec<_> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
        assert_eq!(names[..2], ["datasource", "namespace"], "{file}");
        let mut taken = std::collections::BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            for (x, y) in (0..place("w")).flat_map(|x| (0..place("h")).map(move |y| (x, y))) {
                let (x, y) = (place("x") + x, place("y") + y);
                assert!(x < 24, "{file}: {} is too wide", panel["title"]);
                assert!(taken.insert((x, y)), "{file}: {} lies on another panel", panel["title"]);
            }
        }
        for (title, expression) in expressions(&dashboard) {
            assert!(expression.contains("namespace=~\"$namespace\""), "{file}, {title}: all namespaces are mixed");
        }
    }
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids, ["highstreet-context", "highstreet-overview", "highstreet-shops"]);
}

/// CAP-17: each query is one that Prometheus understands, and names metrics that there are.
pub(crate) async fn every_query_is_understood(prometheus: &PrometheusServer, metrics: &Metrics) {
    for (file, dashboard) in dashboards() {
        let expressions = expressions(&dashboard);
        assert!(expressions.len() >= 10, "{file}");
        for (title, expression) in expressions {
            for series in named(&expression) {
                let metric = metric_of(&series, |name| metrics.contains_key(name));
                assert!(metrics.contains_key(&metric), "{file}, {title}: there is no {series}");
            }
            let asked = VARIABLES.iter().fold(expression, |text, (name, value)| text.replace(name, value));
            if let Err(why) = prometheus.query(&asked).await {
                panic!("{file}, {title}: {why}");
            }
        }
    }
}
