//! A next release, made of these sources and a change of the schema, so that tests can upgrade to it.
//!
//! What is upgraded from is this release: whether data written by it is read by one with another schema and other
//! stored states, and whether both work side by side, shows before there is one.

use std::fs;
use std::path::Path;

use crate::shell::{cargo, root, run, target_folder};
use crate::sources::copy_repository;

/// Its program, beside the one of this release.
const PROGRAM: &str = "highstreet-next";

/// A column more, and an index over it: what the replicas of this release neither know nor miss.
const POSTGRES: &str = "ALTER TABLE streams ADD COLUMN next text;\nCREATE INDEX streams_by_next ON streams (next);\n";
const SQLITE: &str = "ALTER TABLE streams ADD COLUMN next TEXT;\nCREATE INDEX streams_by_next ON streams (next);\n";
/// Whose stored state is another: it is folded anew from events, by either release.
const AGGREGATES: [&str; 2] = ["domain/src/ordering/order.rs", "domain/src/payment/payment.rs"];

/// Builds it.
pub(crate) fn build() -> Result<(), String> {
    let copy = root().join("target/next-release");
    copy_repository(&copy, &[])?;
    change(&copy)?;
    // The copy's crates are built beside ours: what both depend on is built once.
    let target = target_folder();
    let mut build = cargo();
    build.current_dir(&copy).args(["build", "--locked", "--package", "highstreet"]).env("CARGO_TARGET_DIR", &target);
    run(&mut build)?;
    let built = target.join("debug/highstreet");
    let next = built.with_file_name(PROGRAM);
    // A copy: the next build of ours takes its place.
    fs::copy(&built, &next).map_err(|error| format!("{}: {error}", next.display()))?;
    fs::remove_dir_all(&copy).map_err(|error| format!("{}: {error}", copy.display()))?;
    run(cargo().args(["build", "--locked", "--package", "highstreet"]))
}

fn change(copy: &Path) -> Result<(), String> {
    let migrations = copy.join("adapters/postgres/migrations");
    let last = crate::sources::names(&migrations)?.iter().filter_map(|name| version(name)).max().unwrap_or(0);
    write(&migrations.join(format!("V{}__next.sql", last + 1)), POSTGRES)?;
    write(&copy.join("adapters/sqlite/migrations/next.sql"), SQLITE)?;
    edit(&copy.join("adapters/sqlite/src/migrate.rs"), add_migration)?;
    AGGREGATES.iter().try_for_each(|path| edit(&copy.join(path), raise_version))
}

/// Of a migration's name: 2 of `V2__outbox_marks`.
fn version(name: &str) -> Option<u32> {
    name.strip_prefix('V')?.split_once("__")?.0.parse().ok()
}

fn add_migration(source: &str) -> Option<String> {
    // What is said last of a context's files is which migrations they have.
    let list = source.rfind("Self::Context =>")?;
    let end = list + source[list..].find(']')?;
    let (head, tail) = source.split_at(end);
    let head = head.trim_end().trim_end_matches(',');
    Some(format!("{head}, include_str!(\"../migrations/next.sql\"){tail}"))
}

fn raise_version(source: &str) -> Option<String> {
    let (head, rest) = source.split_once("const VERSION: u32 = ")?;
    let (version, tail) = rest.split_once(';')?;
    Some(format!("{head}const VERSION: u32 = {};{tail}", version.parse::<u32>().ok()? + 1))
}

fn edit(path: &Path, change: impl FnOnce(&str) -> Option<String>) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let changed = change(&text).ok_or_else(|| format!("{} is not as xtask expects it", path.display()))?;
    write(path, &changed)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_as_expected() {
        for (path, change) in [
            ("adapters/sqlite/src/migrate.rs", add_migration as fn(&str) -> Option<String>),
            (AGGREGATES[0], raise_version),
            (AGGREGATES[1], raise_version),
        ] {
            let source = fs::read_to_string(root().join(path)).unwrap();
            let changed = change(&source).unwrap_or_else(|| panic!("{path} is not as expected"));
            assert_ne!(changed, source);
            // Behind another migration, and nowhere else.
            let added = changed.split_once(", include_str!(\"../migrations/next.sql\")");
            assert_eq!(added.is_some(), path.ends_with("migrate.rs"), "{path}");
            assert!(added.is_none_or(|(before, _)| before.ends_with(".sql\")")), "{changed}");
        }
        let long = "Self::Context => &[\n    a,\n    b,\n],";
        assert_eq!(
            add_migration(long).unwrap(),
            "Self::Context => &[\n    a,\n    b, include_str!(\"../migrations/next.sql\")],"
        );
        assert_eq!(version("V2__outbox_marks"), Some(2));
    }
}
