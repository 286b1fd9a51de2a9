//! One version for everything that is published.

use std::fs;

use serde_json::Value;

use super::VERSION;
use crate::shell::root;

/// The charts, and the one that lies within another.
const CHARTS: [&str; 3] = ["deploy/helm/context", "deploy/helm/highstreet", "deploy/helm/highstreet/charts/dev"];

/// A version that a file says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    place: String,
    version: String,
}

/// Fails unless every file says the version of Cargo.toml. (The program, its `OpenAPI` document and the Rust client take
/// it from there; Go's is a tag.)
pub(super) fn check() -> Result<(), String> {
    let mut said = Vec::new();
    for chart in CHARTS {
        let place = format!("{chart}/Chart.yaml");
        said.extend(of_chart(&place, &text(&place)?)?);
    }
    for place in ["sdk/typescript/package.json", "sdk/typescript/package-lock.json"] {
        said.extend(of_npm(place, &text(place)?)?);
    }
    let python = "sdk/python/pyproject.toml";
    said.push(between(python, &text(python)?, "\nversion = \"", "\"")?);
    let java = "sdk/java/pom.xml";
    said.push(between(java, &text(java)?, "<version>", "</version>")?);
    let other: Vec<String> = said
        .iter()
        .filter(|said| said.version != VERSION)
        .map(|Said { place, version }| format!("{place} says {version}"))
        .collect();
    if other.is_empty() {
        return Ok(());
    }
    Err(format!("Cargo.toml says version {VERSION}, but {}: make them say the same", other.join(", ")))
}

/// A chart's own version, that of what it installs, and those of the charts that it is made of.
fn of_chart(place: &str, text: &str) -> Result<Vec<Said>, String> {
    let chart: Value = yaml_serde::from_str(text).map_err(|error| format!("{place}: {error}"))?;
    let mut said = vec![take(place, "version", &chart["version"])?, take(place, "appVersion", &chart["appVersion"])?];
    for needed in chart["dependencies"].as_array().into_iter().flatten() {
        let name = needed["alias"].as_str().or(needed["name"].as_str()).unwrap_or_default();
        said.push(take(place, name, &needed["version"])?);
    }
    Ok(said)
}

fn of_npm(place: &str, text: &str) -> Result<Vec<Said>, String> {
    let package: Value = serde_json::from_str(text).map_err(|error| format!("{place}: {error}"))?;
    let mut said = vec![take(place, "version", &package["version"])?];
    if let Some(own) = package["packages"].get("") {
        said.push(take(place, "packages", &own["version"])?);
    }
    Ok(said)
}

fn take(place: &str, what: &str, version: &Value) -> Result<Said, String> {
    let version = version.as_str().ok_or_else(|| format!("{place} says no {what} in text"))?;
    Ok(Said { place: format!("{place} ({what})"), version: version.to_owned() })
}

/// What stands first between two marks.
fn between(place: &str, text: &str, before: &str, after: &str) -> Result<Said, String> {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    let (version, _) = found.ok_or_else(|| format!("{place} says no version"))?;
    Ok(Said { place: place.to_owned(), version: version.to_owned() })
}

fn text(place: &str) -> Result<String, String> {
    fs::read_to_string(root().join(place)).map_err(|error| format!("{place}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(said: &[Said]) -> Vec<&str> {
        said.iter().map(|said| said.version.as_str()).collect()
    }

    #[test]
    fn a_chart_says_its_own_version_and_those_of_its_parts() {
        let text = "version: 1.0.0\nappVersion: 1.0.1\ndependencies:\n- {name: dev, version: 1.0.2}\n";
        assert_eq!(versions(&of_chart("Chart.yaml", text).unwrap()), ["1.0.0", "1.0.1", "1.0.2"]);
        // 1.10 would be read as the number 1.1.
        assert!(of_chart("Chart.yaml", "version: 1.10\nappVersion: 1.0.0\n").is_err());
    }

    #[test]
    fn a_lock_file_says_it_twice() {
        let text = r#"{"version": "1.0.0", "packages": {"": {"version": "1.0.1"}, "other": {"version": "9"}}}"#;
        assert_eq!(versions(&of_npm("package-lock.json", text).unwrap()), ["1.0.0", "1.0.1"]);
    }

    #[test]
    fn the_first_version_of_a_file_is_its_own() {
        let pom = "<project>\n<version>1.2.3</version>\n<dependency><version>9</version></dependency>";
        assert_eq!(between("pom.xml", pom, "<version>", "</version>").unwrap().version, "1.2.3");
        assert!(between("pom.xml", "<project/>", "<version>", "</version>").is_err());
    }

    #[test]
    fn this_repository_says_one_version() {
        check().unwrap();
    }
}
