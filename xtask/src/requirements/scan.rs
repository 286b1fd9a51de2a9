//! Finds tests in Rust sources, and the requirements they name.

use crate::sources::Source;

/// A test.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// The file it is in.
    pub(super) path: String,
    /// The function.
    pub(super) name: String,
    docs: String,
}

/// What was read above a function.
#[derive(Default)]
struct Above {
    docs: String,
    is_test: bool,
}

/// The functions of a file that are marked `#[test]`, `#[tokio::test]` or the like.
pub(super) fn tests(source: &Source) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut above = Above::default();
    for line in source.text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            above.docs.push_str(doc);
            above.docs.push('\n');
        } else if let Some(attribute) = line.strip_prefix("#[") {
            above.is_test |= is_test(attribute);
        } else if let Some(name) = function(line) {
            let Above { docs, is_test } = std::mem::take(&mut above);
            if is_test {
                tests.push(Test { path: source.path.clone(), name: name.into(), docs });
            }
        } else if line.ends_with(['{', '}', ';']) {
            above = Above::default();
        }
    }
    tests
}

fn is_test(attribute: &str) -> bool {
    let path = attribute.split([']', '(', ' ']).next().unwrap_or_default();
    path.rsplit("::").next() == Some("test")
}

fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

// === impl Test ===

impl Test {
    /// Whether its name or its doc comment names the requirement `id`: `CAFE-A1` as `cafe_a1` or as `CAFE-A1`.
    pub(super) fn names(&self, id: &str) -> bool {
        let wanted: Vec<String> = id.split('-').map(str::to_lowercase).collect();
        let words: Vec<&str> = self.name.split('_').collect();
        words.windows(wanted.len()).any(|window| window == wanted) || stands_alone(&self.docs, id)
    }
}

fn stands_alone(text: &str, id: &str) -> bool {
    text.match_indices(id).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + id.len()..].chars().next();
        let apart = |neighbour: Option<char>| !neighbour.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
        apart(before) && apart(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/// TEA-A1, and TEA-X2 beside it.\n#[test]\nfn first() {}\n\n\
                        #[tokio::test(flavor = \"multi_thread\")]\nasync fn tea_a10_second() {\n}\n\
                        /// TEA-A7 is no test's.\nfn helper() {}\n#[cfg(test)]\nmod x {\n";

    #[test]
    fn tests_are_found_with_what_they_name() {
        let found = super::tests(&Source { path: "a.rs".into(), text: FILE.into() });
        assert_eq!(found.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["first", "tea_a10_second"]);
        let named = |id| found.iter().filter(|test| test.names(id)).map(|test| test.name.as_str()).collect::<Vec<_>>();
        assert_eq!(named("TEA-A1"), ["first"]);
        assert_eq!(named("TEA-X2"), ["first"]);
        assert_eq!(named("TEA-A10"), ["tea_a10_second"]);
        assert_eq!(named("TEA-A7"), [""; 0]);
        assert_eq!(named("TEA-X"), [""; 0]);
    }
}
