//! Operations: how the contexts are, what they wait for, and what they could not handle.

mod letters;
mod vitals;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::operations::{
    AbandonStepRequest, ListDeadLettersRequest, ListPendingStepsRequest, ListPendingStepsResponse, PendingStep,
    RetryStepRequest,
};
use maud::{Markup, html};
use tonic::Status;

use crate::calls::ask;
use crate::fields::Fields;
use crate::frame::{Page, Place};
use crate::lang::Lang;
use crate::part::{self, Look, back};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{Console, icon, show};
use vitals::Contexts;

const PATH: &str = "/operations";
/// How many steps and letters are shown.
const SHOWN: i32 = 100;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/operations", get(page))
        .route("/operations/retry", post(retry))
        .route("/operations/abandon", post(abandon))
        .route("/operations/letters/{context}/{id}", get(letters::page))
        .route("/operations/replay", post(letters::replay))
        .route("/operations/discard", post(letters::discard))
}

async fn page(visit: Visit) -> Response {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, problem: Option<Problem>) -> Response {
    let l = visit.lang;
    let waiting = ListPendingStepsRequest { page_size: SHOWN, ..ListPendingStepsRequest::default() };
    let dead = ListDeadLettersRequest { page_size: SHOWN, ..ListDeadLettersRequest::default() };
    let (mut of_steps, mut of_letters) = (visit.calls.operations(), visit.calls.operations());
    let (contexts, waiting, dead) = tokio::join!(
        Contexts::of(visit),
        ask(of_steps.list_pending_steps(waiting)),
        ask(of_letters.list_dead_letters(dead))
    );
    let body = part::live(
        PATH,
        "5s",
        html! {
            (part::card("health", icon::PULSE, l.contexts(), contexts.tiles(l)))
            (part::card("calls", icon::ROUTE, l.calls_between(), contexts.calls(l)))
            (part::card("steps", icon::LIST, l.pending_steps(), part::asked(l, &waiting, |it| steps(l, it))))
            (part::card("letters", icon::BELL, l.dead_letters(), part::asked(l, &dead, |it| letters::list(l, it))))
        },
    );
    let (title, problem) = (l.operations(), problem.as_ref());
    Page { visit, place: Place::Operations, title, beneath: "", events: None, problem }.with(body)
}

fn steps(l: Lang, waiting: &ListPendingStepsResponse) -> Markup {
    html! {
        (unreachable(l, &waiting.unreachable_contexts))
        @if waiting.steps.is_empty() { (part::empty(l.nothing_waits())) }
        ul.queue { @for it in &waiting.steps { (step(l, it)) } }
    }
}

fn step(l: Lang, step: &PendingStep) -> Markup {
    let subject = step.subject.clone().unwrap_or_default();
    let what = format!("{} · {}", subject.context, if step.step.is_empty() { &step.aggregate } else { &step.step });
    let hidden = [("context", subject.context.as_str()), ("id", subject.id.as_str()), ("step", step.step_id.as_str())];
    html! {
        li.low[step.attempts > 0] id=(format!("step-{}", subject.id)) {
            div {
                p.what { (what) " " @if step.attempts > 0 { span.badge.bad { (step.attempts) " " (l.attempts()) } } }
                p.said { code { (subject.id) } " · " (l.since()) " " (show::time(step.since.as_ref())) }
                @if let Some(deadline) = &step.deadline { p.said { (l.waits_for()) " " (show::time(Some(deadline))) } }
                @if !step.last_error.is_empty() { p.error { (step.last_error) } }
            }
            @if step.deadline.is_none() {
                div.acts {
                    (part::button("/operations/retry", Look::Strong, l.retry(), &what, &hidden))
                    (part::button("/operations/abandon", Look::Grave, l.abandon(), &what, &hidden))
                }
            }
        }
    }
}

/// Contexts that did not answer.
fn unreachable(l: Lang, contexts: &[String]) -> Markup {
    html! {
        @if !contexts.is_empty() { p.missing role="status" { (l.no_answer()) ": " strong { (contexts.join(", ")) } } }
    }
}

fn subject(fields: &Fields) -> Reference {
    Reference { context: fields.get("context").to_owned(), id: fields.get("id").to_owned() }
}

async fn retry(visit: Visit, fields: Fields) -> Response {
    let request = RetryStepRequest { subject: Some(subject(&fields)), step_id: fields.get("step").to_owned() };
    let done = ask(visit.calls.operations().retry_step(request)).await.map(drop);
    answer(&visit, fields, "retried", done).await
}

async fn abandon(visit: Visit, fields: Fields) -> Response {
    let request = AbandonStepRequest { subject: Some(subject(&fields)), step_id: fields.get("step").to_owned() };
    let done = ask(visit.calls.operations().abandon_step(request)).await.map(drop);
    answer(&visit, fields, "abandoned", done).await
}

async fn answer(visit: &Visit, fields: Fields, done: &str, result: Result<(), Status>) -> Response {
    match result {
        Ok(()) => back(PATH, done, "page"),
        Err(status) => draw(visit, Some(Problem::new("operations", fields, &status))).await,
    }
}
