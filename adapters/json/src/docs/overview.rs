//! The first page: how to call, and who may call what.

use super::html::table;
use super::markdown::{html, inline};
use super::roles;
use crate::access;
use crate::api::Api;
use crate::openapi::{DESCRIPTION, context, first_sentence};
use crate::rule::rules;

/// One row of the table of roles: an RPC, where it is over HTTP, and a mark for each role.
pub(crate) struct Row {
    pub(crate) context: String,
    pub(crate) name: String,
    pub(crate) http: String,
    pub(crate) marks: Vec<&'static str>,
    pub(crate) contexts: String,
}

pub(super) fn body(api: &Api) -> String {
    let services = api.services().into_iter().map(|service| {
        let name = context(service.package_name());
        let link = format!("<a href=\"/docs/{name}\">{name}</a>");
        vec![link, inline(&first_sentence(api.comments.of(&service))), service.methods().len().to_string()]
    });
    format!(
        "<h1>Highstreet API</h1>\n{}<h2 id=\"services\">Services</h2>\n{}<h2 id=\"roles\">Who may call what</h2>\n{}{}",
        html(DESCRIPTION),
        table(&["service", "what it does", "RPCs"], services),
        html(conventions()),
        table_of_roles(api),
    )
}

fn table_of_roles(api: &Api) -> String {
    let (roles, rows) = roles_table(api);
    let heads: Vec<&str> =
        ["RPC", "HTTP"].into_iter().chain(roles.iter().map(String::as_str)).chain(["contexts"]).collect();
    table(
        &heads,
        rows.into_iter().map(|row| {
            let link = format!("<a href=\"/docs/{}#{}\">{}.{}</a>", row.context, row.name, row.context, row.name);
            let marks = row.marks.into_iter().map(str::to_owned);
            let http = format!("<code>{}</code>", super::html::escaped(&row.http));
            [link, http].into_iter().chain(marks).chain([row.contexts]).collect()
        }),
    )
}

/// What the marks mean.
pub(crate) fn conventions() -> &'static str {
    "`yes`: for all data of their shops. `own`: for what is their own, made for their phone number or name; what is \
     somebody else's does not exist for them. Empty: not at all. The last column names the contexts that call it with \
     the mesh's own identity."
}

/// The roles, and who may call each RPC.
pub(crate) fn roles_table(api: &Api) -> (Vec<String>, Vec<Row>) {
    let roles = roles(api);
    let mut rows = Vec::new();
    for service in api.services() {
        for method in service.methods() {
            let access = access::of(&method);
            // They were read when the API was.
            let rules = rules(&method).unwrap_or_default();
            rows.push(Row {
                context: context(service.package_name()).to_owned(),
                name: method.name().to_owned(),
                http: rules.first().map(|rule| format!("{} {}", rule.method, rule.template)).unwrap_or_default(),
                marks: roles.iter().map(|role| access.mark(role)).collect(),
                contexts: access.contexts(),
            });
        }
    }
    (roles, rows)
}
