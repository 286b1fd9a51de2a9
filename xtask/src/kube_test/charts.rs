//! The charts that are installed: those of a clean checkout, and those that were released before.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{command, read};
use crate::sources::copy_repository;

/// Where the charts are in the repository.
const CHARTS: &str = "deploy/helm";

/// The charts in a folder, as whoever cloned the repository finds them.
pub(super) struct Charts {
    /// Installs one context.
    pub(super) context: String,
    /// Installs all of them.
    pub(super) street: String,
    /// Which they are: a tag, a commit, or what is checked out.
    pub(super) revision: String,
}

/// Those that are checked out: what git knows of, and nothing that merely lies there.
pub(super) fn current(folder: &Path) -> Result<Charts, String> {
    copy_repository(folder, &[CHARTS])?;
    Ok(Charts::within(folder, "what is checked out".into()))
}

/// Those of the last release. Before the first one: those of the commit that brought them.
pub(super) fn previous(folder: &Path) -> Result<Charts, String> {
    if read(command("git").args(["rev-parse", "--is-shallow-repository"]))?.trim() == "true" {
        return Err(
            "the charts of the last release are not in this clone, which has no history: git fetch --unshallow \
                    --tags"
                .into(),
        );
    }
    let released = read(command("git").args(["describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD~1"]));
    let revision = match released {
        Ok(tag) => tag.trim().to_owned(),
        Err(_) => first()?,
    };
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let archive = folder.join("charts.tar");
    read(command("git").args(["archive", "--output"]).arg(&archive).args([revision.as_str(), CHARTS]))?;
    read(command("tar").arg("--extract").arg("--file").arg(&archive).arg("--directory").arg(folder))?;
    Ok(Charts::within(folder, revision))
}

/// A chart with a Deployment that wants to be root: no namespace of ours would take its pods. Returns where it is.
pub(super) fn immodest(folder: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder.join("templates")).map_err(wrong)?;
    fs::write(folder.join("Chart.yaml"), "{apiVersion: v2, name: immodest, version: 0.1.0}").map_err(wrong)?;
    let deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: immodest}, spec: {replicas: 0, selector: \
                      {matchLabels: {it: immodest}}, template: {metadata: {labels: {it: immodest}}, spec: {containers: \
                      [{name: it, image: it, securityContext: {runAsUser: 0}}]}}}}";
    fs::write(folder.join("templates/deployment.yaml"), deployment).map_err(wrong)?;
    Ok(folder.to_string_lossy().into_owned())
}

/// The first commit that has both charts.
fn first() -> Result<String, String> {
    let files = [format!("{CHARTS}/context/Chart.yaml"), format!("{CHARTS}/highstreet/Chart.yaml")];
    let log = ["log", "--diff-filter=A", "--format=%H", "--"];
    let commits = read(command("git").args(log).args(&files))?;
    let oldest = commits.lines().find(|commit| {
        files.iter().all(|file| read(command("git").args(["cat-file", "-e", &format!("{commit}:{file}")])).is_ok())
    });
    oldest.map(str::to_owned).ok_or_else(|| "no commit has the charts: commit them first".into())
}

// === impl Charts ===

impl Charts {
    fn within(folder: &Path, revision: String) -> Self {
        let chart =
            |name: &str| -> String { PathBuf::from(folder).join(CHARTS).join(name).to_string_lossy().into_owned() };
        Self { context: chart("context"), street: chart("highstreet"), revision }
    }
}
