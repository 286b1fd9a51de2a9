//! A customer's own page: what they ordered, booked and reserved, how far it has come, and what they have earned.

pub(crate) use self::cases::path_segment;

mod cases;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use highstreet_wire::proto::booking::CancelBookingRequest;
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::lending::CancelReservationRequest;
use highstreet_wire::proto::loyalty::{GetAccountRequest, Program};
use highstreet_wire::proto::ordering::CancelOrderRequest;
use highstreet_wire::proto::payment::{PayRequest, PaymentStatus};
use maud::{Markup, html};
use tonic::{Code, Status};

use self::cases::Cases;
use crate::Console;
use crate::calls::ask;
use crate::fields::Fields;
use crate::frame::{Page, Place};
use crate::lang::Lang;
use crate::part::{self, back};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{icon, live, show};

const PATH: &str = "/my";
/// How many stamps fill a card.
const CARD: i64 = 10;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/my", get(page))
        .route("/my/events", get(events))
        .route("/my/pay", post(pay))
        .route("/my/orders/cancel", post(cancel_order))
        .route("/my/bookings/cancel", post(cancel_booking))
        .route("/my/reservations/cancel", post(cancel_reservation))
}

async fn page(visit: Visit) -> Response {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, problem: Option<Problem>) -> Response {
    let l = visit.lang;
    let (cases, stamps, points) = tokio::join!(
        Cases::of(visit),
        balance(visit, &visit.shops.cafe, Program::Stamps),
        balance(visit, &visit.shops.cinema, Program::Points),
    );
    let body = part::live(
        PATH,
        "30s",
        html! {
            div.earned {
                (stamp_card(l, &stamps))
                (point_card(l, &points))
            }
            (cases.draw(l))
        },
    );
    let title = l.my_page();
    let page = Page {
        visit,
        place: Place::My,
        title,
        beneath: &visit.who.name,
        events: Some("/my/events"),
        problem: problem.as_ref(),
    };
    page.with(body)
}

async fn balance(visit: &Visit, shop: &str, program: Program) -> Result<i64, Status> {
    let request =
        GetAccountRequest { shop_id: shop.to_owned(), program: program.into(), member: visit.who.name.clone() };
    let account = ask(visit.calls.loyalty().get_account(request)).await?.account;
    Ok(account.unwrap_or_default().balance)
}

fn stamp_card(l: Lang, stamps: &Result<i64, Status>) -> Markup {
    part::card(
        "stamps",
        icon::CUP,
        l.stamps(),
        part::asked(l, stamps, |stamps| {
            let on_card = if *stamps > 0 && stamps % CARD == 0 { CARD } else { stamps % CARD };
            html! {
                p.number { (show::count(*stamps)) span.unit { (l.pieces()) } }
                div.stamp-card aria-hidden="true" { @for at in 0..CARD { span.stamped[at < on_card] {} } }
            }
        }),
    )
}

fn point_card(l: Lang, points: &Result<i64, Status>) -> Markup {
    part::card(
        "points",
        icon::STAR,
        l.points(),
        part::asked(l, points, |points| {
            html! {
                p.number { (show::count(*points)) span.unit { "P" } }
                p.said { (l.points_why()) }
            }
        }),
    )
}

/// Tells when something happens to what is this customer's.
async fn events(visit: Visit) -> Response {
    let (shops, me) = (&visit.shops, &visit.who.name);
    let (cafe, cinema, library) = tokio::join!(
        live::traces(&visit.calls, &shops.cafe, me),
        live::traces(&visit.calls, &shops.cinema, me),
        live::traces(&visit.calls, &shops.library, me),
    );
    live::tell([cafe, cinema, library].into_iter().flatten().collect())
}

async fn pay(visit: Visit, fields: Fields) -> Response {
    let request = PayRequest {
        payment_id: fields.get("payment_id").to_owned(),
        method: PaymentMethod::Card.into(),
        request_id: fields.request_id(),
        ..PayRequest::default()
    };
    let paid = ask(visit.calls.payment().pay(request)).await.and_then(|paid| {
        let payment = paid.payment.unwrap_or_default();
        match payment.status() {
            PaymentStatus::Declined => Err(Status::new(Code::FailedPrecondition, payment.decline_reason)),
            _ => Ok(()),
        }
    });
    answer(&visit, fields, "paid", paid).await
}

async fn cancel_order(visit: Visit, fields: Fields) -> Response {
    let request = CancelOrderRequest {
        order_id: fields.get("order_id").to_owned(),
        request_id: fields.request_id(),
        ..CancelOrderRequest::default()
    };
    let cancelled = ask(visit.calls.ordering().cancel_order(request)).await.map(drop);
    answer(&visit, fields, "cancelled", cancelled).await
}

async fn cancel_booking(visit: Visit, fields: Fields) -> Response {
    let request = CancelBookingRequest {
        booking_id: fields.get("booking_id").to_owned(),
        request_id: fields.request_id(),
        ..CancelBookingRequest::default()
    };
    let cancelled = ask(visit.calls.booking().cancel_booking(request)).await.map(drop);
    answer(&visit, fields, "cancelled", cancelled).await
}

async fn cancel_reservation(visit: Visit, fields: Fields) -> Response {
    let request = CancelReservationRequest {
        reservation_id: fields.get("reservation_id").to_owned(),
        request_id: fields.request_id(),
        ..CancelReservationRequest::default()
    };
    let cancelled = ask(visit.calls.lending().cancel_reservation(request)).await.map(drop);
    answer(&visit, fields, "cancelled", cancelled).await
}

async fn answer(visit: &Visit, fields: Fields, done: &str, result: Result<(), Status>) -> Response {
    match result {
        Ok(()) => back(PATH, done, "page").into_response(),
        Err(status) => draw(visit, Some(Problem::new("my", fields, &status))).await,
    }
}
