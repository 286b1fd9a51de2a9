//! `cargo xtask link-order`: which functions run until the program is ready and waits, and which once it is called.
//!
//! The kernel reads a program in windows of 64 KiB, and a program of 40 MiB in which what runs is strewn about reads
//! nearly all of them: that was most of what an idle process kept resident. `services/build.rs` hands this list to the
//! linker, which lays these functions together.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::parts::{Parts, STREET};
use super::{Where, down, start, wait};
use crate::servers;
use crate::shell::{cargo, command, root, run, target_folder};
use crate::tools::Missing;

/// Where the list is kept.
const LIST: &str = "services/link-order.txt";
/// The gateway's port of the mesh that is watched.
const PORT: u16 = 8688;
/// What a process does by itself once it is ready, it does within this time.
const IDLE: std::time::Duration = std::time::Duration::from_secs(5);

/// What was called in one process.
struct Calls {
    /// Until it had been idle for a while.
    idle: Vec<String>,
    /// From then on.
    busy: Vec<String>,
}

/// Writes the list: the street in one process and the mesh run under callgrind, are left alone for a while, and then
/// play all stories.
pub(crate) fn write() -> Result<(), String> {
    servers::ensure(Missing::Install)?;
    let valgrind = servers::on_path("valgrind");
    let valgrind = valgrind.ok_or("valgrind is missing: install it (on Debian: apt-get install valgrind)")?;
    run(cargo().args(["build", "--release", "--package", "highstreet"]))?;
    let folder = target_folder().join("link-order");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut parts = Parts::of(&Where { folder, port: PORT, program: None })?;
    parts.under = Some(valgrind);
    let played = play(&parts);
    down(&parts)?;
    played?;
    let calls =
        parts.own().iter().map(|process| Calls::of(&parts.folder, &process.name)).collect::<Result<Vec<_>, _>>()?;
    let list = in_order(&calls);
    let path = root().join(LIST);
    fs::write(&path, list.join("\n") + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{} functions in {LIST}: build anew", list.len());
    Ok(())
}

fn play(parts: &Parts) -> Result<(), String> {
    for process in parts.all() {
        start(&process, parts)?;
    }
    for process in parts.own() {
        wait(&format!("{} is ready", process.name), || process.admin.is_some_and(|admin| parts.is_ready(admin)))?;
    }
    std::thread::park_timeout(IDLE);
    for process in parts.own() {
        let id = process.id(&parts.folder).ok_or_else(|| format!("{} does not run", process.name))?;
        run(command("callgrind_control").args(["--dump=idle", &id.to_string()]))?;
    }
    for process in parts.own().iter().filter(|process| ["gateway", STREET].contains(&process.name.as_str())) {
        let target = format!("http://127.0.0.1:{}", process.port);
        run(Command::new(&parts.program).args(["demo", "all", "--target", &target]))?;
    }
    Ok(())
}

/// First what all wait with, then what some do, then what is done when they are called; each in the order of the runs.
fn in_order(calls: &[Calls]) -> Vec<String> {
    let mut users: HashMap<&str, usize> = HashMap::new();
    for name in calls.iter().flat_map(|calls| &calls.idle) {
        *users.entry(name).or_default() += 1;
    }
    let mut idle: Vec<&String> = calls.iter().flat_map(|calls| &calls.idle).collect();
    // Stable: what as many use stays in the order of the runs.
    idle.sort_by_key(|name| std::cmp::Reverse(users[name.as_str()]));
    let mut known = HashSet::new();
    let all = idle.into_iter().chain(calls.iter().flat_map(|calls| &calls.busy));
    all.filter(|name| known.insert(name.as_str())).cloned().collect()
}

// === impl Calls ===

impl Calls {
    /// Of the process of this name: callgrind numbers what it writes when it is asked, and not what it writes last.
    fn of(folder: &Path, process: &str) -> Result<Self, String> {
        let read = |path: PathBuf| {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>(functions(&text))
        };
        let last = output(folder, process);
        let first = PathBuf::from(format!("{}.1", last.display()));
        Ok(Self { idle: read(first)?, busy: read(last)? })
    }
}

/// The program under callgrind; its arguments follow.
pub(super) fn watched(valgrind: &Path, program: &Path, folder: &Path, process: &str) -> Command {
    let mut command = Command::new(valgrind);
    command.args(["--tool=callgrind", "--demangle=no"]);
    command.arg(format!("--callgrind-out-file={}", output(folder, process).display())).arg(program);
    command
}

/// Where callgrind writes what it saw of a process.
fn output(folder: &Path, process: &str) -> PathBuf {
    folder.join(format!("{process}.callgrind"))
}

/// The functions that callgrind saw, each once: `fn=(3) name` where it ran, `cfn=(3) name` where it was called, and the
/// name only the first time. A function that calls itself has `'2` behind its name.
fn functions(text: &str) -> Vec<String> {
    let mut known = HashSet::new();
    let named = text.lines().filter_map(|line| line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")));
    let names = named.filter_map(|named| named.split_once(") ")?.1.split('\'').next());
    // The others are of libraries: no symbol of Rust or C has such characters.
    let own = names.filter(|name| name.chars().all(|char| char.is_ascii_alphanumeric() || "_.$".contains(char)));
    own.filter(|name| known.insert(*name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_once() {
        let text = "fl=(1) ???\nfn=(2) main\n3 4\ncfn=(5) _ZN4core9panicking5panic17h0123456789abcdefE\ncalls=1 0\n\
                    fn=(2)\nfn=(6) walk'2\nfn=(7) walk\nfn=(8) (below main)\n";
        assert_eq!(functions(text), ["main", "_ZN4core9panicking5panic17h0123456789abcdefE", "walk"]);
    }

    #[test]
    fn what_all_wait_with_comes_first() {
        let calls = |idle: &[&str], busy: &[&str]| {
            let [idle, busy] = [idle, busy].map(|names| names.iter().map(|&name| name.to_owned()).collect());
            Calls { idle, busy }
        };
        let seen = [calls(&["a", "poll"], &["pay", "a"]), calls(&["b", "poll"], &["ship", "pay"])];
        assert_eq!(in_order(&seen), ["poll", "a", "b", "pay", "ship"]);
    }
}
