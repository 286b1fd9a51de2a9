//! The languages that have generated code and no client of ours: it is made and compiled where their tools are.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{generate, no_buf, runs};
use crate::shell::{command, root, run};
use crate::step::Done;
use crate::tools::Missing;

const TOOLS: &str = "sdk/java/target/tools";

/// Go builds the plugins itself, at the versions of go.mod.
pub(super) fn go(missing: Missing) -> Result<Done, String> {
    if !runs("go", "version") {
        return Ok(Done::Skipped("Go is not installed (1.25 or newer)".into()));
    }
    if generate("go", missing)?.is_none() {
        return Ok(no_buf());
    }
    run(command("go").args(["vet", "-C", "sdk/go", "./..."]))?;
    Ok(Done::Passed)
}

/// Maven brings compiler and plugin.
pub(super) fn java(missing: Missing) -> Result<Done, String> {
    if !runs("mvn", "--version") {
        return Ok(Done::Skipped("Maven is not installed (3.8 or newer, with JDK 17 or newer)".into()));
    }
    let maven = |goal: &str| run(command("mvn").args(["--quiet", "--batch-mode", "--file", "sdk/java", goal]));
    let tools = ["protoc", "protoc-gen-grpc-java"].map(|tool| root().join(TOOLS).join(tool));
    if !tools.iter().all(|tool| tool.exists()) {
        if missing == Missing::Skip {
            return Ok(Done::Skipped("its compiler is not there (mvn --file sdk/java dependency:copy@tools)".into()));
        }
        maven("dependency:copy@tools")?;
        for tool in &tools {
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(tool, executable).map_err(|error| format!("{}: {error}", tool.display()))?;
        }
    }
    if generate("java", missing)?.is_none() {
        return Ok(no_buf());
    }
    maven("compile")?;
    Ok(Done::Passed)
}
