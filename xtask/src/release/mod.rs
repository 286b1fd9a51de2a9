//! `cargo xtask release`: everything that a version is published as, made and put down in one folder. Publishes nothing.

mod artifacts;
mod changelog;
mod publish;
mod versions;

use std::path::PathBuf;

use crate::image::{self, About, Image};
use crate::kube_test::{self, KubeTest};
use crate::sdk;
use crate::shell::{command, read, root};
use crate::step::{Done, Steps};
use crate::tools::Missing;

/// The version of everything in the repository.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What to make.
#[derive(clap::Args)]
pub(crate) struct Release {
    /// Only what can be said of any commit: one version everywhere, and what is new is written down.
    #[arg(long)]
    dry_run: bool,
    /// Leaves out the charts' test on a real Kubernetes, because it was run for this commit.
    #[arg(long)]
    kube_tested: bool,
    /// Makes it of a tree with changes: to try this out, not to publish it.
    #[arg(long)]
    untidy: bool,
}

/// What holds for every commit.
pub(crate) fn checks(steps: &mut Steps) {
    steps.take("release: one version", versions::check);
    steps.take("release: changelog", || changelog::check(VERSION, false));
}

/// Checks, tests, makes everything, and says how it is published.
pub(crate) fn everything(wanted: &Release, steps: &mut Steps) {
    if wanted.dry_run {
        checks(steps);
        publish::tell(None);
        return;
    }
    steps.take("release: tidy", || if wanted.untidy { Ok(skipped("--untidy")) } else { tidy() });
    steps.take("release: one version", versions::check);
    steps.take("release: changelog", || changelog::check(VERSION, !wanted.untidy));
    sdk::everything(steps, Missing::Install);
    image::everything(&Image::released(!wanted.untidy), steps);
    if wanted.kube_tested {
        steps.take("kube-test", || Ok(skipped("--kube-tested")));
    } else {
        kube_test::everything(&KubeTest::released(), steps);
    }
    let folder = folder();
    steps.take("release: files", || artifacts::make(&folder, &About::of_sources()?));
    if !steps.failed() {
        publish::tell(Some(&folder));
    }
}

/// Where everything goes.
fn folder() -> PathBuf {
    root().join(format!("target/release-{VERSION}"))
}

/// What is released is a commit.
fn tidy() -> Result<Done, String> {
    let changed = read(command("git").args(["status", "--porcelain"]))?;
    if changed.is_empty() {
        return Ok(Done::Passed);
    }
    Err(format!("commit these first, or try things out with --untidy:\n{changed}"))
}

fn skipped(why: &str) -> Done {
    Done::Skipped(why.to_owned())
}
