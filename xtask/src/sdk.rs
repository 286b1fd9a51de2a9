//! The SDKs: generated from the published language, built, and tested against the real server.

mod clients;
mod stubs;

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::Value;

use crate::shell::{cargo, command, read, root, run, succeeds};
use crate::step::{Done, Steps};
use crate::tools::{self, Missing};

/// All of them, Rust's too.
pub(crate) fn everything(steps: &mut Steps, missing: Missing) {
    steps.take("server", || run(cargo().args(["build", "--package", "highstreet", "--locked"])));
    steps.take("sdk: rust", || run(cargo().args(["test", "--package", "highstreet-client", "--locked"])));
    others(steps, missing);
}

/// Those that cargo does not test with the workspace. The server is built.
pub(crate) fn others(steps: &mut Steps, missing: Missing) {
    steps.take("sdk: typescript", || clients::typescript(missing));
    steps.take("sdk: python", || clients::python(missing));
    steps.take("sdk: go", || stubs::go(missing));
    steps.take("sdk: java", || stubs::java(missing));
}

/// Writes a language's code from the published language, as `sdk/<language>/buf.gen.yaml` says. `None` if buf is not
/// there and is not to be installed.
fn generate(language: &str, missing: Missing) -> Result<Option<()>, String> {
    let Some(buf) = tools::buf(missing)? else { return Ok(None) };
    run(command(buf).args(["generate", "--template", &format!("sdk/{language}/buf.gen.yaml")]))?;
    Ok(Some(()))
}

fn no_buf() -> Done {
    Done::Skipped("buf is not installed (npm ci --prefix tools)".into())
}

/// The server's program, as cargo built it.
fn server() -> Result<PathBuf, String> {
    let text = read(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata does not say where it builds")?;
    let program = PathBuf::from(target).join("debug/highstreet");
    program
        .exists()
        .then_some(program)
        .ok_or_else(|| "the server is not built: cargo build --package highstreet".into())
}

/// Whether what was installed, as `stamp` witnesses, is newer than what was asked for in `wish`.
fn is_installed(stamp: &str, wish: &str) -> bool {
    let changed = |path: &str| fs::metadata(root().join(path)).and_then(|file| file.modified()).ok();
    let never = SystemTime::UNIX_EPOCH;
    changed(stamp).is_some_and(|installed| installed >= changed(wish).unwrap_or(never))
}

fn runs(program: &str, version: &str) -> bool {
    succeeds(command(program).arg(version))
}
