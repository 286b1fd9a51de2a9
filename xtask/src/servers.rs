//! PostgreSQL and nats-server: where they are, and how they come to be.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::shell::{command, run, succeeds};
use crate::tools::Missing;

/// Whether all that tests need besides cargo is there by now: servers, a clock that can be moved, and Python with virtual
/// environments for the stranger's service. The packages are Debian's.
pub(crate) fn ensure(missing: Missing) -> Result<bool, String> {
    let wanted = [
        ("postgresql", postgres_folder()),
        ("nats-server", nats_server()),
        ("faketime", faketime()),
        ("python3-venv", venv()),
    ];
    let packages: Vec<&str> = wanted.iter().filter(|(_, found)| found.is_none()).map(|(package, _)| *package).collect();
    if packages.is_empty() {
        return Ok(true);
    }
    if missing == Missing::Skip {
        return Ok(false);
    }
    let what = packages.join(" ");
    let by_hand = format!(
        "{what} is missing: install it (on Debian: apt-get install {what}), or name the folder of PostgreSQL's programs \
         in HIGHSTREET_POSTGRES and the broker's program in HIGHSTREET_NATS_SERVER"
    );
    if !is_root() || !succeeds(command("apt-get").arg("--version")) {
        return Err(by_hand);
    }
    println!("{what} is missing: installing it");
    run(command("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    run(command("apt-get").args(install).args(&packages).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|why| format!("{why}: {by_hand}"))?;
    Ok(true)
}

/// The folder of PostgreSQL's programs. Debian keeps them off the path, in a folder for each version.
pub(crate) fn postgres_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("HIGHSTREET_POSTGRES") {
        return Some(folder.into());
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("postgres").exists()).max();
    newest.or_else(|| on_path("postgres")?.parent().map(Path::to_owned))
}

/// The broker's program. Debian keeps it where only root's path leads.
pub(crate) fn nats_server() -> Option<PathBuf> {
    let named = std::env::var_os("HIGHSTREET_NATS_SERVER").map(PathBuf::from);
    let debian = || Some(PathBuf::from("/usr/sbin/nats-server")).filter(|program| program.exists());
    named.or_else(|| on_path("nats-server")).or_else(debian)
}

/// The library that moves clocks.
fn faketime() -> Option<PathBuf> {
    let named = std::env::var_os("HIGHSTREET_FAKETIME").map(PathBuf::from);
    let folders = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib64/faketime"];
    let mut there = folders.iter().map(|folder| Path::new(folder).join("libfaketimeMT.so.1")).filter(|it| it.exists());
    named.or_else(|| there.next())
}

/// A Python that can make virtual environments.
fn venv() -> Option<PathBuf> {
    succeeds(command("python3").args(["-c", "import ensurepip, venv"])).then(|| "python3".into())
}

/// Whom PostgreSQL runs as: it refuses to be root.
pub(crate) fn other_user() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
    };
    if is_root() { find("postgres").or_else(|| find("nobody")) } else { None }
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|program| program.exists())
}
