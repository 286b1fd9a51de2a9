//! The image's program: static, and the same whoever builds it where.

use std::env;
use std::path::{Path, PathBuf};

use super::About;
use crate::servers::{is_root, on_path};
use crate::shell::{cargo, command, read, root, run, succeeds};

/// Static, by musl.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-musl";

/// What to do about the C compiler where we may not.
const BY_HAND: &str = "musl-gcc is missing: install it (on Debian: apt-get install musl-tools)";

/// Builds it from the sources in `from`; returns where it is.
pub(super) fn build(from: &Path, target: &Path, about: &About) -> Result<PathBuf, String> {
    ensure()?;
    let mut build = cargo();
    build.current_dir(from).args(["build", "--release", "--locked", "--package", "highstreet", "--target", TARGET]);
    build.env("CARGO_TARGET_DIR", target).env("CARGO_INCREMENTAL", "0");
    build.env("SOURCE_DATE_EPOCH", about.epoch.to_string());
    let places = places(from, target)?;
    // Rust's part and C's (SQLite, mimalloc, ring) name their sources by paths that are the same everywhere.
    let rust: Vec<String> = places.iter().map(|(path, name)| format!("--remap-path-prefix={path}={name}")).collect();
    let c: Vec<String> = places.iter().map(|(path, name)| format!("-ffile-prefix-map={path}={name}")).collect();
    build.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}")).env_remove("RUSTFLAGS");
    build.env("CFLAGS_x86_64_unknown_linux_musl", c.join(" "));
    run(&mut build)?;
    Ok(target.join(TARGET).join("release/highstreet"))
}

/// Its own: the flags would have everything else built anew.
pub(super) fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join("image-build")
}

/// What differs between machines, and what it is called instead.
fn places(from: &Path, target: &Path) -> Result<[(String, &'static str); 4], String> {
    let home = || env::var("HOME").map_err(|_| "HOME says nothing".to_owned());
    let cargo = env::var("CARGO_HOME").or_else(|_| home().map(|home| format!("{home}/.cargo")))?;
    let rust = read(command("rustc").args(["--print", "sysroot"]))?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    // The last that fits wins: the target folder may lie in the repository.
    Ok([(text(from), "/highstreet"), (cargo, "/cargo"), (rust.trim().into(), "/rust"), (text(target), "/target")])
}

/// Sees to the target's standard library, and to a C compiler for it.
fn ensure() -> Result<(), String> {
    let installed = read(command("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    if !installed.lines().any(|line| line == TARGET) {
        run(command("rustup").args(["target", "add", TARGET]))?;
    }
    if on_path("musl-gcc").is_some() {
        return Ok(());
    }
    if !is_root() || !succeeds(command("apt-get").arg("--version")) {
        return Err(BY_HAND.into());
    }
    println!("musl-gcc is missing: installing it");
    run(command("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends", "musl-tools"];
    run(command("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|why| format!("{why}: {BY_HAND}"))
}
