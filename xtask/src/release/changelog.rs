//! What is new in a version stands in CHANGELOG.md, in the form of keepachangelog.com.

use std::fs;

use crate::shell::root;

/// Fails unless something is written about `version`; with the day of the release, if it is to be released.
pub(super) fn check(version: &str, released: bool) -> Result<(), String> {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).map_err(|error| format!("CHANGELOG.md: {error}"))?;
    let section = section(&text, version, released)?;
    let first = section.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    println!("CHANGELOG.md has {} lines about {version}, from: {first}", section.lines().count());
    Ok(())
}

/// What is written about a version; or about what is not released yet, if that is good enough.
pub(super) fn section<'a>(text: &'a str, version: &str, released: bool) -> Result<&'a str, String> {
    let dated = sections(text).find(|(title, _)| {
        let day = title.strip_prefix(&format!("[{version}] - "));
        day.is_some_and(is_day)
    });
    let coming = || sections(text).find(|(title, _)| *title == "[Unreleased]");
    let found = if released { dated } else { dated.or_else(coming) };
    let Some((title, body)) = found else {
        let wanted = if released { "" } else { ", or ## [Unreleased]" };
        return Err(format!("CHANGELOG.md has no ## [{version}] - YYYY-MM-DD{wanted}: say there what is new"));
    };
    if body.lines().any(|line| line.starts_with("- ")) {
        Ok(body)
    } else {
        Err(format!("CHANGELOG.md says nothing under ## {title}: say there what is new, in lines that begin with -"))
    }
}

/// Titles and what follows them.
fn sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\n## ").skip(1).map(|section| {
        let (title, body) = section.split_once('\n').unwrap_or((section, ""));
        (title.trim(), body)
    })
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let numbers = parts.iter().all(|part| part.chars().all(|letter| letter.is_ascii_digit()));
    numbers && parts.iter().map(|part| part.len()).eq([4, 2, 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Changelog\n\n## [Unreleased]\n\n- More.\n\n## [1.0.0] - 2026-11-21\n\n### Added\n\n- All.\n\n\
                        ## [0.9.0] - someday\n\n- Some.\n\n## [0.8.0] - 2026-01-01\n";

    #[test]
    fn a_released_version_has_a_day() {
        assert!(section(TEXT, "1.0.0", true).unwrap().contains("All."));
        assert!(section(TEXT, "0.9.0", true).is_err());
    }

    #[test]
    fn what_is_not_released_stands_under_its_own_title() {
        assert!(section(TEXT, "1.1.0", false).unwrap().contains("More."));
        assert!(section(TEXT, "1.1.0", true).is_err());
    }

    #[test]
    fn a_title_alone_says_nothing() {
        assert!(section(TEXT, "0.8.0", true).unwrap_err().contains("says nothing"));
    }
}
