//! The page of a service: its RPCs, its messages, and what it publishes.

use std::fmt::Write as _;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

use super::example::{curl, grpcurl};
use super::html::{escaped, table};
use super::markdown::{html, inline};
use super::{SHARED, SHARED_PACKAGES};
use crate::access;
use crate::api::Api;
use crate::openapi::{context, is_required};
use crate::rule::rules;

pub(super) fn body(api: &Api, service: &ServiceDescriptor) -> String {
    let mut page = format!("<h1>{}</h1>\n{}", service.name(), html(api.comments.of(service)));
    let _ = writeln!(page, "<p class=\"aside\"><code>{}</code></p>\n{}", service.full_name(), contents(service));
    service.methods().for_each(|method| page.push_str(&rpc(api, &method)));
    let messages: Vec<_> = service.parent_file().messages().filter(|message| !is_exchange(service, message)).collect();
    if !messages.is_empty() {
        page.push_str("<h2 id=\"messages\">Messages</h2>\n");
        for message in &messages {
            page.push_str(&section(api, message));
        }
    }
    service.parent_file().enums().for_each(|names| page.push_str(&enumeration(api, &names)));
    page.push_str(&events(api, service));
    page
}

fn contents(service: &ServiceDescriptor) -> String {
    let link = |name: &str| format!("<li><a href=\"#{name}\">{name}</a></li>\n");
    let links: Vec<_> = service.methods().map(|method| link(method.name())).collect();
    format!("<ul class=\"contents\">\n{}</ul>\n", links.concat())
}

/// Whether a message is just what an RPC takes or gives.
fn is_exchange(service: &ServiceDescriptor, message: &MessageDescriptor) -> bool {
    service.methods().any(|method| [method.input(), method.output()].contains(message))
}

fn rpc(api: &Api, method: &MethodDescriptor) -> String {
    // They were read when the API was.
    let rules = rules(method).unwrap_or_default();
    let mut section = format!("<section id=\"{0}\">\n<h2><a href=\"#{0}\">{0}</a></h2>\n", method.name());
    for rule in &rules {
        let template = escaped(&rule.template.to_string());
        let _ = writeln!(section, "<p class=\"http\"><b>{}</b> <code>{template}</code></p>", rule.method);
    }
    section.push_str(&html(api.comments.of(method)));
    let _ = writeln!(section, "<p class=\"access\"><b>May call:</b> {}</p>", access::of(method));
    let _ = write!(section, "<h3>Request</h3>\n{}", fields(api, &method.input()));
    let stream = if method.is_server_streaming() { ", a stream of them" } else { "" };
    let _ = write!(section, "<h3>Answer{stream}</h3>\n{}", fields(api, &method.output()));
    if let Some(rule) = rules.first() {
        let _ = writeln!(section, "<pre><code>{}</code></pre>", escaped(&curl(api, method, rule)));
    }
    let _ = writeln!(section, "<pre><code>{}</code></pre>\n</section>", escaped(&grpcurl(api, method)));
    section
}

fn section(api: &Api, message: &MessageDescriptor) -> String {
    let said = html(api.comments.of(message));
    format!("<section id=\"{0}\">\n<h3>{0}</h3>\n{said}{1}</section>\n", message.name(), fields(api, message))
}

fn fields(api: &Api, message: &MessageDescriptor) -> String {
    if message.fields().len() == 0 {
        return "<p>No fields.</p>\n".into();
    }
    let row = |field: FieldDescriptor| {
        let mark = if is_required(&field) { " <span class=\"required\">required</span>" } else { "" };
        let rivals = field.containing_oneof().filter(|oneof| oneof.fields().len() > 1);
        let rivals = rivals.map(|oneof| format!(" <span class=\"oneof\">one of {}</span>", oneof.name()));
        vec![
            format!("<code>{}</code>{mark}{}", field.json_name(), rivals.unwrap_or_default()),
            kind(&field),
            inline(api.comments.of(&field)),
        ]
    };
    table(&["field", "type", "meaning"], message.fields().map(row))
}

/// What a field holds, with a link to where that is told.
fn kind(field: &FieldDescriptor) -> String {
    let name = match field.kind() {
        Kind::Message(message) => linked(field, message.package_name(), message.name()),
        Kind::Enum(names) => linked(field, names.package_name(), names.name()),
        other => format!("{other:?}"),
    };
    if field.is_list() { format!("list of {name}") } else { name }
}

fn linked(field: &FieldDescriptor, package: &str, name: &str) -> String {
    let here = field.parent_message();
    if SHARED_PACKAGES.contains(&package) {
        return format!("<a href=\"/docs/{SHARED}#{name}\">{name}</a>");
    }
    match package == here.package_name() {
        true => format!("<a href=\"#{name}\">{name}</a>"),
        false if package.starts_with("google.") => name.to_owned(),
        false => format!("<a href=\"/docs/{}#{name}\">{name}</a>", context(package)),
    }
}

/// The page of what every service uses: its messages and enums, and the details of errors.
pub(super) fn shared(api: &Api) -> String {
    let mut page = String::from("<h1>Shared types</h1>\n<p>What every service uses with the same meaning.</p>\n");
    for package in SHARED_PACKAGES {
        let _ = writeln!(page, "<h2><code>{package}</code></h2>");
        for file in api.pool.files().filter(|file| file.package_name() == package) {
            file.messages().for_each(|message| page.push_str(&section(api, &message)));
            file.enums().for_each(|names| page.push_str(&enumeration(api, &names)));
        }
    }
    page
}

fn enumeration(api: &Api, names: &EnumDescriptor) -> String {
    let row = |value: prost_reflect::EnumValueDescriptor| {
        vec![format!("<code>{}</code>", value.name()), value.number().to_string(), inline(api.comments.of(&value))]
    };
    let values = table(&["value", "number", "meaning"], names.values().map(row));
    format!("<section id=\"{0}\">\n<h3>{0}</h3>\n{1}{values}</section>\n", names.name(), html(api.comments.of(names)))
}

/// What the service's context tells all others.
fn events(api: &Api, service: &ServiceDescriptor) -> String {
    let file = service.parent_file().name().rsplit_once('/').map(|(folder, _)| format!("{folder}/events.proto"));
    let Some(file) = file.and_then(|name| api.pool.get_file_by_name(&name)) else { return String::new() };
    let mut page = String::from("<h2 id=\"events\">Events</h2>\n");
    let context = context(service.package_name());
    let _ = writeln!(
        page,
        "<p>Published on <code>highstreet.{context}.v1.EVENT.ID</code>, as CloudEvents whose body is the protobuf \
         message.</p>"
    );
    file.messages().for_each(|event| page.push_str(&section(api, &event)));
    file.enums().for_each(|names| page.push_str(&enumeration(api, &names)));
    page
}
