//! The store owner's board: what there is, what is on order, what was sold today, and what the owner is told.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use highstreet_wire::proto::notification::{
    ListNotificationsRequest, Notification, NotificationStatus, ResendNotificationRequest,
};
use highstreet_wire::proto::replenishment::{CancelOrderRequest, PlaceOrderRequest};
use highstreet_wire::proto::tracking::{Board, BoardOrder, BoardSales, BoardStock, GetBoardRequest};
use maud::{Markup, html};
use tonic::Status;

use crate::calls::ask;
use crate::fields::{Fields, request_id_for};
use crate::frame::{Page, Place};
use crate::lang::Lang;
use crate::part::{self, Form, Input, Kind, Look, back, status};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{Console, chart, icon, live, show};

const PATH: &str = "/board";
const ORDER: &str = "restock";
/// How owners are called among those who are notified.
const OWNER: &str = "owner";
/// How many notifications are shown, the newest first.
const TOLD: i32 = 12;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/board", get(page))
        .route("/board/events", get(events))
        .route("/board/orders", post(order))
        .route("/board/orders/cancel", post(cancel))
        .route("/board/notifications/resend", post(resend))
}

async fn page(visit: Visit) -> Response {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, problem: Option<Problem>) -> Response {
    let l = visit.lang;
    let request = GetBoardRequest { shop_id: visit.shops.store.clone(), date: String::new() };
    let mut tracking = visit.calls.tracking();
    let (board, told) = tokio::join!(ask(tracking.get_board(request)), notifications(visit));
    let board = board.map(|answer| answer.board.unwrap_or_default());
    let problem = problem.as_ref();
    let live = html! {
        (part::card("sales", icon::CHART, l.sales_today(), part::asked(l, &board, |board| sales(l, board))))
        div.halves {
            (part::card("stock", icon::BOX, l.stock(), part::asked(l, &board, |board| stock(l, &board.stock))))
            (part::card("on-order", icon::TRUCK, l.on_order(), part::asked(l, &board, |board| orders(l, &board.orders))))
        }
        (part::card("told", icon::BELL, l.notifications(), part::asked(l, &told, |told| messages(l, told))))
    };
    let body = html! {
        div.columns {
            (part::live(PATH, "30s", live))
            div { (part::card("restock", icon::BOX, l.order_goods(), order_form(visit, problem))) }
        }
    };
    let (title, beneath) = (l.board(), visit.shops.store.as_str());
    Page { visit, place: Place::Board, title, beneath, events: Some("/board/events"), problem }.with(body)
}

async fn notifications(visit: &Visit) -> Result<Vec<Notification>, Status> {
    let request = ListNotificationsRequest {
        shop_id: visit.shops.store.clone(),
        recipient: OWNER.into(),
        page_size: TOLD,
        ..ListNotificationsRequest::default()
    };
    ask(visit.calls.notification().list_notifications(request)).await.map(|answer| answer.notifications)
}

fn sales(l: Lang, board: &Board) -> Markup {
    let none = BoardSales::default();
    let sales = board.sales.as_ref().unwrap_or(&none);
    let taken = sales.amounts.iter().map(|amount| show::money(Some(amount))).collect::<Vec<_>>().join(" + ");
    html! {
        dl.figures {
            (part::fact(l.taken(), if taken.is_empty() { show::money(Some(&show::won(0))) } else { taken }))
            (part::fact(l.purchases(), show::count(sales.purchases)))
            (part::fact(l.pieces_sold(), show::count(sales.pieces)))
            (part::fact(l.cancellations(), show::count(sales.cancellations)))
        }
        (chart::by_hour(l, &sales.slots))
    }
}

fn stock(l: Lang, stock: &[BoardStock]) -> Markup {
    html! {
        @if stock.is_empty() { (part::empty(l.no_stock())) }
        ul.queue {
            @for item in stock {
                @let most = (item.reorder_point * 4).max(item.on_hand).max(1);
                li.low[item.low] {
                    div {
                        p.what { (item.product_name) " " @if item.low { (part::badge(l, "LOW")) } }
                        p.said { (item.sku) " · " (show::money(item.unit_price.as_ref())) }
                    }
                    div.level {
                        strong { (show::count(item.on_hand)) }
                        meter min="0" max=(most) low=(item.reorder_point + 1) optimum=(most) value=(item.on_hand)
                            aria-label=(format!("{}: {}", l.on_hand(), item.product_name)) {}
                    }
                    @if item.low { a.button href=(restock(item)) { (l.order_more()) } }
                }
            }
        }
    }
}

