//! The seats of one screening.

use axum::extract::Path;
use axum::response::Response;
use highstreet_wire::proto::booking::{CreateBookingRequest, GetBookingRequest, SelectSeatsRequest};
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::seating::{GetScreeningRequest, Screening, Seat, SeatStatus};
use maud::{Markup, html};
use tonic::Code;

use super::film;
use crate::calls::ask;
use crate::fields::Fields;
use crate::frame::{Page, Place};
use crate::icon;
use crate::lang::Lang;
use crate::my::path_segment;
use crate::part::{self, Form, Input, Kind, back};
use crate::problem::{self, Problem};
use crate::show::{self, won};
use crate::visit::Visit;

/// What a seat costs, in won.
const PRICE: i64 = 12_000;
const SEATS: &str = "seats";
const LATER: &str = "later";

/// What seats are chosen for.
enum Choice<'a> {
    /// A new booking.
    New,
    /// One that is paid and has none yet: its id, and how many.
    Paid(&'a str, i32),
}

pub(super) async fn page(visit: Visit, Path(screening): Path<String>) -> Response {
    draw(&visit, &screening, None).await
}

async fn draw(visit: &Visit, screening_id: &str, problem: Option<Problem>) -> Response {
    let l = visit.lang;
    let request = GetScreeningRequest { shop_id: visit.shops.cinema.clone(), screening_id: screening_id.to_owned() };
    let screening = ask(visit.calls.seating().get_screening(request)).await;
    let booking = match problem.as_ref().and_then(|problem| problem.values(SEATS)) {
        Some(sent) => sent.get("booking").to_owned(),
        None => visit.asked.get("booking").to_owned(),
    };
    let screening = match screening.map(|answer| answer.screening.unwrap_or_default()) {
        Err(status) if status.code() == Code::NotFound && !booking.is_empty() => Ok(usual_hall(screening_id)),
        answer => answer,
    };
    let quantity = quantity(visit, &booking).await;
    let choice = if booking.is_empty() { Choice::New } else { Choice::Paid(&booking, quantity) };
    let problem = problem.as_ref();
    let body = part::asked(l, &screening, |screening| {
        html! {
            div.columns {
                (hall(visit, screening, &choice, problem))
                @if let Choice::New = choice {
                    div { (part::card("later", icon::TICKET, l.pay_first(), later(l, screening, problem))) }
                }
            }
        }
    });
    let title = screening.as_ref().map_or(screening_id, film);
    let beneath = screening.as_ref().map(|it| told(l, it)).unwrap_or_default();
    Page { visit, place: Place::Cinema, title, beneath: &beneath, events: None, problem }.with(body)
}

fn told(l: Lang, screening: &Screening) -> String {
    let mut told = vec![show::time(screening.starts_at.as_ref()), screening.hall.clone()];
    told.push(format!("{} / {}", show::money(Some(&won(PRICE))), l.one_seat()));
    told.retain(|part| !part.is_empty());
    told.join(" · ")
}

/// Where a screening is shown that nobody opened: it opens when the first seats are taken.
fn usual_hall(screening_id: &str) -> Screening {
    let seat = |row: i32, letter: char| Seat { name: format!("{row}{letter}"), status: SeatStatus::Free.into() };
    let seats = (1..=10).flat_map(|row| ('A'..='J').map(move |letter| seat(row, letter))).collect();
    let screening_id = screening_id.to_owned();
    Screening { screening_id, rows: 10, seats_per_row: 10, seats, ..Screening::default() }
}

/// How many seats a booking has paid for; 0 if nobody knows.
async fn quantity(visit: &Visit, booking: &str) -> i32 {
    if booking.is_empty() {
        return 0;
    }
    let request = GetBookingRequest { booking_id: booking.to_owned() };
    let booking = ask(visit.calls.booking().get_booking(request)).await;
    booking.ok().and_then(|answer| answer.booking).map_or(0, |booking| booking.quantity)
}

fn hall(visit: &Visit, screening: &Screening, choice: &Choice<'_>, problem: Option<&Problem>) -> Markup {
    let l = visit.lang;
    let chosen = problem.and_then(|it| it.values(SEATS)).unwrap_or(&visit.asked).all(SEATS);
    let path = format!("/cinema/{}", path_segment(&screening.screening_id));
    let (action, again) = match choice {
        Choice::New => (format!("{path}/book"), path),
        Choice::Paid(booking, _) => (format!("{path}/choose"), format!("{path}?booking={booking}")),
    };
    html! {
        form.card.hall method="post" action=(action) aria-label=(l.choose_seats()) {
            input type="hidden" name="request_id" value=(problem::request_id(problem, SEATS));
            @if let Choice::Paid(booking, quantity) = choice {
                input type="hidden" name="booking" value=(booking);
                p.paid-for { (l.paid_for()) " " strong { (quantity) " " (l.seats()) } }
            }
            div #seats hx-get=(again) hx-trigger="every 2s, change" hx-include="#seats input" hx-select="#seats"
                hx-target="this" hx-swap="outerMorph" hx-sync="this:replace" {
                (map(l, screening, &chosen))
                (sum(l, screening, &chosen, choice))
            }
            button.button.strong.wide type="submit" {
                @match choice { Choice::New => (l.book_and_pay()), Choice::Paid(..) => (l.take_these_seats()) }
            }
        }
    }
}

