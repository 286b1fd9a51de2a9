//! Files are short, and every test runs.

use super::Breach;
use crate::sources::Source;

/// A file has fewer lines than this, its tests aside.
const TOO_LONG: usize = 400;

/// A file that is too long holds more than one idea.
pub(super) fn length(source: &Source) -> Option<Breach> {
    if source.is_test() {
        return None;
    }
    let lines = source.without_tests().lines().count();
    let what = format!("has {lines} lines, and must have fewer than {TOO_LONG}: split it by idea");
    (lines >= TOO_LONG).then(|| Breach::new(&source.path, what))
}

/// A test that is switched off tells nobody anything.
pub(super) fn ignored(source: &Source) -> Vec<Breach> {
    let lines = source.text.lines().zip(1..).filter(|(line, _)| line.trim_start().starts_with("#[ignore"));
    lines
        .map(|(_, number)| {
            let place = format!("{}:{number}", source.path);
            Breach::new(place, "switches a test off: mend it, or remove it")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: String) -> Source {
        Source { path: path.into(), text }
    }

    #[test]
    fn a_long_file_is_found_but_for_its_tests() {
        let long = "x\n".repeat(TOO_LONG);
        assert!(length(&source("domain/src/a.rs", long.clone())).is_some());
        assert!(length(&source("domain/tests/a.rs", long.clone())).is_none());
        let tested = format!("x\n#[cfg(test)]\nmod tests {{\n{long}}}");
        assert!(length(&source("domain/src/a.rs", tested)).is_none());
    }

    #[test]
    fn an_ignored_test_is_found() {
        let text = "#[test]\n    #[ignore = \"slow\"]\nfn x() {}\n".to_owned();
        assert_eq!(ignored(&source("a.rs", text))[0].place, "a.rs:2");
    }
}
