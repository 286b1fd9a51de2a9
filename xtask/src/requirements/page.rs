//! The page that people read.

use std::fmt::Write;

use super::list::{Requirements, Shop};
use super::scan::Test;

const HEAD: &str = "# Requirements and the tests that show them

Made by `cargo xtask requirements` from the names and doc comments of tests; do not edit. The requirements themselves
are listed in `xtask/requirements.txt`. F: functional, N: non-functional, A: acceptance scenario, X: a mistake of the
original that must not come back.
";

/// A table for each shop.
pub(super) fn page(requirements: &Requirements, tests: &[Test]) -> String {
    let mut page = HEAD.to_owned();
    for shop in &requirements.shops {
        let shown = shop.lines.iter().filter(|line| tests.iter().any(|test| test.names(&line.id))).count();
        let (name, title, all) = (&shop.name, &shop.title, shop.lines.len());
        let rows = rows(shop, tests);
        // Writing to a string never fails.
        let _ = write!(page, "\n## {title} · {name}\n\n{shown} of {all} are shown by tests.\n\n{rows}");
    }
    page
}

fn rows(shop: &Shop, tests: &[Test]) -> String {
    let mut rows = "| id | requirement | tests |\n|---|---|---|\n".to_owned();
    for line in &shop.lines {
        let named = tests.iter().filter(|test| test.names(&line.id));
        let named: Vec<String> = named.map(|test| format!("`{}` {}", test.name, test.path)).collect();
        let _ = writeln!(rows, "| {} | {} | {} |", line.id, line.text.replace('|', "\\|"), named.join("<br>"));
    }
    rows
}
