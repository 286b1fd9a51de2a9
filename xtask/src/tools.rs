//! The tools beside cargo: whether they are there, and how they come to be.

use std::path::PathBuf;

use crate::shell::{cargo, command, read, root, run, succeeds};

/// The version that checks dependencies; its configuration is deny.toml.
const CARGO_DENY: &str = "0.20.2";

/// What to do about a tool that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Install it.
    Install,
    /// Leave out what needs it.
    Skip,
}

/// Where buf is; `None` if it is not there and is not to be installed.
pub(crate) fn buf(missing: Missing) -> Result<Option<PathBuf>, String> {
    let buf = root().join("tools/node_modules/.bin/buf");
    if !succeeds(command(&buf).arg("--version")) {
        if missing == Missing::Skip {
            return Ok(None);
        }
        npm(missing)?;
        run(command("npm").args(["ci", "--prefix", "tools", "--no-audit", "--no-fund"]))?;
    }
    Ok(Some(buf))
}

/// Whether cargo-deny is there by now.
pub(crate) fn cargo_deny(missing: Missing) -> Result<bool, String> {
    if succeeds(cargo().args(["deny", "--version"])) {
        return Ok(true);
    }
    if missing == Missing::Skip {
        return Ok(false);
    }
    println!("installing cargo-deny {CARGO_DENY}; this takes a few minutes, once");
    // Outside the workspace's target folder, which another cargo may be locking.
    let install = ["install", "cargo-deny", "--locked", "--version", CARGO_DENY];
    run(cargo().args(install).env_remove("CARGO_TARGET_DIR"))?;
    Ok(true)
}

/// Whether Node.js with npm is there by now.
pub(crate) fn npm(missing: Missing) -> Result<bool, String> {
    if succeeds(command("npm").arg("--version")) {
        return Ok(true);
    }
    if missing == Missing::Skip {
        return Ok(false);
    }
    let root = read(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || !succeeds(command("apt-get").arg("--version")) {
        return Err(
            "npm is missing, and buf, an OpenID provider, the browser tests and the TypeScript client need it: install \
             Node.js 20 or newer with npm, or use --quick"
                .into(),
        );
    }
    println!("npm is missing: installing it");
    run(command("apt-get").args(["update", "--quiet"]))?;
    run(command("apt-get").args(["install", "--yes", "--quiet", "--no-install-recommends", "nodejs", "npm"]))
        .map_err(|why| format!("{why}: install Node.js 20 or newer with npm, or use --quick"))?;
    Ok(true)
}
