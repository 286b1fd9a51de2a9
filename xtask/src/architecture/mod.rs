//! The architecture as checks: what ARCHITECTURE.md promises, and what breaks a promise.

mod contexts;
mod files;
mod layers;
mod lock;
mod manifests;
mod members;
mod purity;

use std::fmt;
use std::fs;
use std::path::Path;

use crate::shell::root;
use crate::sources::sources;

/// A rule that is broken somewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// Where: a file, a line of it, or a crate.
    place: String,
    /// What is wrong there, and what would be right.
    what: String,
}

/// Fails with every breach there is.
pub(crate) fn check() -> Result<(), String> {
    check_in(&root())
}

/// The same, for another copy of the repository.
pub(crate) fn check_in(root: &Path) -> Result<(), String> {
    let breaches = breaches(root)?;
    if breaches.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = breaches.iter().map(Breach::to_string).collect();
    Err(format!("{}\n{} breaches of the architecture", lines.join("\n"), lines.len()))
}

fn breaches(root: &Path) -> Result<Vec<Breach>, String> {
    let members = members::members()?;
    let rust = sources(root, "", &["rs"])?;
    let domain: Vec<_> = rust.iter().filter(|source| source.path.starts_with("domain/src/")).collect();
    let mut breaches = purity::sources(&domain);
    breaches.extend(purity::dependencies(&members));
    breaches.extend(purity::features(&members::domain_features()?));
    breaches.extend(layers::adapters(&members));
    breaches.extend(contexts::contexts(root)?);
    for source in rust.iter().chain(&sources(root, "proto", &["proto"])?) {
        breaches.extend(files::length(source));
    }
    breaches.extend(rust.iter().flat_map(files::ignored));
    breaches.extend(manifests::workspace(&read(root, "Cargo.toml")?));
    for member in &members {
        let path = format!("{}/Cargo.toml", member.folder);
        breaches.extend(manifests::member(&path, &read(root, &path)?));
    }
    breaches.extend(lock::versions(&read(root, "Cargo.lock")?));
    Ok(breaches)
}

fn read(root: &Path, path: &str) -> Result<String, String> {
    fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))
}

// === impl Breach ===

impl Breach {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_built_as_its_architecture_says() {
        if let Err(breaches) = super::check() {
            panic!("{breaches}");
        }
    }
}
