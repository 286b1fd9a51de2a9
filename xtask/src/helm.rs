//! `cargo xtask helm`: what can be said about the charts without a cluster.

use std::fs;
use std::path::{Path, PathBuf};

use crate::go_tools::go_tool;
use crate::shell::{command, root, run};
use crate::step::{Done, Steps};
use crate::tools::Missing;

/// The charts.
const CHARTS: [&str; 2] = ["deploy/helm/context", "deploy/helm/highstreet"];

/// All of it.
pub(crate) fn everything(steps: &mut Steps, missing: Missing) {
    steps.take("helm lint", || {
        let Some(helm) = go_tool("helm", missing)? else { return Ok(not_built("helm")) };
        lint(&helm)
    });
}

/// Every chart, with every set of values that is for it.
fn lint(helm: &Path) -> Result<Done, String> {
    for chart in CHARTS {
        for values in value_sets(chart)? {
            run(command(helm).args(["lint", "--strict", "--quiet", chart, "--values"]).arg(values))?;
        }
    }
    Ok(Done::Passed)
}

/// The sets of values for a chart: `deploy/helm/ci/CHART-*.yaml`.
fn value_sets(chart: &str) -> Result<Vec<PathBuf>, String> {
    let folder = root().join("deploy/helm/ci");
    let name = format!("{}-", chart.rsplit('/').next().unwrap_or(chart));
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let named = |path: &PathBuf| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&name));
    let mut sets: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(named).collect();
    sets.sort();
    if sets.is_empty() { Err(format!("{} has no {name}*.yaml", folder.display())) } else { Ok(sets) }
}

fn not_built(tool: &str) -> Done {
    Done::Skipped(format!("{tool} is not built (cargo xtask helm builds it)"))
}
