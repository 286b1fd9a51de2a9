//! The console in a real browser.

use std::env;
use std::path::PathBuf;

use crate::servers::{is_root, on_path};
use crate::shell::{cargo, command, run, succeeds, target_folder};
use crate::step::Done;
use crate::tools::{Missing, npm};

const FOLDER: &str = "adapters/console/e2e";

/// Runs what `adapters/console/e2e` has to say, in Chromium, against a server built here. Installs Chromium (Debian's
/// package) and the folder's npm packages where they are missing and may be installed.
pub(crate) fn test(missing: Missing) -> Result<Done, String> {
    if chromium().is_none() && missing == Missing::Skip || !npm(missing)? {
        return Ok(Done::Skipped("Chromium or npm is not installed".into()));
    }
    let chromium = ensure_chromium()?;
    run(command("npm").args(["ci", "--prefix", FOLDER, "--no-audit", "--no-fund"]))?;
    run(cargo().args(["build", "--package", "highstreet", "--locked"]))?;
    let server = target_folder().join("debug/highstreet");
    run(command("npm").args(["test", "--prefix", FOLDER]).env("HIGHSTREET_BIN", server).env("CHROMIUM", chromium))?;
    Ok(Done::Passed)
}

fn chromium() -> Option<PathBuf> {
    env::var_os("CHROMIUM").map(PathBuf::from).or_else(|| on_path("chromium"))
}

fn ensure_chromium() -> Result<PathBuf, String> {
    const BY_HAND: &str = "Chromium is missing: install it (on Debian: apt-get install chromium), or name its program \
                           in CHROMIUM, or use --quick";
    if let Some(chromium) = chromium() {
        return Ok(chromium);
    }
    if !is_root() || !succeeds(command("apt-get").arg("--version")) {
        return Err(BY_HAND.into());
    }
    println!("Chromium is missing: installing it");
    run(command("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends", "chromium"];
    run(command("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|why| format!("{why}: {BY_HAND}"))?;
    chromium().ok_or_else(|| BY_HAND.into())
}
