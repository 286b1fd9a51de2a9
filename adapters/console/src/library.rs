//! The library: its books, and a copy of one to reserve.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use highstreet_wire::proto::inventory::ReceiveStockRequest;
use highstreet_wire::proto::lending::{Book, ListBooksRequest, RequestReservationRequest};
use maud::{Markup, html};

use crate::calls::ask;
use crate::fields::{Fields, new_request_id};
use crate::frame::{Page, Place};
use crate::part::{self, Form, Input, Kind, Look, back};
use crate::problem::Problem;
use crate::visit::{Role, Visit};
use crate::{Console, icon, show};

const PATH: &str = "/library";
const RECEIVE: &str = "receive";
/// How many books are shown.
const SHOWN: i32 = 200;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/library", get(page))
        .route("/library/reserve", post(reserve))
        .route("/library/receive", post(receive))
}

async fn page(visit: Visit) -> Response {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, problem: Option<Problem>) -> Response {
    let l = visit.lang;
    let request =
        ListBooksRequest { shop_id: visit.shops.library.clone(), page_size: SHOWN, ..ListBooksRequest::default() };
    let books = ask(visit.calls.lending().list_books(request)).await.map(|answer| answer.books);
    let problem = problem.as_ref();
    // Nobody is told of what others reserve, so the shelf is looked at now and then.
    let body = html! {
        (part::live(PATH, "4s", part::asked(l, &books, |books| shelf(visit, books))))
        @if visit.who.is_any_of(&[Role::Staff, Role::Owner]) {
            (part::card("receive", icon::BOX, l.receive_books(), receiving(visit, problem)))
        }
    };
    let (title, beneath) = (l.library(), visit.shops.library.as_str());
    Page { visit, place: Place::Library, title, beneath, events: None, problem }.with(body)
}

fn shelf(visit: &Visit, books: &[Book]) -> Markup {
    let l = visit.lang;
    html! {
        @if books.is_empty() { section.card { (part::empty(l.no_books())) } }
        ul.shelf {
            @for book in books {
                // A book keeps its colour wherever it stands.
                @let colour = book.book_id.bytes().fold(0_usize, |sum, byte| (sum * 31 + usize::from(byte)) % 997) % 5;
                li.book id=(format!("book-{}", book.book_id)) {
                    div class=(format!("cover cover-{colour}")) aria-hidden="true" { span { (book.title) } }
                    div.book-about {
                        h2 { (book.title) }
                        p.copies.none[book.available == 0] {
                            @if book.available == 0 { (l.no_copy()) } @else {
                                strong { (show::count(book.available)) } " " (l.copies_left())
                            }
                        }
                        (part::button("/library/reserve", Look::Strong, l.reserve_book(), &book.title, &[
                            ("book_id", &book.book_id), ("request_id", &new_request_id()),
                        ]))
                    }
                }
            }
        }
    }
}

fn receiving(visit: &Visit, problem: Option<&Problem>) -> Markup {
    let l = visit.lang;
    let form = Form { name: RECEIVE, problem };
    html! {
        form.stacked method="post" action="/library/receive" {
            (form.request_id())
            (form.input(Input { name: "product_name", label: l.book_title(), kind: Kind::Text, value: "" }))
            div.pair {
                (form.input(Input { name: "sku", label: l.book_id(), kind: Kind::Text, value: "" }))
                (form.input(Input { name: "quantity", label: l.copies(), kind: Kind::Whole, value: "5" }))
            }
            button.button.strong type="submit" { (l.receive_books()) }
        }
    }
}

async fn reserve(visit: Visit, fields: Fields) -> Response {
    let request = RequestReservationRequest {
        shop_id: visit.shops.library.clone(),
        user_id: visit.who.name.clone(),
        book_id: fields.get("book_id").to_owned(),
        request_id: fields.request_id(),
    };
    match ask(visit.calls.lending().request_reservation(request)).await {
        Ok(_) => back(PATH, "reserved-book", "page"),
        Err(status) => draw(&visit, Some(Problem::new("reserve", fields, &status))).await,
    }
}

async fn receive(visit: Visit, fields: Fields) -> Response {
    let request = ReceiveStockRequest {
        shop_id: visit.shops.library.clone(),
        sku: fields.get("sku").to_owned(),
        product_name: fields.get("product_name").to_owned(),
        quantity: fields.number("quantity"),
        request_id: fields.request_id(),
        ..ReceiveStockRequest::default()
    };
    match ask(visit.calls.inventory().receive_stock(request)).await {
        Ok(_) => back(PATH, "received", "page"),
        Err(status) => draw(&visit, Some(Problem::new(RECEIVE, fields, &status))).await,
    }
}
