//! What pages are put together from.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, Render, html};
use tonic::Status;

use crate::icon::Icon;
use crate::lang::Lang;
use crate::problem::{self, Problem};

/// A field of a form.
pub(crate) struct Input<'a> {
    /// As the service calls it.
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) kind: Kind,
    /// What stands in it to begin with.
    pub(crate) value: &'a str,
}

/// What goes into a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Phone,
    Whole,
    /// May be left empty.
    Optional,
    /// A date and a time of day, in Korea. May be left empty.
    Moment,
}

/// How much a button asks to be pressed.
#[derive(Clone, Copy)]
pub(crate) enum Look {
    Strong,
    Plain,
    Grave,
}

/// A form of several fields, which knows what went wrong when it was last sent.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) name: &'static str,
    pub(crate) problem: Option<&'a Problem>,
}

/// A section of a page with a title.
pub(crate) fn card(id: &str, icon: Icon, title: &str, body: Markup) -> Markup {
    let heading = format!("{id}-title");
    html! {
        section.card id=(id) aria-labelledby=(heading) {
            h2 id=(heading) { (icon) span { (title) } }
            (body)
        }
    }
}

/// A section of what a service says, or why it does not.
pub(crate) fn asked<T>(l: Lang, answer: &Result<T, Status>, draw: impl FnOnce(&T) -> Markup) -> Markup {
    match answer {
        Ok(answer) => draw(answer),
        Err(status) => problem::missing(l, status),
    }
}

/// The part of a page that is drawn anew when something happens. `path` is the page it is on;
/// `every` so often it is drawn even if nothing was heard.
pub(crate) fn live(path: &str, every: &str, body: Markup) -> Markup {
    html! {
        div #live hx-get=(path) hx-trigger=(format!("refresh, every {every}")) hx-select="#live" hx-target="this" hx-swap="outerMorph" {
            (body)
        }
    }
}

/// Where there is nothing to show.
pub(crate) fn empty(text: &str) -> Markup {
    html! { p.empty { (text) } }
}

/// How far something has come.
pub(crate) fn badge(l: Lang, status: &str) -> Markup {
    let tone = match status {
        "CANCELLED" | "FAILED" | "DECLINED" | "EXPIRED" | "LOW" | "NOT_SERVING" => "bad",
        "COMPLETED" | "CONFIRMED" | "RECEIVED" | "DELIVERED" | "COLLECTED" | "READY" | "SERVING" | "SENT" | "OK" => {
            "good"
        }
        "PAID" | "APPROVED" | "SHIPPED" | "ISSUED" | "PURCHASED" => "busy",
        _ => "calm",
    };
    html! { span.badge.(tone) { (l.status(status).unwrap_or(status)) } }
}

/// The status behind an enum value's name: `PAID` of `ORDER_STATUS_PAID`.
pub(crate) fn status(name: &str) -> &str {
    name.split_once("_STATUS_").map_or(name, |(_, status)| status)
}

/// A button that is a form of its own. Where scripts run, the page changes in place.
pub(crate) fn button(path: &str, look: Look, label: &str, about: &str, hidden: &[(&str, &str)]) -> Markup {
    html! {
        form.act method="post" action=(path) hx-post=(path) hx-disable="find button" {
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            button type="submit" class=(look.class()) { (label) @if !about.is_empty() { span.hidden { ": " (about) } } }
        }
    }
}

/// Goes back to a page, to say what was done.
pub(crate) fn back(page: &str, done: &str, anchor: &str) -> Response {
    Redirect::to(&format!("{page}?done={done}#{anchor}")).into_response()
}

// === impl Look ===

impl Look {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Strong => "button strong",
            Self::Plain => "button",
            Self::Grave => "button grave",
        }
    }
}

// === impl Form ===

impl Form<'_> {
    /// The id that makes a double click one request.
    pub(crate) fn request_id(self) -> Markup {
        html! { input type="hidden" name="request_id" value=(problem::request_id(self.problem, self.name)); }
    }

    /// What a field holds: what was sent, or what it begins with.
    pub(crate) fn value(self, name: &str, first: &str) -> String {
        self.problem.and_then(|problem| problem.of_field(self.name, name)).map_or(first, |(value, _)| value).to_owned()
    }

    pub(crate) fn input(self, input: Input<'_>) -> Markup {
        let (id, value) = (format!("{}-{}", self.name, input.name), self.value(input.name, input.value));
        let wrong = self.problem.and_then(|problem| problem.of_field(self.name, input.name)).and_then(|(_, why)| why);
        let why = format!("{id}-why");
        let (kind, mode) = input.kind.written();
        html! {
            div.field {
                label for=(id) { (input.label) }
                input id=(id) name=(input.name) type=(kind) inputmode=[mode] value=(value) autocomplete="off"
                    required[!matches!(input.kind, Kind::Optional | Kind::Moment)]
                    min=[(input.kind == Kind::Whole).then_some("1")]
                    aria-invalid=[wrong.map(|_| "true")] aria-describedby=[wrong.map(|_| why.as_str())];
                @if let Some(wrong) = wrong { p.why id=(why) { (wrong) } }
            }
        }
    }
}

// === impl Kind ===

impl Kind {
    const fn written(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Text => ("text", None),
            Self::Phone => ("text", Some("tel")),
            Self::Whole => ("number", Some("numeric")),
            Self::Optional => ("text", None),
            Self::Moment => ("datetime-local", None),
        }
    }
}

/// `2 × Latte, 1 × Espresso`.
pub(crate) fn lines<'a>(lines: impl Iterator<Item = (i32, &'a str)>) -> String {
    lines.map(|(quantity, name)| format!("{quantity} × {name}")).collect::<Vec<_>>().join(", ")
}

/// Something, and what it is called.
pub(crate) fn fact(label: &str, value: impl Render) -> Markup {
    html! { div.fact { dt { (label) } dd { (value) } } }
}
