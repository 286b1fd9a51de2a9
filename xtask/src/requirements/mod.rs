//! Which test shows which requirement: `docs/requirements.md`, made from the names and doc comments of tests.

mod list;
mod page;
mod scan;

use std::fs;

use list::Requirements;
use scan::Test;

use crate::shell::root;
use crate::sources::sources;

const LIST: &str = "xtask/requirements.txt";
const PAGE: &str = "docs/requirements.md";

/// Writes the page.
pub(crate) fn write() -> Result<(), String> {
    let (requirements, tests) = read()?;
    fs::write(root().join(PAGE), page::page(&requirements, &tests)).map_err(|error| format!("{PAGE}: {error}"))?;
    println!("wrote {PAGE}");
    let missing = missing(&requirements, &tests);
    if !missing.is_empty() {
        println!("{}", told(&missing));
    }
    Ok(())
}

/// Fails if a finished shop has an id that no test names, or if the page is not what would be written.
pub(crate) fn check() -> Result<(), String> {
    let (requirements, tests) = read()?;
    let missing = missing(&requirements, &tests);
    if !missing.is_empty() {
        return Err(told(&missing));
    }
    let written = fs::read_to_string(root().join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    if written == page::page(&requirements, &tests) {
        Ok(())
    } else {
        Err(format!("{PAGE} is out of date: run `cargo xtask requirements`"))
    }
}

fn read() -> Result<(Requirements, Vec<Test>), String> {
    let text = fs::read_to_string(root().join(LIST)).map_err(|error| format!("{LIST}: {error}"))?;
    let requirements = Requirements::parse(&text).map_err(|why| format!("{LIST}: {why}"))?;
    let tests = sources(&root(), "", &["rs"])?.iter().flat_map(scan::tests).collect();
    Ok((requirements, tests))
}

/// The finished ids that no test names.
fn missing<'a>(requirements: &'a Requirements, tests: &[Test]) -> Vec<&'a str> {
    let done = |name: &String| requirements.done.contains(name);
    let finished = requirements
        .shops
        .iter()
        .flat_map(|shop| shop.lines.iter().filter(|line| done(&shop.name) || done(&line.id)))
        .map(|line| line.id.as_str());
    finished.filter(|id| !tests.iter().any(|test| test.names(id))).collect()
}

fn told(missing: &[&str]) -> String {
    format!("no test names {}", missing.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Source;

    #[test]
    fn only_what_is_finished_must_be_complete() {
        let text = "done TEA\ndone ROOM-A2\nshop TEA Tea\nTEA-A1 x\nTEA-A10 y\nshop ROOM Room\nROOM-A1 z\nROOM-A2 z\n";
        let requirements = Requirements::parse(text).unwrap();
        let text = "#[test]\nfn tea_a10_is_shown() {}\n".to_owned();
        let tests = scan::tests(&Source { path: "a.rs".into(), text });
        assert_eq!(missing(&requirements, &tests), ["TEA-A1", "ROOM-A2"]);
    }
}
