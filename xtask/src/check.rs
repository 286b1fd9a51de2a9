//! What reads the sources without running them, the cheap parts first.

use crate::shell::{cargo, command, read, run, succeeds};
use crate::step::{Done, Steps};
use crate::tools::{self, Missing};
use crate::{architecture, proto, release, requirements};

/// Targets without std whose atomics are as wide as the kernel's counters.
const BARE_TARGETS: [&str; 3] = ["x86_64-unknown-none", "aarch64-unknown-none", "riscv64gc-unknown-none-elf"];

/// All of it.
pub(crate) fn everything(steps: &mut Steps, missing: Missing) {
    steps.take("format", || run(cargo().args(["fmt", "--all", "--check"])));
    architecture(steps);
    steps.take("requirements", requirements::check);
    proto(steps, missing);
    release::checks(steps);
    steps.take("clippy", || {
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))
    });
    steps.take("domain without std", domain_without_std);
    steps.take("docs", || {
        run(cargo().args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "--deny warnings"))
    });
    dependencies(steps, missing);
}

/// The rules of the architecture.
pub(crate) fn architecture(steps: &mut Steps) {
    steps.take("architecture", architecture::check);
}

/// The published language.
pub(crate) fn proto(steps: &mut Steps, missing: Missing) {
    steps.take("proto lint", || proto::lint(missing));
    steps.take("proto format", || proto::format(missing));
    steps.take("proto compatibility", || proto::breaking(missing));
}

/// What is depended on.
pub(crate) fn dependencies(steps: &mut Steps, missing: Missing) {
    steps.take("dependencies", || {
        if !tools::cargo_deny(missing)? {
            return Ok(Done::Skipped("cargo-deny is not installed".into()));
        }
        run(cargo().args(["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
        Ok(Done::Passed)
    });
    steps.take("advisories", || {
        if !tools::cargo_deny(Missing::Skip)? {
            return Ok(Done::Skipped("cargo-deny is not installed".into()));
        }
        // A machine without the network answers at once, one with a slow network after a while.
        if !succeeds(command("timeout").args(["60", "cargo", "deny", "fetch", "db"])) {
            return Ok(Done::Skipped("the advisory database cannot be reached from here".into()));
        }
        run(cargo().args(["deny", "check", "advisories"]))?;
        Ok(Done::Passed)
    });
}

fn domain_without_std() -> Result<Done, String> {
    let installed = read(command("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    let Some(target) = BARE_TARGETS.into_iter().find(|target| installed.lines().any(|line| line == *target)) else {
        let targets = BARE_TARGETS.join(", ");
        return Ok(Done::Skipped(format!("none of these targets is installed: {targets}")));
    };
    run(cargo().args(["build", "--package", "highstreet-domain", "--locked", "--target", target]))?;
    Ok(Done::Passed)
}
