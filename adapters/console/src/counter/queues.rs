//! What waits at the counter.

use highstreet_wire::proto::delivery::{Delivery, DeliveryStatus, ListDeliveriesRequest};
use highstreet_wire::proto::inventory::StockItem;
use highstreet_wire::proto::kitchen::{ListPreparationsRequest, Preparation, PreparationStatus};
use highstreet_wire::proto::sales::{ListPurchasesRequest, Purchase, PurchaseStatus};
use highstreet_wire::proto::ticketing::{ListTicketsRequest, Ticket, TicketStatus};
use maud::{Markup, html};
use tonic::Status;

use crate::calls::ask;
use crate::fields::request_id_for;
use crate::lang::Lang;
use crate::part::{self, Look, status};
use crate::visit::{Role, Visit};
use crate::{icon, show};

/// How many of each are shown.
const SHOWN: i32 = 30;
/// How many purchases, the newest first.
const LAST: i32 = 8;

/// What waits to be made, sent and handed out, and what was sold last.
pub(super) struct Queues {
    preparations: Result<Vec<Preparation>, Status>,
    deliveries: Result<Vec<Delivery>, Status>,
    tickets: Result<Vec<Ticket>, Status>,
    purchases: Result<Vec<Purchase>, Status>,
}

// === impl Queues ===

impl Queues {
    pub(super) async fn of(visit: &Visit) -> Self {
        let (calls, shops) = (&visit.calls, &visit.shops);
        let preparations = ListPreparationsRequest {
            shop_id: shops.cafe.clone(),
            status: PreparationStatus::Preparing.into(),
            page_size: SHOWN,
            ..ListPreparationsRequest::default()
        };
        let tickets = ListTicketsRequest {
            shop_id: shops.cinema.clone(),
            status: TicketStatus::Issued.into(),
            page_size: SHOWN,
            ..ListTicketsRequest::default()
        };
        let purchases =
            ListPurchasesRequest { shop_id: shops.store.clone(), page_size: LAST, ..ListPurchasesRequest::default() };
        let (mut kitchen, mut ticketing, mut sales) = (calls.kitchen(), calls.ticketing(), calls.sales());
        let (preparations, deliveries, tickets, purchases) = tokio::join!(
            ask(kitchen.list_preparations(preparations)),
            deliveries(visit),
            ask(ticketing.list_tickets(tickets)),
            ask(sales.list_purchases(purchases)),
        );
        Self {
            // Whoever has waited longest comes first.
            preparations: preparations.map(|answer| answer.preparations.into_iter().rev().collect()),
            deliveries,
            tickets: tickets.map(|answer| answer.tickets),
            purchases: purchases.map(|answer| answer.purchases),
        }
    }

    pub(super) fn draw(&self, visit: &Visit, stock: &[StockItem]) -> Markup {
        let l = visit.lang;
        let sends = visit.who.is_any_of(&[Role::HeadOffice, Role::Owner]) || visit.who.token.is_none();
        let works = visit.who.is_any_of(&[Role::Staff, Role::Owner]);
        html! {
            @if works {
                (part::card("kitchen", icon::CUP, l.kitchen(), part::asked(l, &self.preparations, |it| kitchen(l, it))))
            }
            (part::card("deliveries", icon::TRUCK, l.deliveries(), part::asked(l, &self.deliveries, |it| {
                sending(l, it, sends)
            })))
            @if works {
                (part::card("tickets", icon::TICKET, l.tickets(), part::asked(l, &self.tickets, |it| tickets(l, it))))
                (part::card("sold", icon::LIST, l.sold_last(), part::asked(l, &self.purchases, |it| purchases(l, it, stock))))
            }
        }
    }
}

/// Of both shops that send something, under way first.
async fn deliveries(visit: &Visit) -> Result<Vec<Delivery>, Status> {
    let listed = async |shop: &str, status: DeliveryStatus| {
        let request = ListDeliveriesRequest {
            shop_id: shop.to_owned(),
            status: status.into(),
            page_size: SHOWN,
            ..ListDeliveriesRequest::default()
        };
        ask(visit.calls.delivery().list_deliveries(request)).await.map(|answer| answer.deliveries)
    };
    let (cafe, store) = (&visit.shops.cafe, &visit.shops.store);
    let found = tokio::try_join!(
        listed(cafe, DeliveryStatus::Shipped),
        listed(store, DeliveryStatus::Shipped),
        listed(cafe, DeliveryStatus::Preparing),
        listed(store, DeliveryStatus::Preparing),
    )?;
    // What head office has shipped arrives by itself.
    let on_the_way = found.0.into_iter().chain(found.1.into_iter().filter(|it| !is_for_store(it)));
    Ok(on_the_way.chain(found.2).chain(found.3).collect())
}

