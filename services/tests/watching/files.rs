//! The files that operators are given.

use std::fs;
use std::path::{Path, PathBuf};

/// A file or folder of the repository.
pub(crate) fn at(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the files in a folder, in order.
pub(crate) fn within(folder: &str) -> Vec<String> {
    let files = fs::read_dir(at(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The rules of the alerts.
pub(crate) const ALERTS: &str = "deploy/helm/context/files/alerts.yaml";
/// The tests of the alerts.
pub(crate) const TESTS: &str = "deploy/alerts";
/// What to do about them.
pub(crate) const RUNBOOKS: &str = "docs/runbooks";
/// The dashboards.
pub(crate) const DASHBOARDS: &str = "deploy/helm/context/files/dashboards";
/// What metrics there are.
pub(crate) const PAGE: &str = "docs/metrics.md";

/// The series of ours that rules and dashboards name.
pub(crate) fn named_files() -> std::collections::BTreeSet<String> {
    let dashboards = within(DASHBOARDS).into_iter().map(|file| read(&format!("{DASHBOARDS}/{file}")));
    dashboards.chain([read(ALERTS)]).flat_map(|text| crate::text::named(&text)).collect()
}
