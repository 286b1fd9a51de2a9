//! The coffee shop's menu, where drinks are ordered.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::ordering::{OrderLine, PlaceOrderRequest};
use maud::{Markup, html};
use tonic::Status;

use crate::Console;
use crate::calls::ask;
use crate::fields::Fields;
use crate::frame::{Page, Place};
use crate::lang::Lang;
use crate::part::{Form, back};
use crate::problem::Problem;
use crate::show;
use crate::visit::Visit;

const FORM: &str = "order";

/// What can be ordered.
struct Drink {
    id: &'static str,
    korean: &'static str,
    english: &'static str,
    won: i64,
}

const MENU: [Drink; 6] = [
    Drink { id: "espresso", korean: "에스프레소", english: "Espresso", won: 3000 },
    Drink { id: "americano", korean: "아메리카노", english: "Americano", won: 3500 },
    Drink { id: "latte", korean: "카페 라테", english: "Latte", won: 4500 },
    Drink { id: "cappuccino", korean: "카푸치노", english: "Cappuccino", won: 4500 },
    Drink { id: "mocha", korean: "카페 모카", english: "Mocha", won: 5000 },
    Drink { id: "yuja-tea", korean: "유자차", english: "Yuja tea", won: 4800 },
];

pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/cafe", get(page).post(order))
}

async fn page(visit: Visit) -> Response {
    draw(&visit, None)
}

fn draw(visit: &Visit, problem: Option<&Problem>) -> Response {
    let l = visit.lang;
    let form = Form { name: FORM, problem };
    let body = html! {
        form.menu-form method="post" action="/cafe" {
            (form.request_id())
            (menu(l, form))
            p.pay-line { button.button.strong.wide type="submit" { (l.place_order()) } }
            p.said { (l.pay_afterwards()) }
        }
    };
    let (title, beneath) = (l.cafe(), visit.shops.cafe.as_str());
    Page { visit, place: Place::Cafe, title, beneath, events: None, problem }.with(body)
}

/// Every drink, and how many of it.
pub(crate) fn menu(l: Lang, form: Form<'_>) -> Markup {
    html! {
        ul.menu {
            @for drink in &MENU {
                @let id = format!("{}-{}", form.name, drink.id);
                li {
                    label for=(id) { span.drink { (drink.name(l)) } span.price { (show::money(Some(&show::won(drink.won)))) } }
                    input id=(id) name=(drink.id) type="number" inputmode="numeric" min="0" max="20" data-steps
                        value=(form.value(drink.id, "0"));
                }
            }
        }
    }
}

async fn order(visit: Visit, fields: Fields) -> Response {
    match place(&visit, &fields, &visit.who.name).await {
        Ok(()) => back("/my", "ordered", "orders"),
        Err(status) => draw(&visit, Some(&Problem::new(FORM, fields, &status))),
    }
}

/// Orders what a menu was filled in with, for this customer.
pub(crate) async fn place(visit: &Visit, fields: &Fields, customer: &str) -> Result<(), Status> {
    let lines = MENU.iter().filter(|drink| fields.number(drink.id) != 0).map(|drink| OrderLine {
        product_id: drink.id.into(),
        product_name: drink.name(visit.lang).into(),
        quantity: fields.number(drink.id),
        unit_price: Some(show::won(drink.won)),
    });
    let request = PlaceOrderRequest {
        shop_id: visit.shops.cafe.clone(),
        customer_phone: customer.to_owned(),
        lines: lines.collect(),
        payment_method: PaymentMethod::Card.into(),
        request_id: fields.request_id(),
    };
    ask(visit.calls.ordering().place_order(request)).await.map(drop)
}

// === impl Drink ===

impl Drink {
    const fn name(&self, l: Lang) -> &'static str {
        match l {
            Lang::Korean => self.korean,
            Lang::English => self.english,
        }
    }
}