fn is_for_store(delivery: &Delivery) -> bool {
    delivery.order.as_ref().is_some_and(|order| order.context == "replenishment")
}

fn kitchen(l: Lang, preparations: &[Preparation]) -> Markup {
    html! {
        @if preparations.is_empty() { (part::empty(l.nothing_to_make())) }
        ul.queue {
            @for it in preparations {
                @let what = part::lines(it.items.iter().map(|item| (item.quantity, item.product_name.as_str())));
                li id=(format!("made-{}", it.preparation_id)) {
                    div { p.what { (what) } p.said { (it.customer) " · " (show::time(it.create_time.as_ref())) } }
                    (part::button("/counter/ready", Look::Strong, l.ready(), &what, &[
                        ("preparation_id", &it.preparation_id),
                        ("request_id", &request_id_for("ready", &it.preparation_id, it.revision)),
                    ]))
                }
            }
        }
    }
}

fn sending(l: Lang, deliveries: &[Delivery], sends: bool) -> Markup {
    html! {
        @if deliveries.is_empty() { (part::empty(l.nothing_to_send())) }
        ul.queue {
            @for it in deliveries {
                @let what = part::lines(it.items.iter().map(|item| (item.quantity, item.product_name.as_str())));
                @let from = if is_for_store(it) { l.head_office() } else { l.cafe() };
                li id=(format!("sent-{}", it.delivery_id)) {
                    div {
                        p.what { (what) " " (part::badge(l, status(it.status().as_str_name()))) }
                        p.said { (from) " → " (it.shop_id) @if !it.customer.is_empty() { " · " (it.customer) } }
                    }
                    @if sends {
                        @let (path, label) = match it.status() {
                            DeliveryStatus::Preparing => ("/counter/ship", l.ship()),
                            _ => ("/counter/deliver", l.deliver()),
                        };
                        (part::button(path, Look::Strong, label, &what, &[
                            ("delivery_id", &it.delivery_id),
                            ("request_id", &request_id_for(path, &it.delivery_id, it.revision)),
                        ]))
                    }
                }
            }
        }
    }
}

fn tickets(l: Lang, tickets: &[Ticket]) -> Markup {
    html! {
        @if tickets.is_empty() { (part::empty(l.no_tickets())) }
        ul.queue {
            @for it in tickets {
                @let film = if it.movie_name.is_empty() { &it.screening_id } else { &it.movie_name };
                @let what = format!("{film} · {}", it.seats.join(" "));
                li id=(format!("ticket-{}", it.ticket_id)) {
                    div { p.what { (what) } p.said { (it.customer) " · " (show::money(it.total_price.as_ref())) } }
                    (part::button("/counter/collect", Look::Strong, l.collect(), &what, &[
                        ("ticket_id", &it.ticket_id),
                        ("request_id", &request_id_for("collect", &it.ticket_id, it.revision)),
                    ]))
                }
            }
        }
    }
}

fn purchases(l: Lang, purchases: &[Purchase], stock: &[StockItem]) -> Markup {
    let name =
        |sku: &str| stock.iter().find(|item| item.sku == sku).map_or(sku.to_owned(), |item| item.product_name.clone());
    html! {
        @if purchases.is_empty() { (part::empty(l.nothing_sold())) }
        ul.queue {
            @for it in purchases {
                @let what = format!("{} × {}", it.quantity, name(&it.sku));
                li id=(format!("sold-{}", it.purchase_id)) {
                    div {
                        p.what { (what) " " (part::badge(l, status(it.status().as_str_name()))) }
                        p.said { (show::money(it.total.as_ref())) " · " (show::time(it.create_time.as_ref())) @if !it.customer_name.is_empty() { " · " (it.customer_name) } }
                    }
                    @if it.status() == PurchaseStatus::Purchased {
                        (part::button("/counter/purchases/cancel", Look::Plain, l.take_back(), &what, &[
                            ("purchase_id", &it.purchase_id),
                            ("request_id", &request_id_for("take-back", &it.purchase_id, it.revision)),
                        ]))
                    }
                }
            }
        }
    }
}
