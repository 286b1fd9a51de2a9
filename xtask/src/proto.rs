//! The published language: its style, its form, and that no version of it breaks the one before.

use std::fs;
use std::path::Path;

use crate::shell::{command, read, root, run, succeeds};
use crate::step::Done;
use crate::tools::{self, Missing};

const BEFORE: &str = "target/xtask/proto-before.tar";

/// Style and comments, as buf.yaml says.
pub(crate) fn lint(missing: Missing) -> Result<Done, String> {
    with_buf(missing, |buf| {
        run(command(buf).arg("lint"))?;
        Ok(Done::Passed)
    })
}

/// The form of our own files; what is vendored stays as it came.
pub(crate) fn format(missing: Missing) -> Result<Done, String> {
    with_buf(missing, |buf| {
        run(command(buf).args(["format", "proto", "--diff", "--exit-code"]))?;
        Ok(Done::Passed)
    })
}

/// Compatibility with the version before: the newest commit of this branch whose `proto/` is not the one at hand.
///
/// Every change of the language is compared with what it changes, so that a chain of changes cannot break what one
/// may not. A break that is meant is written down in buf.yaml, in the commit that makes it.
pub(crate) fn breaking(missing: Missing) -> Result<Done, String> {
    with_buf(missing, |buf| {
        let Some(before) = version_before()? else {
            return Ok(Done::Skipped("no earlier commit has another version of proto/".into()));
        };
        println!("comparing with commit {before}");
        fs::create_dir_all(root().join("target/xtask")).map_err(|error| format!("target/xtask: {error}"))?;
        let parts = ["buf.yaml", "proto", "third_party/googleapis"];
        run(command("git").args(["archive", "--output", BEFORE, &before]).args(parts))?;
        run(command(buf).args(["breaking", "--against", BEFORE]))?;
        Ok(Done::Passed)
    })
}

fn with_buf(missing: Missing, check: impl FnOnce(&Path) -> Result<Done, String>) -> Result<Done, String> {
    match tools::buf(missing)? {
        Some(buf) => check(&buf),
        None => Ok(Done::Skipped("buf is not installed (npm ci --prefix tools)".into())),
    }
}

fn version_before() -> Result<Option<String>, String> {
    if !succeeds(command("git").args(["rev-parse", "--verify", "HEAD"])) {
        return Ok(None);
    }
    let commits = read(command("git").args(["rev-list", "--first-parent", "HEAD", "--", "proto"]))?;
    let differs = |commit: &&str| {
        let there = succeeds(command("git").args(["cat-file", "-e", &format!("{commit}:proto")]));
        there && !succeeds(command("git").args(["diff", "--quiet", commit, "--", "proto"]))
    };
    Ok(commits.lines().find(differs).map(str::to_owned))
}
