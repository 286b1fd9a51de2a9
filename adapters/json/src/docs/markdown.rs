//! The little Markdown that comments are written in: paragraphs, lists and code.

use std::fmt::Write as _;

use super::html::escaped;

/// A comment as HTML.
pub(super) fn html(comment: &str) -> String {
    let mut html = String::new();
    for block in comment.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        block_html(block, &mut html);
    }
    html
}

/// A paragraph, behind which a list may stand.
fn block_html(block: &str, html: &mut String) {
    let (text, list) = match block.strip_prefix("- ") {
        Some(list) => ("", Some(list)),
        None => block.split_once("\n- ").map_or((block, None), |(text, list)| (text, Some(list))),
    };
    if !text.is_empty() {
        // Writing to a string cannot fail.
        let _ = writeln!(html, "<p>{}</p>", inline(text));
    }
    if let Some(list) = list {
        let items: Vec<_> = list.split("\n- ").map(|item| format!("<li>{}</li>\n", inline(item))).collect();
        let _ = writeln!(html, "<ul>\n{}</ul>", items.concat());
    }
}

/// Text in one line, with `code` and **what matters** in it.
pub(super) fn inline(text: &str) -> String {
    let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let parts = line.split('`').enumerate();
    let part = |(number, part): (usize, &str)| match number % 2 {
        0 => strong(&escaped(part)),
        _ => format!("<code>{}</code>", escaped(part)),
    };
    parts.map(part).collect()
}

fn strong(html: &str) -> String {
    let part = |(number, part): (usize, &str)| match number % 2 {
        0 => part.to_owned(),
        _ => format!("<strong>{part}</strong>"),
    };
    html.split("**").enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_paragraphs_and_lists() {
        let comment = "Places <it>\nand `pays & goes`.\n\nErrors:\n- `A`, one\n  more line.\n- **two**";
        let expected = "<p>Places &lt;it&gt; and <code>pays &amp; goes</code>.</p>\n<p>Errors:</p>\n<ul>\n\
                        <li><code>A</code>, one more line.</li>\n<li><strong>two</strong></li>\n</ul>\n";
        assert_eq!(html(comment), expected);
        assert_eq!(html("- a"), "<ul>\n<li>a</li>\n</ul>\n");
        assert_eq!(html(""), "");
    }
}
