//! The tables of values in the charts' READMEs, drawn from the comments of values.yaml.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::shell::root;

/// Each README, and what its table is drawn from: what the values' names begin with, and their file.
const READMES: [(&str, &[(&str, &str)]); 2] = [
    ("deploy/helm/context", &[("", "values.yaml")]),
    ("deploy/helm/highstreet", &[("", "values.yaml"), ("dev.", "charts/dev/values.yaml")]),
];
/// What holds where values.yaml says nothing.
const DEFAULTS: &str = "files/defaults.yaml";
/// The table stands between these.
const BEGIN: &str = "<!-- values -->\n";
const END: &str = "<!-- end of values -->\n";

/// A value that can be set.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    default: String,
    meaning: String,
}

/// Fails if a table is not what would be written.
pub(super) fn check() -> Result<(), String> {
    for (chart, _) in READMES {
        if drawn(chart)? != text(&format!("{chart}/README.md"))? {
            return Err(format!("{chart}/README.md does not have the values of values.yaml: cargo xtask helm --write"));
        }
    }
    Ok(())
}

/// Draws them anew.
pub(super) fn write() -> Result<(), String> {
    for (chart, _) in READMES {
        let file = root().join(chart).join("README.md");
        fs::write(&file, drawn(chart)?).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn drawn(chart: &str) -> Result<String, String> {
    let readme = text(&format!("{chart}/README.md"))?;
    let parts = readme.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.ok_or_else(|| format!("{chart}/README.md has no place for its values: {BEGIN}{END}"))?;
    let sources = READMES.iter().find(|(name, _)| *name == chart).map_or(&[][..], |(_, sources)| sources);
    let defaults = match text(&format!("{chart}/{DEFAULTS}")) {
        Ok(text) => yaml_serde::from_str(&text).map_err(|error| format!("{chart}/{DEFAULTS}: {error}"))?,
        Err(_) => Value::Null,
    };
    let mut table = String::from("\n| value | default | |\n|---|---|---|\n");
    for (prefix, file) in sources {
        for row in
            rows(&text(&format!("{chart}/{file}"))?, &defaults).map_err(|why| format!("{chart}/{file}: {why}"))?
        {
            let default = if row.default.is_empty() { String::new() } else { format!("`{}`", row.default) };
            let _ = writeln!(table, "| `{prefix}{}` | {default} | {} |", row.name, row.meaning);
        }
    }
    Ok(format!("{head}{BEGIN}{table}\n{END}{tail}"))
}

/// The values in a file, each with the comment above it that begins with `# --`.
fn rows(text: &str, defaults: &Value) -> Result<Vec<Row>, String> {
    let (mut rows, mut path, mut meaning) = (Vec::new(), Vec::<(usize, String)>::new(), String::new());
    let (mut ignores_next, mut ignored) = (false, None::<usize>);
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("# -- ") {
            comment.clone_into(&mut meaning);
        } else if line == "# @ignored" {
            ignores_next = true;
        } else if let Some(comment) = line.strip_prefix("# ").filter(|_| !meaning.is_empty()) {
            meaning = format!("{meaning} {comment}");
        } else if let Some((name, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) {
            path.retain(|(outer, _)| *outer < indent);
            path.push((indent, name.to_owned()));
            ignored = if std::mem::take(&mut ignores_next) { Some(indent) } else { ignored.filter(|at| indent > *at) };
            let value = value.trim();
            if ignored.is_some() || value.is_empty() {
                continue;
            }
            let name = path.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(".");
            if meaning.is_empty() {
                return Err(format!("{name} says nothing of what it is for: write # -- above it"));
            }
            rows.push(Row { default: shown(value, defaults, &path), name, meaning: std::mem::take(&mut meaning) });
        }
    }
    Ok(rows)
}

/// What is written, else what holds where nothing is.
fn shown(value: &str, defaults: &Value, path: &[(usize, String)]) -> String {
    if !matches!(value, "\"\"" | "null" | "{}" | "[]") {
        return value.to_owned();
    }
    let default = path.iter().try_fold(defaults, |value, (_, name)| value.get(name));
    match default {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn text(path: &str) -> Result<String, String> {
    fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_drawn_with_their_comments() {
        let text = "# Of the file.\n# @ignored\nexports:\n  a:\n    b: 1\nouter:\n  # -- None.\n  none: 0\n# -- One.\n# And more.\none: \"\"\nouter:\n  \
                    # -- Two.\n  two: 2\n";
        let row = |name: &str, default: &str, meaning: &str| Row {
            name: name.into(),
            default: default.into(),
            meaning: meaning.into(),
        };
        let rows = rows(text, &json!({"one": "default"})).expect("rows");
        assert_eq!(
            rows,
            [row("outer.none", "0", "None."), row("one", "default", "One. And more."), row("outer.two", "2", "Two.")]
        );
    }

    #[test]
    fn a_value_that_nobody_explains_is_found() {
        let error = rows("outer:\n  one: 1\n", &Value::Null).expect_err("nothing explains it");
        assert!(error.contains("outer.one"), "{error}");
    }
}
