//! What is around every page.

use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::assets::{HTMX, ICON, SCRIPT, STYLE};
use crate::icon::{self, Icon};
use crate::lang::Lang;
use crate::problem::Problem;
use crate::visit::{Passer, Role, Visit};

/// What visitors have opened stays open when a page is drawn anew.
const HTMX_SETTINGS: &str =
    r#"{"includeIndicatorCSS":false,"history":false,"morphIgnore":["data-htmx-powered","open"]}"#;

/// Where a visitor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Street,
    My,
    Cafe,
    Cinema,
    Library,
    Counter,
    Board,
    Operations,
}

/// A page of somebody signed in.
pub(crate) struct Page<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) place: Place,
    pub(crate) title: &'a str,
    /// Whose page this is, or where; under the title.
    pub(crate) beneath: &'a str,
    /// Which stream tells that the page is to be drawn anew.
    pub(crate) events: Option<&'a str>,
    pub(crate) problem: Option<&'a Problem>,
}

/// A page that says one thing to anybody.
pub(crate) fn notice(passer: &Passer, title: &str, text: &str) -> Markup {
    let (l, passer) = (passer.lang, &passer.on("/"));
    let body = html! {
        section.card.notice { h1 { (title) } p { (text) } p { a.button.strong href="/" { (l.to_the_start()) } } }
    };
    document(passer, Place::Street, title, None, html! {}, html! { main #page { (body) } })
}

/// Everything from `<html>` on.
pub(crate) fn document(
    passer: &Passer,
    place: Place,
    title: &str,
    events: Option<&str>,
    links: Markup,
    main: Markup,
) -> Markup {
    let l = passer.lang;
    html! {
        (DOCTYPE)
        html lang=(l.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX_SETTINGS);
                title { (title) " · Highstreet" }
                link rel="icon" href=(ICON.path) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.path);
                script src=(HTMX.path) defer {}
                script src=(SCRIPT.path) defer {}
            }
            body.(place.class()) data-events=[events] {
                a.skip href="#page" { (l.skip()) }
                header.top {
                    a.brand href="/" { (mark()) span { "Highstreet" } }
                    (links)
                    (language(l, &passer.path))
                }
                div.awning aria-hidden="true" {}
                (main)
                footer.foot { p { (l.foot()) } }
            }
        }
    }
}

fn language(l: Lang, path: &str) -> Markup {
    let other = l.other();
    html! {
        form.language method="post" action="/lang" {
            input type="hidden" name="back" value=(path);
            button type="submit" name="lang" value=(other.tag()) lang=(other.tag()) title=(other.in_this_language()) {
                (other.own_name())
            }
        }
    }
}

/// The street's own mark: a row of awnings.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width="30" height="30" aria-hidden="true" focusable="false" {
            rect x="3" y="12" width="26" height="16" rx="3" class="mark-wall" {}
            path class="mark-one" d="M4 4h8v9a4 4 0 0 1-8 0V4Z" {}
            path class="mark-two" d="M12 4h8v9a4 4 0 0 1-8 0V4Z" {}
            path class="mark-three" d="M20 4h8v9a4 4 0 0 1-8 0V4Z" {}
            path class="mark-door" d="M13 28v-7a3 3 0 0 1 6 0v7Z" {}
        }
    }
}

// === impl Page ===

impl Page<'_> {
    /// The page with this in it.
    pub(crate) fn with(self, body: Markup) -> Response {
        let l = self.visit.lang;
        // A form that was refused is at an address of its own, where no page is.
        let path = if self.problem.is_some() { self.place.path() } else { &self.visit.passer.path };
        let passer = &self.visit.passer.on(path);
        let done = l.done(self.visit.asked.get("done")).filter(|_| self.problem.is_none());
        let main = html! {
            main #page tabindex="-1" hx-target:inherited="#page" hx-select:inherited="#page" hx-swap:inherited="outerMorph" {
                div.head {
                    div {
                        h1 { (self.title) }
                        p.beneath { (self.beneath) @if self.events.is_some() { (self.live_mark()) } }
                    }
                }
                @if let Some(done) = done { p.toast role="status" { (done) } }
                @if let Some(problem) = self.problem { (problem.banner(l)) }
                (body)
            }
        };
        let page = document(passer, self.place, self.title, self.events, self.links(), main);
        match self.problem {
            Some(problem) => problem.answer(page),
            None => page.into_response(),
        }
    }

    fn live_mark(&self) -> Markup {
        html! { span.live-mark { span.live-dot aria-hidden="true" {} (self.visit.lang.live()) } }
    }

    fn links(&self) -> Markup {
        let l = self.visit.lang;
        html! {
            nav.tabs aria-label=(l.pages()) {
                @for place in Place::of(self.visit) {
                    a href=(place.path()) aria-current=[(place == self.place).then_some("page")] {
                        (place.icon()) span { (place.name(l)) }
                    }
                }
            }
            a.who href="/account" { (icon::PERSON) span.hidden { (l.account()) ": " } span.name { (self.visit.who.name) } }
        }
    }
}

// === impl Place ===

impl Place {
    /// The pages that somebody has a use for.
    fn of(visit: &Visit) -> Vec<Self> {
        let all = [Self::My, Self::Cafe, Self::Counter, Self::Board, Self::Cinema, Self::Library, Self::Operations];
        let roles = &visit.who.roles;
        all.into_iter().filter(|place| roles.iter().any(|role| place.is_for(*role))).collect()
    }

    const fn is_for(self, role: Role) -> bool {
        match role {
            Role::Customer => matches!(self, Self::My | Self::Cafe | Self::Cinema | Self::Library),
            Role::Staff => matches!(self, Self::Counter | Self::Cinema | Self::Library),
            Role::Owner => matches!(self, Self::Board | Self::Counter | Self::Cinema | Self::Library),
            Role::HeadOffice => matches!(self, Self::Counter),
            Role::Operator => matches!(self, Self::Operations),
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Street => "/",
            Self::My => "/my",
            Self::Cafe => "/cafe",
            Self::Cinema => "/cinema",
            Self::Library => "/library",
            Self::Counter => "/counter",
            Self::Board => "/board",
            Self::Operations => "/operations",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Street => "street",
            Self::My => "my",
            Self::Cafe => "cafe",
            Self::Cinema => "cinema",
            Self::Library => "library",
            Self::Counter => "counter",
            Self::Board => "board",
            Self::Operations => "operations",
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Street | Self::Counter => icon::COUNTER,
            Self::My => icon::PERSON,
            Self::Cafe => icon::CUP,
            Self::Cinema => icon::FILM,
            Self::Library => icon::BOOK,
            Self::Board => icon::CHART,
            Self::Operations => icon::PULSE,
        }
    }

    pub(crate) const fn name(self, l: Lang) -> &'static str {
        match self {
            Self::Street => "Highstreet",
            Self::My => l.my_page(),
            Self::Cafe => l.cafe(),
            Self::Cinema => l.cinema(),
            Self::Library => l.library(),
            Self::Counter => l.counter(),
            Self::Board => l.board(),
            Self::Operations => l.operations(),
        }
    }
}