fn map(l: Lang, screening: &Screening, chosen: &[String]) -> Markup {
    let a_row = usize::try_from(screening.seats_per_row).unwrap_or(1).max(1);
    html! {
        div.screen aria-hidden="true" { (l.screen()) }
        div.seat-map.wide[a_row > 12] role="group" aria-label=(l.seats()) {
            @for (row, seats) in screening.seats.chunks(a_row).enumerate() {
                div.seat-row {
                    span.row-name aria-hidden="true" { (row + 1) }
                    @for it in seats { (seat(l, it, chosen.contains(&it.name))) }
                }
            }
        }
        ul.legend aria-hidden="true" {
            li { span.swatch.free {} (l.free()) }
            li { span.swatch.mine {} (l.chosen()) }
            li { span.swatch.taken {} (l.taken_seat()) }
        }
    }
}

fn seat(l: Lang, seat: &Seat, chosen: bool) -> Markup {
    let free = seat.status() == SeatStatus::Free;
    let letter = seat.name.trim_start_matches(|character: char| character.is_ascii_digit());
    html! {
        label.seat {
            input type="checkbox" id=(format!("seat-{}", seat.name)) name=(SEATS) value=(seat.name)
                checked[chosen && free] disabled[!free]
                aria-label=(if free { seat.name.clone() } else { format!("{} {}", seat.name, l.taken_seat()) });
            span aria-hidden="true" { (letter) }
        }
    }
}

/// What is chosen, and what somebody else has taken meanwhile.
fn sum(l: Lang, screening: &Screening, chosen: &[String], choice: &Choice<'_>) -> Markup {
    let free = |name: &String| screening.seats.iter().any(|it| it.name == *name && it.status() == SeatStatus::Free);
    let (mine, lost): (Vec<&String>, Vec<&String>) = chosen.iter().partition(|name| free(name));
    let names = |seats: &[&String]| seats.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    let price = i64::try_from(mine.len()).unwrap_or_default() * PRICE;
    html! {
        div.sum role="status" {
            @if !lost.is_empty() { p.lost { (l.just_taken()) ": " strong { (names(&lost)) } } }
            p {
                @if mine.is_empty() { (l.choose_seats()) } @else {
                    strong { (names(&mine)) }
                    @if let Choice::New = choice { " · " (show::money(Some(&won(price)))) }
                }
            }
        }
    }
}

fn later(l: Lang, screening: &Screening, problem: Option<&Problem>) -> Markup {
    let form = Form { name: LATER, problem };
    html! {
        form.stacked method="post" action=(format!("/cinema/{}/reserve", path_segment(&screening.screening_id))) {
            p.said { (l.pay_first_how()) }
            (form.request_id())
            (form.input(Input { name: "quantity", label: l.how_many_seats(), kind: Kind::Whole, value: "2" }))
            button.button.wide type="submit" { (l.reserve()) }
        }
    }
}

/// Books these seats, and pays for them.
pub(super) async fn book(visit: Visit, Path(screening): Path<String>, fields: Fields) -> Response {
    let seats = fields.all(SEATS);
    if seats.is_empty() {
        let problem = Problem::field(SEATS, fields, SEATS, visit.lang.choose_seats());
        return draw(&visit, &screening, Some(problem)).await;
    }
    let quantity = i32::try_from(seats.len()).unwrap_or(i32::MAX);
    make(visit, screening, fields, SEATS, seats, quantity).await
}

/// Books so many seats, to be paid now and chosen later.
pub(super) async fn reserve(visit: Visit, Path(screening): Path<String>, fields: Fields) -> Response {
    let quantity = fields.number("quantity");
    make(visit, screening, fields, LATER, vec![], quantity).await
}

async fn make(
    visit: Visit,
    screening: String,
    fields: Fields,
    form: &'static str,
    seats: Vec<String>,
    quantity: i32,
) -> Response {
    let done = if seats.is_empty() { "reserved" } else { "booked" };
    let request = CreateBookingRequest {
        shop_id: visit.shops.cinema.clone(),
        customer: visit.who.name.clone(),
        screening_id: screening.clone(),
        seats,
        quantity,
        total_price: Some(won(PRICE * i64::from(quantity.max(0)))),
        payment_method: PaymentMethod::Card.into(),
        request_id: fields.request_id(),
    };
    match ask(visit.calls.booking().create_booking(request)).await {
        Ok(_) => back("/my", done, "bookings"),
        Err(status) => draw(&visit, &screening, Some(Problem::new(form, fields, &status))).await,
    }
}

/// Chooses the seats of a booking that is paid.
pub(super) async fn choose(visit: Visit, Path(screening): Path<String>, fields: Fields) -> Response {
    let request = SelectSeatsRequest {
        booking_id: fields.get("booking").to_owned(),
        seats: fields.all(SEATS),
        request_id: fields.request_id(),
        ..SelectSeatsRequest::default()
    };
    match ask(visit.calls.booking().select_seats(request)).await {
        Ok(_) => back("/my", "booked", "bookings"),
        Err(status) => draw(&visit, &screening, Some(Problem::new(SEATS, fields, &status))).await,
    }
}
