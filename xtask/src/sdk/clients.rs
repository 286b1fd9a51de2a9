//! The packages that are more than generated code: TypeScript's and Python's.

use std::fs;
use std::process::Stdio;

use super::{generate, is_installed, no_buf, server};
use crate::shell::{command, root, run};
use crate::step::Done;
use crate::tools::{self, Missing};

const TYPESCRIPT: &str = "sdk/typescript";
const PYTHON: &str = "sdk/python";

/// Installs, generates, builds and tests `@highstreet/client`.
pub(super) fn typescript(missing: Missing) -> Result<Done, String> {
    let installed = format!("{TYPESCRIPT}/node_modules/.package-lock.json");
    if !is_installed(&installed, &format!("{TYPESCRIPT}/package-lock.json")) {
        if missing == Missing::Skip {
            return Ok(Done::Skipped(format!("its packages are not installed (npm ci --prefix {TYPESCRIPT})")));
        }
        tools::npm(missing)?;
        run(command("npm").args(["ci", "--prefix", TYPESCRIPT, "--no-audit", "--no-fund"]))?;
    }
    if generate("typescript", missing)?.is_none() {
        return Ok(no_buf());
    }
    // What is built of a file that is gone.
    for made in ["dist", "build"] {
        forget(&format!("{TYPESCRIPT}/{made}"))?;
    }
    let npm = |script: &str| {
        let mut npm = command("npm");
        npm.args(["run", "--silent", "--prefix", TYPESCRIPT, script]);
        npm
    };
    run(&mut npm("build"))?;
    run(npm("test").env("HIGHSTREET", server()?))?;
    Ok(Done::Passed)
}

/// Installs, generates, builds, type-checks and tests `highstreet-client`: the tests import the wheel.
pub(super) fn python(missing: Missing) -> Result<Done, String> {
    let python = root().join(PYTHON).join(".venv/bin/python");
    let (wish, stamp) = (format!("{PYTHON}/requirements.txt"), format!("{PYTHON}/.venv/installed"));
    if !is_installed(&stamp, &wish) {
        if missing == Missing::Skip {
            return Ok(Done::Skipped("its packages are not installed (cargo xtask sdk)".into()));
        }
        let venv = ["-m", "venv", &format!("{PYTHON}/.venv")];
        run(command("python3").args(venv)).map_err(|why| format!("{why}: install Python 3.10 or newer with venv"))?;
        run(command(&python).args(["-m", "pip", "install", "--quiet", "--requirement", &wish]))?;
        fs::write(root().join(&stamp), "").map_err(|error| format!("{stamp}: {error}"))?;
    }
    forget_generated()?;
    if generate("python", missing)?.is_none() {
        return Ok(no_buf());
    }
    for made in ["dist", "build"] {
        forget(&format!("{PYTHON}/{made}"))?;
    }
    let python = |arguments: &[&str]| {
        let mut python = command(&python);
        python.current_dir(root().join(PYTHON)).arg("-m").args(arguments);
        python
    };
    let wheel = ["build", "--wheel", "--no-isolation", "--outdir", "dist", "."];
    // It names every file.
    run(python(&wheel).stdout(Stdio::null()))?;
    let install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall"];
    run(&mut python(&[&install[..], &["--find-links", "dist", "highstreet-client"]].concat()))?;
    run(&mut python(&["mypy"]))?;
    run(python(&["pytest", "--quiet"]).env("HIGHSTREET", server()?))?;
    Ok(Done::Passed)
}

/// Generated code lies beside what people write: the folders of `highstreet`, while its files are ours.
fn forget_generated() -> Result<(), String> {
    let package = root().join(PYTHON).join("src/highstreet");
    let entries = fs::read_dir(&package).map_err(|error| format!("{}: {error}", package.display()))?;
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        fs::remove_dir_all(entry.path()).map_err(|error| format!("{}: {error}", entry.path().display()))?;
    }
    Ok(())
}

fn forget(folder: &str) -> Result<(), String> {
    let path = root().join(folder);
    if path.exists() { fs::remove_dir_all(&path).map_err(|error| format!("{folder}: {error}")) } else { Ok(()) }
}
