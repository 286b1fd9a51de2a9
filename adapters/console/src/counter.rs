//! The counter: what staff make, hand out and sell, and what head office sends.

mod queues;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use highstreet_wire::proto::delivery::{CompleteDeliveryRequest, ShipDeliveryRequest};
use highstreet_wire::proto::inventory::{ListStockRequest, StockItem};
use highstreet_wire::proto::kitchen::CompletePreparationRequest;
use highstreet_wire::proto::sales::{CancelPurchaseRequest, RecordPurchaseRequest};
use highstreet_wire::proto::ticketing::CollectTicketRequest;
use maud::{Markup, html};
use tonic::Status;

use self::queues::Queues;
use crate::calls::ask;
use crate::fields::Fields;
use crate::frame::{Page, Place};
use crate::lang::Lang;
use crate::part::{self, Form, Input, Kind, back};
use crate::problem::Problem;
use crate::visit::{Role, Visit};
use crate::{Console, cafe, icon, live, show};

const PATH: &str = "/counter";
const ORDER: &str = "drinks";
const PURCHASE: &str = "purchase";
/// Buttons in the queues: what goes wrong with them is said at the top.
const QUEUE: &str = "queue";

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/counter", get(page))
        .route("/counter/events", get(events))
        .route("/counter/orders", post(order))
        .route("/counter/ready", post(ready))
        .route("/counter/ship", post(ship))
        .route("/counter/deliver", post(deliver))
        .route("/counter/collect", post(collect))
        .route("/counter/purchases", post(purchase))
        .route("/counter/purchases/cancel", post(cancel_purchase))
}

async fn page(visit: Visit) -> Response {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, problem: Option<Problem>) -> Response {
    let l = visit.lang;
    let (queues, stock) = tokio::join!(Queues::of(visit), stock(visit));
    let problem = problem.as_ref();
    let body = html! {
        div.columns {
            (part::live(PATH, "30s", queues.draw(visit, stock.as_deref().unwrap_or_default())))
            @if visit.who.is_any_of(&[Role::Staff, Role::Owner]) {
                div {
                    @if takes_orders(visit) { (part::card("drinks", icon::CUP, l.take_an_order(), drinks(l, problem))) }
                    (part::card("purchase", icon::CARD, l.record_purchase(), purchase_form(l, problem, &stock)))
                }
            }
        }
    };
    let (title, beneath) =
        (l.counter(), format!("{} · {} · {}", visit.shops.cafe, visit.shops.store, visit.shops.cinema));
    let events = Some("/counter/events");
    Page { visit, place: Place::Counter, title, beneath: &beneath, events, problem }.with(body)
}

/// Where visitors are known, only owners order for others.
fn takes_orders(visit: &Visit) -> bool {
    visit.who.token.is_none() || visit.who.is_any_of(&[Role::Staff, Role::Owner])
}

async fn stock(visit: &Visit) -> Result<Vec<StockItem>, Status> {
    let request =
        ListStockRequest { shop_id: visit.shops.store.clone(), page_size: 200, ..ListStockRequest::default() };
    ask(visit.calls.inventory().list_stock(request)).await.map(|answer| answer.stock)
}

fn drinks(l: Lang, problem: Option<&Problem>) -> Markup {
    let form = Form { name: ORDER, problem };
    html! {
        form.menu-form method="post" action="/counter/orders" {
            (form.request_id())
            (cafe::menu(l, form))
            (form.input(Input { name: "customer_phone", label: l.customer_phone(), kind: Kind::Phone, value: "" }))
            button.button.strong.wide type="submit" { (l.place_order()) }
        }
    }
}

fn purchase_form(l: Lang, problem: Option<&Problem>, stock: &Result<Vec<StockItem>, Status>) -> Markup {
    let form = Form { name: PURCHASE, problem };
    let chosen = form.value("sku", "");
    part::asked(l, stock, |stock| {
        let price = stock.first().and_then(|item| item.unit_price.as_ref()).map(|price| price.units.to_string());
        let price = price.unwrap_or_default();
        html! {
            @if stock.is_empty() { (part::empty(l.no_stock())) } @else {
                form.stacked method="post" action="/counter/purchases" {
                    (form.request_id())
                    div.field {
                        label for="purchase-sku" { (l.product()) }
                        select id="purchase-sku" name="sku" data-prices="purchase-unit_price" {
                            @for item in stock {
                                option value=(item.sku) selected[item.sku == chosen] data-price=[item.unit_price.as_ref().map(|price| price.units)] {
                                    (item.product_name) " · " (show::money(item.unit_price.as_ref())) " · " (l.on_hand()) " " (show::count(item.on_hand))
                                }
                            }
                        }
                    }
                    div.pair {
                        (form.input(Input { name: "quantity", label: l.quantity(), kind: Kind::Whole, value: "1" }))
                        (form.input(Input { name: "unit_price", label: l.price_won(), kind: Kind::Whole, value: &price }))
                    }
                    (form.input(Input { name: "customer_name", label: l.customer_name(), kind: Kind::Optional, value: "" }))
                    button.button.strong.wide type="submit" { (l.record()) }
                }
            }
        }
    })
}

