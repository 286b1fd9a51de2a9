//! `cargo xtask helm`: what can be said about the charts without a cluster.

mod readme;
mod schemas;

use std::fs;
use std::path::{Path, PathBuf};

use crate::go_tools::go_tool;
use crate::shell::{cargo, command, read, root, run};
use crate::step::{Done, Steps};
use crate::tools::Missing;

/// The charts.
const CHARTS: [&str; 2] = ["deploy/helm/context", "deploy/helm/highstreet"];
/// The sets of values that they are checked with: `CHART-NAME.yaml`.
const VALUE_SETS: &str = "deploy/helm/ci";
/// What the policies of kube-score ask for, and we do not: a limit for the CPU keeps what is idle from being used, and
/// images are named by versions, which are not pulled twice.
const NOT_OURS: [&str; 3] = ["--ignore-container-cpu-limit", "--ignore-test", "container-image-pull-policy"];

/// A chart with a set of values, and what comes of it.
struct Rendered {
    name: String,
    file: PathBuf,
}

/// All of it, and the tests of the templates.
pub(crate) fn everything(steps: &mut Steps, missing: Missing) {
    without_tests(steps, missing);
    steps.take("helm tests", || {
        let Some(helm) = go_tool("helm", missing)? else { return Ok(not_built("helm")) };
        let test = ["test", "--locked", "--package", "highstreet", "--test", "helm"];
        run(cargo().args(test).env("HIGHSTREET_HELM", helm))?;
        Ok(Done::Passed)
    });
}

/// What runs nothing of ours: lint, templates, the API's schemas, policies. The tests are among all others.
pub(crate) fn without_tests(steps: &mut Steps, missing: Missing) {
    steps.take("helm values", readme::check);
    steps.take("helm lint", || {
        let Some(helm) = go_tool("helm", missing)? else { return Ok(not_built("helm")) };
        lint(&helm)
    });
    steps.take("helm schemas", || {
        let (Some(helm), Some(kubeconform)) = (go_tool("helm", missing)?, go_tool("kubeconform", missing)?) else {
            return Ok(not_built("helm or kubeconform"));
        };
        schemas::check(&kubeconform, &render_all(&helm)?, missing)
    });
    steps.take("helm policies", || {
        let (Some(helm), Some(kube_score)) = (go_tool("helm", missing)?, go_tool("kube-score", missing)?) else {
            return Ok(not_built("helm or kube-score"));
        };
        policies(&kube_score, &render_all(&helm)?)
    });
}

/// Writes the tables of values.
pub(crate) fn write_readmes() -> Result<(), String> {
    readme::write()
}

/// Every chart, with every set of values that is for it.
fn lint(helm: &Path) -> Result<Done, String> {
    for chart in CHARTS {
        for values in value_sets(chart)? {
            read(command(helm).args(["lint", "--strict", chart, "--values"]).arg(values))?;
        }
    }
    Ok(Done::Passed)
}

/// Every chart with every set of values that is for it, as Kubernetes would be given it.
fn render_all(helm: &Path) -> Result<Vec<Rendered>, String> {
    let folder = root().join("target/helm/rendered");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut all = Vec::new();
    for chart in CHARTS {
        for values in value_sets(chart)? {
            let name = values.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let objects = read(command(helm).args(["template", "street", chart, "--values"]).arg(&values))?;
            let file = folder.join(format!("{name}.yaml"));
            fs::write(&file, objects).map_err(|error| format!("{}: {error}", file.display()))?;
            all.push(Rendered { name, file });
        }
    }
    Ok(all)
}

/// Nothing that kube-score calls critical.
fn policies(kube_score: &Path, all: &[Rendered]) -> Result<Done, String> {
    let mut findings = Vec::new();
    for Rendered { name, file } in all {
        let score = ["score", "--kubernetes-version", "v1.36", "--output-format", "ci"];
        let output = command(kube_score).args(score).args(NOT_OURS).arg(file).output();
        let output = output.map_err(|error| format!("cannot run kube-score: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !text.contains("[OK]") {
            return Err(format!("kube-score says nothing of {name}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let critical = text.lines().filter(|line| line.starts_with("[CRITICAL]"));
        findings.extend(critical.map(|line| format!("{name}: {line}")));
    }
    if findings.is_empty() { Ok(Done::Passed) } else { Err(findings.join("\n")) }
}

/// The sets of values for a chart.
fn value_sets(chart: &str) -> Result<Vec<PathBuf>, String> {
    let folder = root().join(VALUE_SETS);
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
