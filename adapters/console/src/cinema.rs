//! The cinema: what is shown, and seats to book, before or after paying.

mod seats;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use highstreet_wire::proto::seating::{ListScreeningsRequest, OpenScreeningRequest, Screening};
use maud::{Markup, html};
use prost_types::Timestamp;
use tonic::Status;

use crate::calls::ask;
use crate::fields::Fields;
use crate::frame::{Page, Place};
use crate::lang::Lang;
use crate::my::path_segment;
use crate::part::{self, Form, Input, Kind, back};
use crate::problem::Problem;
use crate::visit::{Role, Visit};
use crate::{Console, icon, show};

const PATH: &str = "/cinema";
const OPEN: &str = "open";

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/cinema", get(page))
        .route("/cinema/screenings", post(open))
        .route("/cinema/{screening}", get(seats::page))
        .route("/cinema/{screening}/book", post(seats::book))
        .route("/cinema/{screening}/reserve", post(seats::reserve))
        .route("/cinema/{screening}/choose", post(seats::choose))
}

async fn page(visit: Visit) -> Response {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, problem: Option<Problem>) -> Response {
    let l = visit.lang;
    let request = ListScreeningsRequest {
        shop_id: visit.shops.cinema.clone(),
        page_size: 60,
        ..ListScreeningsRequest::default()
    };
    let screenings = ask(visit.calls.seating().list_screenings(request)).await.map(|answer| answer.screenings);
    let problem = problem.as_ref();
    let body = html! {
        (part::asked(l, &screenings, |screenings| posters(l, screenings)))
        @if visit.who.is_any_of(&[Role::Owner]) {
            (part::card("open", icon::FILM, l.open_screening(), opening(l, problem)))
        }
    };
    let (title, beneath) = (l.cinema(), visit.shops.cinema.as_str());
    Page { visit, place: Place::Cinema, title, beneath, events: None, problem }.with(body)
}

fn posters(l: Lang, screenings: &[Screening]) -> Markup {
    html! {
        @if screenings.is_empty() { section.card { (part::empty(l.no_screenings())) } }
        ul.posters {
            @for (index, it) in screenings.iter().enumerate() {
                li class=(format!("poster poster-{}", index % 4)) {
                    a href=(format!("{PATH}/{}", path_segment(&it.screening_id))) {
                        span.poster-art aria-hidden="true" { (icon::FILM) }
                        span.poster-film { (film(it)) }
                        span.said {
                            @if it.starts_at.is_some() { (show::time(it.starts_at.as_ref())) " · " }
                            @if !it.hall.is_empty() { (it.hall) " · " }
                            (it.rows * it.seats_per_row) " " (l.seats())
                        }
                    }
                }
            }
        }
    }
}

/// What is shown; the screening's own name where nobody said.
fn film(screening: &Screening) -> &str {
    if screening.movie_name.is_empty() { &screening.screening_id } else { &screening.movie_name }
}

fn opening(l: Lang, problem: Option<&Problem>) -> Markup {
    let form = Form { name: OPEN, problem };
    html! {
        form.stacked method="post" action="/cinema/screenings" {
            (form.request_id())
            div.pair {
                (form.input(Input { name: "movie_name", label: l.film(), kind: Kind::Text, value: "" }))
                (form.input(Input { name: "screening_id", label: l.screening_id(), kind: Kind::Text, value: "" }))
            }
            div.pair {
                (form.input(Input { name: "hall", label: l.hall(), kind: Kind::Optional, value: "1" }))
                (form.input(Input { name: "starts_at", label: l.starts_at(), kind: Kind::Moment, value: "" }))
            }
            div.pair {
                (form.input(Input { name: "rows", label: l.rows(), kind: Kind::Whole, value: "6" }))
                (form.input(Input { name: "seats_per_row", label: l.seats_per_row(), kind: Kind::Whole, value: "8" }))
            }
            button.button.strong type="submit" { (l.open_screening()) }
        }
    }
}

async fn open(visit: Visit, fields: Fields) -> Response {
    let written = fields.get("starts_at");
    let starts_at = show::Clock::read(written).map(|clock| Timestamp { seconds: clock.seconds_of_unix(), nanos: 0 });
    if starts_at.is_none() && !written.is_empty() {
        let problem = Problem::field(OPEN, fields, "starts_at", visit.lang.write_time_like_this());
        return draw(&visit, Some(problem)).await;
    }
    let request = OpenScreeningRequest {
        shop_id: visit.shops.cinema.clone(),
        screening_id: fields.get("screening_id").to_owned(),
        movie_name: fields.get("movie_name").to_owned(),
        hall: fields.get("hall").to_owned(),
        starts_at,
        rows: fields.number("rows"),
        seats_per_row: fields.number("seats_per_row"),
        request_id: fields.request_id(),
    };
    let opened: Result<_, Status> = ask(visit.calls.seating().open_screening(request)).await;
    match opened {
        Ok(_) => back(PATH, "opened", "page"),
        Err(status) => draw(&visit, Some(Problem::new(OPEN, fields, &status))).await,
    }
}
