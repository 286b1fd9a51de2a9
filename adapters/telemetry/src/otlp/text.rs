//! Reads Prometheus' text format, as this process writes it.

use std::collections::BTreeMap;

/// Names and values.
pub(super) type Labels = Vec<(String, String)>;

/// A metric, as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Family {
    pub(super) kind: String,
    pub(super) help: String,
    /// What it said, by the end of the series' name and by labels.
    pub(super) samples: Vec<Sample>,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// What stands behind the metric's name: `_bucket`, `_sum`, `_count` or nothing.
    pub(super) end: &'static str,
    pub(super) labels: Labels,
    pub(super) value: f64,
}

const ENDS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The metrics of a text, by name.
pub(super) fn read(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.into()).or_default().help = help.replace("\\n", "\n").replace("\\\\", "\\");
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.into()).or_default().kind = kind.into();
        } else if let Some((series, labels, value)) = sample(line) {
            let histogram = ENDS.iter().find_map(|end| {
                let name = series.strip_suffix(end)?;
                families.get(name).filter(|family| family.kind == "histogram").map(|_| (name, *end))
            });
            let (name, end) = histogram.unwrap_or((series, ""));
            families.entry(name.into()).or_default().samples.push(Sample { end, labels, value });
        }
    }
    families
}

/// `name{label="value",…} value`.
fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let end = line.find(['{', ' ']).filter(|_| !line.starts_with('#'))?;
    let (series, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.push((label.to_owned(), value));
            rest = after;
        }
        rest = &rest[1..];
    }
    Some((series, labels, rest.trim().parse().ok()?))
}

/// What stands before the closing quote, without escapes, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[place + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let text = "# HELP calls How long.\n# TYPE calls histogram\ncalls_bucket{to=\"a \\\"b\\\"\",le=\"+Inf\"} 3\n\
                    calls_sum{to=\"a\"} 0.5\n# TYPE depth_count gauge\ndepth_count 7\n\nnonsense\n";
        let families = read(text);
        let calls = &families["calls"];
        assert_eq!((calls.kind.as_str(), calls.help.as_str()), ("histogram", "How long."));
        let labels = vec![("to".to_owned(), "a \"b\"".to_owned()), ("le".to_owned(), "+Inf".to_owned())];
        assert_eq!(calls.samples[0], Sample { end: "_bucket", labels, value: 3.0 });
        assert_eq!(calls.samples[1].end, "_sum");
        assert_eq!(families["depth_count"].samples, [Sample { value: 7.0, ..Sample::default() }]);
        assert_eq!(families.len(), 2);
    }
}
