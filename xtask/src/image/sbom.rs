//! What the program is made of, for whoever asks whether it has a crate that became known for a hole: `CycloneDX`.

use std::fs;
use std::path::Path;

use super::About;
use super::program::TARGET;
use crate::shell::{cargo, run, succeeds};
use crate::sources::copy_repository;

/// The version that writes it.
const CARGO_CYCLONEDX: &str = "0.5.9";

/// Writes it, in `scratch`; names every crate that is linked into the program, its version, its licence and its sum.
pub(super) fn of_program(scratch: &Path, about: &About) -> Result<String, String> {
    ensure()?;
    // It writes a file beside every Cargo.toml: into a copy of them.
    copy_repository(scratch, &[])?;
    let wanted = ["--quiet", "--format", "json", "--spec-version", "1.5", "--describe", "binaries", "--no-build-deps"];
    let mut describe = cargo();
    describe.current_dir(scratch).arg("cyclonedx").args(wanted).args(["--target", TARGET]);
    run(describe.args(["--manifest-path", "services/Cargo.toml"]).env("SOURCE_DATE_EPOCH", about.epoch.to_string()))?;
    let path = scratch.join("services/highstreet_bin.cdx.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    fs::remove_dir_all(scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    // Our own crates are known by their folders; where those lie is nobody's business.
    Ok(text.replace(&*scratch.to_string_lossy(), "/highstreet"))
}

fn ensure() -> Result<(), String> {
    if succeeds(cargo().args(["cyclonedx", "--help"])) {
        return Ok(());
    }
    println!("installing cargo-cyclonedx {CARGO_CYCLONEDX}; this takes a few minutes, once");
    let install = ["install", "cargo-cyclonedx", "--locked", "--version", CARGO_CYCLONEDX];
    run(cargo().args(install).env_remove("CARGO_TARGET_DIR"))
}
