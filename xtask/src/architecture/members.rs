//! The crates of the workspace and what they depend on, as cargo sees them.

use serde_json::Value;

use crate::shell::{cargo, read, root};

/// A crate of the workspace.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// Where it is, from the root.
    pub(super) folder: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// What a crate names in its manifest.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Dev,
    Build,
}

/// The crates of the workspace.
pub(super) fn members() -> Result<Vec<Member>, String> {
    let text = read(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().map(|package| Member::read(package).ok_or_else(|| format!("no package: {package}"))).collect()
}

/// The features each of domain's dependencies is built with: `name version|feature,feature` by line.
pub(super) fn domain_features() -> Result<String, String> {
    let tree = ["tree", "--package", "highstreet-domain", "--edges", "normal,no-proc-macro", "--prefix", "none"];
    read(cargo().args(tree).args(["--format", "{p}|{f}"]))
}

// === impl Member ===

impl Member {
    fn read(package: &Value) -> Option<Self> {
        let manifest = std::path::Path::new(package["manifest_path"].as_str()?);
        let folder = manifest.parent()?.strip_prefix(root()).ok()?;
        let dependencies = package["dependencies"].as_array()?.iter().map(Dependency::read);
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            folder: folder.to_string_lossy().replace('\\', "/"),
            dependencies: dependencies.collect::<Option<_>>()?,
        })
    }
}

// === impl Dependency ===

impl Dependency {
    fn read(dependency: &Value) -> Option<Self> {
        let kind = match dependency["kind"].as_str() {
            None => Kind::Normal,
            Some("dev") => Kind::Dev,
            Some(_) => Kind::Build,
        };
        Some(Self { name: dependency["name"].as_str()?.to_owned(), kind })
    }
}