/// Tells when something happens in one of the shops.
async fn events(visit: Visit) -> Response {
    let (shops, calls) = (&visit.shops, &visit.calls);
    let (cafe, cinema, store) = tokio::join!(
        live::traces(calls, &shops.cafe, ""),
        live::traces(calls, &shops.cinema, ""),
        live::traces(calls, &shops.store, ""),
    );
    live::tell([cafe, cinema, store].into_iter().flatten().collect())
}

async fn order(visit: Visit, fields: Fields) -> Response {
    let placed = cafe::place(&visit, &fields, fields.get("customer_phone")).await;
    answer(&visit, ORDER, fields, "ordered", placed).await
}

async fn ready(visit: Visit, fields: Fields) -> Response {
    let request = CompletePreparationRequest {
        preparation_id: fields.get("preparation_id").to_owned(),
        request_id: fields.request_id(),
        ..CompletePreparationRequest::default()
    };
    let done = ask(visit.calls.kitchen().complete_preparation(request)).await.map(drop);
    answer(&visit, QUEUE, fields, "ready", done).await
}

async fn ship(visit: Visit, fields: Fields) -> Response {
    let request = ShipDeliveryRequest {
        delivery_id: fields.get("delivery_id").to_owned(),
        request_id: fields.request_id(),
        ..ShipDeliveryRequest::default()
    };
    let done = ask(visit.calls.delivery().ship_delivery(request)).await.map(drop);
    answer(&visit, QUEUE, fields, "shipped", done).await
}

async fn deliver(visit: Visit, fields: Fields) -> Response {
    let request = CompleteDeliveryRequest {
        delivery_id: fields.get("delivery_id").to_owned(),
        request_id: fields.request_id(),
        ..CompleteDeliveryRequest::default()
    };
    let done = ask(visit.calls.delivery().complete_delivery(request)).await.map(drop);
    answer(&visit, QUEUE, fields, "delivered", done).await
}

async fn collect(visit: Visit, fields: Fields) -> Response {
    let request = CollectTicketRequest {
        ticket_id: fields.get("ticket_id").to_owned(),
        request_id: fields.request_id(),
        ..CollectTicketRequest::default()
    };
    let done = ask(visit.calls.ticketing().collect_ticket(request)).await.map(drop);
    answer(&visit, QUEUE, fields, "collected", done).await
}

async fn purchase(visit: Visit, fields: Fields) -> Response {
    let request = RecordPurchaseRequest {
        shop_id: visit.shops.store.clone(),
        sku: fields.get("sku").to_owned(),
        quantity: fields.number("quantity"),
        unit_price: Some(show::won(fields.number("unit_price").into())),
        customer_name: fields.get("customer_name").to_owned(),
        request_id: fields.request_id(),
    };
    let done = ask(visit.calls.sales().record_purchase(request)).await.map(drop);
    answer(&visit, PURCHASE, fields, "purchased", done).await
}

async fn cancel_purchase(visit: Visit, fields: Fields) -> Response {
    let request = CancelPurchaseRequest {
        purchase_id: fields.get("purchase_id").to_owned(),
        request_id: fields.request_id(),
        ..CancelPurchaseRequest::default()
    };
    let done = ask(visit.calls.sales().cancel_purchase(request)).await.map(drop);
    answer(&visit, QUEUE, fields, "cancelled", done).await
}

async fn answer(visit: &Visit, form: &'static str, fields: Fields, done: &str, result: Result<(), Status>) -> Response {
    match result {
        Ok(()) => back(PATH, done, "page"),
        Err(status) => draw(visit, Some(Problem::new(form, fields, &status))).await,
    }
}