/// The form, filled in for this product.
fn restock(item: &BoardStock) -> String {
    let price = item.unit_price.as_ref().map(|price| price.units.to_string()).unwrap_or_default();
    let pairs = [("sku", &item.sku), ("product_name", &item.product_name), ("unit_price", &price)];
    format!("{PATH}?{}#restock", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

fn orders(l: Lang, orders: &[BoardOrder]) -> Markup {
    html! {
        @if orders.is_empty() { (part::empty(l.nothing_on_order())) }
        ul.queue {
            @for it in orders {
                @let id = it.order.as_ref().map_or("", |order| order.id.as_str());
                @let what = format!("{} × {}", show::count(it.quantity.into()), it.product_name);
                li {
                    div {
                        p.what { (what) " " (part::badge(l, &it.status)) }
                        p.said {
                            (show::time(it.place_time.as_ref()))
                            @if !it.delivery_status.is_empty() && it.status == "PLACED" {
                                " · " (l.status(&it.delivery_status).unwrap_or(&it.delivery_status))
                            }
                        }
                    }
                    @if it.status == "PLACED" {
                        (part::button("/board/orders/cancel", Look::Plain, l.cancel(), &what, &[
                            ("order_id", id), ("request_id", &request_id_for("cancel", id, 0)),
                        ]))
                    }
                }
            }
        }
    }
}

fn messages(l: Lang, told: &[Notification]) -> Markup {
    html! {
        @if told.is_empty() { (part::empty(l.nothing_told())) }
        ul.messages {
            @for it in told {
                li {
                    time { (show::time(it.create_time.as_ref())) }
                    p lang=(it.locale) { (it.text) }
                    @if it.status() == NotificationStatus::Failed {
                        (part::badge(l, status(it.status().as_str_name())))
                        (part::button("/board/notifications/resend", Look::Plain, l.send_again(), &it.text, &[
                            ("notification_id", &it.notification_id),
                            ("request_id", &request_id_for("resend", &it.notification_id, it.revision)),
                        ]))
                    }
                }
            }
        }
    }
}

fn order_form(visit: &Visit, problem: Option<&Problem>) -> Markup {
    let (l, asked) = (visit.lang, &visit.asked);
    let form = Form { name: ORDER, problem };
    let quantity = if asked.get("sku").is_empty() { "10" } else { "20" };
    html! {
        form.stacked method="post" action="/board/orders" {
            (form.request_id())
            (form.input(Input { name: "sku", label: l.sku(), kind: Kind::Text, value: asked.get("sku") }))
            (form.input(Input { name: "product_name", label: l.product(), kind: Kind::Text, value: asked.get("product_name") }))
            div.pair {
                (form.input(Input { name: "quantity", label: l.quantity(), kind: Kind::Whole, value: quantity }))
                (form.input(Input { name: "unit_price", label: l.price_won(), kind: Kind::Whole, value: asked.get("unit_price") }))
            }
            button.button.strong.wide type="submit" { (l.order_goods()) }
        }
    }
}

/// Tells when something happens in the store, or its owner is told of something.
async fn events(visit: Visit) -> Response {
    let (shop, calls) = (&visit.shops.store, &visit.calls);
    let (traces, told) = tokio::join!(live::traces(calls, shop, ""), live::notifications(calls, shop, OWNER));
    live::tell([traces, told].into_iter().flatten().collect())
}

async fn order(visit: Visit, fields: Fields) -> Response {
    let request = PlaceOrderRequest {
        shop_id: visit.shops.store.clone(),
        sku: fields.get("sku").to_owned(),
        product_name: fields.get("product_name").to_owned(),
        quantity: fields.number("quantity"),
        unit_price: Some(show::won(fields.number("unit_price").into())),
        request_id: fields.request_id(),
    };
    let done = ask(visit.calls.replenishment().place_order(request)).await.map(drop);
    answer(&visit, ORDER, fields, "ordered", done).await
}

async fn cancel(visit: Visit, fields: Fields) -> Response {
    let request = CancelOrderRequest {
        order_id: fields.get("order_id").to_owned(),
        request_id: fields.request_id(),
        ..CancelOrderRequest::default()
    };
    let done = ask(visit.calls.replenishment().cancel_order(request)).await.map(drop);
    answer(&visit, "orders", fields, "cancelled", done).await
}

async fn resend(visit: Visit, fields: Fields) -> Response {
    let request = ResendNotificationRequest {
        notification_id: fields.get("notification_id").to_owned(),
        request_id: fields.request_id(),
        ..ResendNotificationRequest::default()
    };
    let done = ask(visit.calls.notification().resend_notification(request)).await.map(drop);
    answer(&visit, "told", fields, "sent", done).await
}

async fn answer(visit: &Visit, form: &'static str, fields: Fields, done: &str, result: Result<(), Status>) -> Response {
    match result {
        Ok(()) => back(PATH, done, "page"),
        Err(status) => draw(visit, Some(Problem::new(form, fields, &status))).await,
    }
}
