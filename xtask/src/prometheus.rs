//! Prometheus and promtool: where they are, and how they come to be.

use std::fs;
use std::path::PathBuf;

use crate::servers::{is_root, on_path};
use crate::shell::{command, root, run, succeeds};
use crate::tools::Missing;

/// Where they are put, below the root.
const FOLDER: &str = "tools/prometheus";

/// Whether both are there by now.
///
/// Debian's package is unpacked here and not installed: that starts no service, and needs no rights.
pub(crate) fn ensure(missing: Missing) -> Result<bool, String> {
    if is_there() {
        return Ok(true);
    }
    if missing == Missing::Skip {
        return Ok(false);
    }
    let by_hand = "prometheus is missing, and alerts are tested with it: install it (on Debian: apt-get install \
                   prometheus), or name the folder of its programs in HIGHSTREET_PROMETHEUS";
    if !succeeds(command("apt-get").arg("--version")) {
        return Err(by_hand.into());
    }
    println!("prometheus is missing: unpacking it to {FOLDER}");
    if is_root() {
        run(command("apt-get").args(["update", "--quiet"]))?;
    }
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    let unpack = "apt-get download --quiet prometheus && dpkg --extract prometheus_*.deb . && rm prometheus_*.deb";
    run(command("sh").args(["-c", unpack]).current_dir(&folder)).map_err(|why| format!("{why}: {by_hand}"))?;
    Ok(is_there())
}

fn is_there() -> bool {
    let named = std::env::var_os("HIGHSTREET_PROMETHEUS").map(PathBuf::from);
    let here = root().join(FOLDER).join("usr/bin");
    let is_in = |folder: &PathBuf| ["prometheus", "promtool"].iter().all(|it| folder.join(it).exists());
    named.iter().chain([&here]).any(is_in) || (on_path("prometheus").is_some() && on_path("promtool").is_some())
}
