//! Versions and lints stand in the workspace's manifest and nowhere else.

use super::Breach;

/// What a member must say, so that nothing differs between crates.
const INHERITED: [&str; 3] = ["version.workspace = true", "edition.workspace = true", "license.workspace = true"];

/// The workspace forbids what no crate may do.
pub(super) fn workspace(text: &str) -> Vec<Breach> {
    let forbids = section(text, "[workspace.lints.rust]").any(|(line, _)| line == "unsafe_code = \"forbid\"");
    if forbids { vec![] } else { vec![Breach::new("Cargo.toml", "does not forbid unsafe_code in its lints")] }
}

/// A member inherits its lints and versions.
pub(super) fn member(path: &str, text: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if !section(text, "[lints]").any(|(line, _)| line == "workspace = true") {
        breaches.push(Breach::new(path, "does not inherit the workspace's lints: [lints] workspace = true"));
    }
    for wanted in INHERITED {
        if !section(text, "[package]").any(|(line, _)| line == wanted) {
            breaches.push(Breach::new(path, format!("does not say {wanted}")));
        }
    }
    for header in headers(text).filter(|header| header.contains("dependencies")) {
        if header.contains("dependencies.") {
            breaches.push(Breach::new(path, format!("{header}: write it on one line, with workspace = true")));
        }
        for (line, number) in section(text, header).filter(|(line, _)| !line.contains("workspace = true")) {
            let what = format!("`{line}` does not take its version from the workspace");
            breaches.push(Breach::new(format!("{path}:{number}"), what));
        }
    }
    breaches
}

fn headers(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('['))
}

/// The lines of a section, with their numbers; without comments and blank ones.
fn section<'a>(text: &'a str, header: &'a str) -> impl Iterator<Item = (&'a str, usize)> {
    let lines = text.lines().map(str::trim).zip(1..).skip_while(move |(line, _)| *line != header).skip(1);
    lines.take_while(|(line, _)| !line.starts_with('[')).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"x\"\nversion.workspace = true\nedition.workspace = true\n\
                        license.workspace = true\n[lints]\nworkspace = true\n[dependencies]\n# why\n\
                        a.workspace = true\nb = { workspace = true, features = [\"c\"] }\n";

    #[test]
    fn a_member_that_inherits_everything_is_fine() {
        assert_eq!(member("x/Cargo.toml", GOOD), []);
    }

    #[test]
    fn versions_of_ones_own_are_found() {
        for bad in ["[dev-dependencies]\nc = \"1\"", "[build-dependencies]\nc = { version = \"1\" }"] {
            assert_eq!(member("x/Cargo.toml", &format!("{GOOD}{bad}\n")).len(), 1, "{bad}");
        }
        assert_eq!(member("x/Cargo.toml", &GOOD.replace("version.workspace = true", "version = \"1\"")).len(), 1);
        assert_eq!(member("x/Cargo.toml", &format!("{GOOD}[dependencies.c]\nworkspace = true\n")).len(), 1);
    }

    #[test]
    fn lints_that_are_not_inherited_are_found() {
        assert_eq!(member("x/Cargo.toml", &GOOD.replace("[lints]\nworkspace = true\n", "")).len(), 1);
        assert_eq!(workspace("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"), []);
        assert_eq!(workspace("[workspace.lints.rust]\nunsafe_code = \"deny\"\n").len(), 1);
    }
}
