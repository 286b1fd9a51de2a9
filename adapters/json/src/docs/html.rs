//! What every page has around its own words.

use std::fmt::Write as _;

use super::SHARED;
use crate::api::Api;
use crate::openapi::context;

/// A page whose title is `name`, the overview if that is empty.
pub(super) fn page(api: &Api, name: &str, body: &str) -> String {
    let title = if name.is_empty() { "Highstreet API".to_owned() } else { format!("{name} · Highstreet API") };
    let mut links = link("/docs", "Overview", name.is_empty());
    for service in api.services() {
        let context = context(service.package_name());
        links.push_str(&link(&format!("/docs/{context}"), context, context == name));
    }
    links.push_str(&link(&format!("/docs/{SHARED}"), "shared types", name == SHARED));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\">\n</head>\n<body>\n\
         <nav aria-label=\"Services\">\n<p class=\"brand\"><a href=\"/docs\">Highstreet API</a></p>\n<ul>\n{links}</ul>\n\
         <p class=\"aside\"><a href=\"/openapi.json\">openapi.json</a></p>\n</nav>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn link(to: &str, text: &str, here: bool) -> String {
    let here = if here { " aria-current=\"page\"" } else { "" };
    format!("<li><a href=\"{to}\"{here}>{text}</a></li>\n")
}

/// Text as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// A table; its cells are HTML.
pub(super) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut html = String::from("<div class=\"wide\"><table>\n<thead><tr>");
    for head in heads {
        // Writing to a string cannot fail.
        let _ = write!(html, "<th scope=\"col\">{head}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            let _ = write!(html, "<td>{cell}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}
