//! Messages that a context could not handle.

use axum::extract::Path;
use axum::response::Response;
use highstreet_wire::proto::operations::{
    DeadLetter, DiscardDeadLetterRequest, GetDeadLetterRequest, ListDeadLettersResponse, ReplayDeadLetterRequest,
};
use maud::{Markup, html};

use super::{answer, unreachable};
use crate::calls::ask;
use crate::fields::Fields;
use crate::frame::{Page, Place};
use crate::lang::Lang;
use crate::my::path_segment;
use crate::part::{self, Look};
use crate::visit::Visit;
use crate::{icon, show};

pub(super) fn list(l: Lang, dead: &ListDeadLettersResponse) -> Markup {
    html! {
        (unreachable(l, &dead.unreachable_contexts))
        @if dead.dead_letters.is_empty() { (part::empty(l.no_dead_letters())) }
        ul.queue {
            @for it in &dead.dead_letters {
                li.low {
                    div {
                        p.what { a href=(path(it)) { (it.source) "." (it.event) " → " (it.context) } }
                        p.said { (it.failures) " " (l.attempts()) " · " (show::time(it.failure_time.as_ref())) }
                        p.error { (it.last_error) }
                    }
                    (buttons(l, it))
                }
            }
        }
    }
}

fn path(letter: &DeadLetter) -> String {
    format!("/operations/letters/{}/{}", path_segment(&letter.context), path_segment(&letter.dead_letter_id))
}

fn buttons(l: Lang, letter: &DeadLetter) -> Markup {
    let hidden = [("context", letter.context.as_str()), ("id", letter.dead_letter_id.as_str())];
    html! {
        div.acts {
            (part::button("/operations/replay", Look::Strong, l.replay(), &letter.event, &hidden))
            (part::button("/operations/discard", Look::Grave, l.discard(), &letter.event, &hidden))
        }
    }
}

/// One of them, with what it says.
pub(super) async fn page(visit: Visit, Path((context, id)): Path<(String, String)>) -> Response {
    let l = visit.lang;
    let request = GetDeadLetterRequest { context, dead_letter_id: id };
    let letter = ask(visit.calls.operations().get_dead_letter(request)).await;
    let letter = letter.map(|answer| answer.dead_letter.unwrap_or_default());
    let body = part::card("letter", icon::BELL, l.dead_letters(), part::asked(l, &letter, |letter| whole(l, letter)));
    let (visit, title) = (&visit, l.dead_letters());
    Page { visit, place: Place::Operations, title, beneath: "", events: None, problem: None }.with(body)
}

fn whole(l: Lang, letter: &DeadLetter) -> Markup {
    let payload = if letter.payload_json.is_empty() { &letter.payload_error } else { &letter.payload_json };
    html! {
        dl.facts {
            (part::fact(l.what_event(), format!("{}.{}", letter.source, letter.event)))
            (part::fact(l.not_handled_by(), &letter.context))
            (part::fact(l.attempts(), letter.failures))
            (part::fact(l.since(), show::time(letter.failure_time.as_ref())))
            (part::fact("correlation", &letter.correlation_id))
        }
        p.error { (letter.last_error) }
        pre.payload tabindex="0" aria-label=(l.payload()) { (payload) }
        (buttons(l, letter))
        p { a href="/operations" { (l.operations()) } }
    }
}

pub(super) async fn replay(visit: Visit, fields: Fields) -> Response {
    let request = ReplayDeadLetterRequest {
        context: fields.get("context").to_owned(),
        dead_letter_id: fields.get("id").to_owned(),
    };
    let done = ask(visit.calls.operations().replay_dead_letter(request)).await.map(drop);
    answer(&visit, fields, "replayed", done).await
}

pub(super) async fn discard(visit: Visit, fields: Fields) -> Response {
    let request = DiscardDeadLetterRequest {
        context: fields.get("context").to_owned(),
        dead_letter_id: fields.get("id").to_owned(),
    };
    let done = ask(visit.calls.operations().discard_dead_letter(request)).await.map(drop);
    answer(&visit, fields, "discarded", done).await
}
