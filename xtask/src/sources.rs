//! The files of the repository that people write.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::shell::{command, read, root};

/// Folders that hold what nobody here wrote, or what is made.
const NOT_OURS: [&str; 6] = ["target", "node_modules", "third_party", "data", "generated", "local-mesh"];

/// What is published and belongs to no context: what they share, and what every server offers.
const NO_CONTEXTS: [&str; 2] = ["common", "operations"];

/// A file of the repository.
pub(crate) struct Source {
    /// Where it is, from the root, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// The files under `folder` with one of these extensions, by path.
pub(crate) fn sources(root: &Path, folder: &str, extensions: &[&str]) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    walk(&root.join(folder), &mut paths)?;
    paths.sort();
    let wanted = |path: &PathBuf| path.extension().is_some_and(|extension| extensions.iter().any(|e| extension == *e));
    paths
        .into_iter()
        .filter(wanted)
        .map(|path| {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            Ok(Source { path, text })
        })
        .collect()
}

/// The names in a folder, without extensions, sorted.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        names.extend(entry.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// The contexts: the published language says which there are.
pub(crate) fn contexts(root: &Path) -> Result<Vec<String>, String> {
    let mut contexts = names(&root.join("proto/highstreet"))?;
    contexts.retain(|name| !NO_CONTEXTS.contains(&name.as_str()));
    Ok(contexts)
}

/// Copies what is under version control, or will be, of these paths of the repository (all of it if there are none); what
/// was in the folder is gone.
pub(crate) fn copy_repository(to: &Path, paths: &[&str]) -> Result<(), String> {
    let wrong = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    if to.exists() {
        fs::remove_dir_all(to).map_err(|error| wrong(to, error))?;
    }
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", "--"];
    let files = read(command("git").current_dir(root()).args(list).args(paths))?;
    for file in files.lines() {
        let (from, to) = (root().join(file), to.join(file));
        // Deleted, and not yet said so.
        let Ok(metadata) = from.symlink_metadata() else { continue };
        fs::create_dir_all(to.parent().unwrap_or(&to)).map_err(|error| wrong(&to, error))?;
        let copied = if metadata.is_symlink() {
            fs::read_link(&from).and_then(|target| symlink(target, &to))
        } else {
            fs::copy(&from, &to).map(drop)
        };
        copied.map_err(|error| wrong(&from, error))?;
    }
    Ok(())
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(|error| format!("{}: {error}", entry.path().display()))?;
        if kind.is_file() {
            found.push(entry.path());
        } else if kind.is_dir() && !name.starts_with('.') && !NOT_OURS.contains(&name.as_str()) {
            walk(&entry.path(), found)?;
        }
    }
    Ok(())
}

// === impl Source ===

impl Source {
    /// Whether the whole file is a test.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// What comes before the file's own test module, which is the last thing in it.
    pub(crate) fn without_tests(&self) -> &str {
        let tests = self.text.match_indices("#[cfg(test)]\n").find(|(at, attribute)| {
            self.text[at + attribute.len()..].lines().next().is_some_and(|line| line.ends_with('{'))
        });
        tests.map_or(&self.text, |(at, _)| &self.text[..at])
    }
}
