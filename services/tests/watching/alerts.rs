//! The rules of the alerts, without a street.

use std::collections::BTreeSet;

use highstreet_testkit::servers::promtool;

use crate::files::{ALERTS, PAGE, RUNBOOKS, TESTS, at, read, within};
use crate::text::{metric_of, named};

/// What follows `key` on each line that has it.
fn values<'a>(text: &'a str, key: &'a str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.trim().strip_prefix(key)).map(str::trim).collect()
}

fn alerts() -> BTreeSet<String> {
    values(&read(ALERTS), "- alert:").into_iter().map(str::to_owned).collect()
}

fn passes(arguments: &[&str]) {
    let output = promtool(arguments);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// CAP-17: promtool understands every rule, and every alert fires when it should and not at another time.
#[test]
fn the_rules_do_what_they_say() {
    passes(&["check", "rules", at(ALERTS).to_str().unwrap()]);
    let tests: Vec<_> = within(TESTS).iter().map(|file| at(TESTS).join(file).display().to_string()).collect();
    let tests: Vec<_> = tests.iter().map(String::as_str).collect();
    passes(&[["test", "rules"].as_slice(), &tests].concat());
}

/// CAP-17: no alert without a test in which it fires, and one in which it does not.
#[test]
fn every_alert_is_tested_both_ways() {
    let tests: String = within(TESTS).iter().map(|file| read(&format!("{TESTS}/{file}"))).collect();
    let looks: Vec<_> = tests.split("- eval_time:").skip(1).collect();
    for alert in alerts() {
        let looked = |quiet: bool| {
            let about = |look: &&&str| values(look, "alertname:").contains(&alert.as_str());
            looks.iter().filter(about).any(|look| look.contains("exp_alerts: []") == quiet)
        };
        assert!(looked(false), "{alert} is not shown to fire in {TESTS}");
        assert!(looked(true), "{alert} is not shown to be quiet in {TESTS}");
    }
}

/// CAP-17: every alert leads to a page that says what to do, and every page is an alert's.
#[test]
fn every_alert_has_a_runbook() {
    let pages: BTreeSet<_> = within(RUNBOOKS).iter().map(|file| file.trim_end_matches(".md").to_owned()).collect();
    assert_eq!(alerts(), pages);
    let rules = read(ALERTS);
    let urls: BTreeSet<_> = values(&rules, "runbook_url:").into_iter().map(str::to_owned).collect();
    assert_eq!(urls, alerts().iter().map(|alert| format!("{RUNBOOKS}/{alert}.md")).collect());
    for alert in alerts() {
        let page = read(&format!("{RUNBOOKS}/{alert}.md"));
        let parts: Vec<_> = page.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {alert}");
        assert_eq!(parts, [&title, "## What customers notice", "## How to look", "## What to do"], "{alert}");
    }
}

/// CAP-17: rules and runbooks name metrics that there are.
#[test]
fn rules_and_runbooks_name_metrics_that_there_are() {
    let page = named(&read(PAGE));
    let runbooks = within(RUNBOOKS).into_iter().map(|file| format!("{RUNBOOKS}/{file}"));
    for file in runbooks.chain([ALERTS.to_owned()]) {
        for series in named(&read(&file)) {
            let metric = metric_of(&series, |name| page.contains(name));
            assert!(page.contains(&metric), "{file} names {series}, which is not in {PAGE}");
        }
    }
}
