//! A customer's orders, bookings and reservations, each with its timeline.

use std::collections::HashMap;

use highstreet_wire::proto::booking::{Booking, BookingStatus, ListBookingsRequest};
use highstreet_wire::proto::lending::{ListReservationsRequest, Reservation, ReservationStatus};
use highstreet_wire::proto::ordering::{ListOrdersRequest, Order, OrderStatus};
use highstreet_wire::proto::tracking::{ListTracesRequest, Trace};
use maud::{Markup, html};
use tonic::Status;

use crate::calls::ask;
use crate::fields::request_id_for;
use crate::icon::{self, Icon};
use crate::lang::Lang;
use crate::part::{self, Look, status};
use crate::visit::Visit;
use crate::{show, timeline};

/// How many of each are shown, the newest first.
const SHOWN: i32 = 12;

/// Everything a customer waits for, or has had.
pub(super) struct Cases {
    orders: Result<Vec<Order>, Status>,
    bookings: Result<Vec<Booking>, Status>,
    reservations: Result<Vec<Reservation>, Status>,
    /// By what they are traces of. A trace that is not there yet is not drawn.
    traces: HashMap<String, Trace>,
}

/// One of them, as it is drawn.
struct Case<'a> {
    id: &'a str,
    title: String,
    status: &'a str,
    facts: Markup,
    buttons: Markup,
}

// === impl Cases ===

impl Cases {
    pub(super) async fn of(visit: &Visit) -> Self {
        let (calls, shops, me) = (&visit.calls, &visit.shops, &visit.who.name);
        let orders = ListOrdersRequest {
            shop_id: shops.cafe.clone(),
            customer_phone: me.clone(),
            page_size: SHOWN,
            ..ListOrdersRequest::default()
        };
        let bookings = ListBookingsRequest {
            shop_id: shops.cinema.clone(),
            customer: me.clone(),
            page_size: SHOWN,
            ..ListBookingsRequest::default()
        };
        let reservations = ListReservationsRequest {
            shop_id: shops.library.clone(),
            user_id: me.clone(),
            page_size: SHOWN,
            ..ListReservationsRequest::default()
        };
        let (mut ordering, mut booking, mut lending) = (calls.ordering(), calls.booking(), calls.lending());
        let (orders, bookings, reservations, cafe, cinema, library) = tokio::join!(
            ask(ordering.list_orders(orders)),
            ask(booking.list_bookings(bookings)),
            ask(lending.list_reservations(reservations)),
            traces(visit, &shops.cafe),
            traces(visit, &shops.cinema),
            traces(visit, &shops.library),
        );
        let traces = [cafe, cinema, library].into_iter().flatten();
        let traces = traces.map(|trace| (trace.order.clone().unwrap_or_default().id, trace)).collect();
        Self {
            orders: orders.map(|answer| answer.orders),
            bookings: bookings.map(|answer| answer.bookings),
            reservations: reservations.map(|answer| answer.reservations),
            traces,
        }
    }

    pub(super) fn draw(&self, l: Lang) -> Markup {
        html! {
            (self.section(l, "orders", "cafe", icon::CUP, l.orders(), ("/cafe", l.no_orders()), &self.orders, order))
            (self.section(l, "bookings", "cinema", icon::FILM, l.bookings(), ("/cinema", l.no_bookings()), &self.bookings, booking))
            (self.section(
                l, "reservations", "library", icon::BOOK, l.reservations(), ("/library", l.no_reservations()),
                &self.reservations, reservation,
            ))
        }
    }

    #[allow(clippy::too_many_arguments, reason = "three sections, each of which says all of this")]
    fn section<'a, T>(
        &'a self,
        l: Lang,
        id: &str,
        shop: &str,
        icon: Icon,
        title: &str,
        (path, nothing): (&str, &str),
        found: &'a Result<Vec<T>, Status>,
        case: impl Fn(Lang, &'a T) -> Case<'a>,
    ) -> Markup {
        let cases = |found: &&'a Vec<T>| {
            html! {
                @if found.is_empty() { (part::empty(nothing)) p { a.button href=(path) { (l.have_a_look()) } } }
                ul.cases { @for thing in found.iter() { (self.one(l, case(l, thing))) } }
            }
        };
        html! {
            div.(shop) {
                @match found {
                    Ok(found) => (part::card(id, icon, title, cases(&found))),
                    Err(status) => (part::card(id, icon, title, crate::problem::missing(l, status))),
                }
            }
        }
    }

    fn one(&self, l: Lang, case: Case<'_>) -> Markup {
        html! {
            li.case id=(format!("case-{}", case.id)) {
                div.case-head {
                    h3 { (case.title) }
                    (part::badge(l, case.status))
                }
                dl.facts { (case.facts) }
                @match self.traces.get(case.id) {
                    Some(trace) => (timeline::draw(l, trace)),
                    None => p.said { (l.no_trace_yet()) },
                }
                div.acts { (case.buttons) }
            }
        }
    }
}

async fn traces(visit: &Visit, shop: &str) -> Vec<Trace> {
    let request = ListTracesRequest {
        shop_id: shop.to_owned(),
        customer: visit.who.name.clone(),
        page_size: 2 * SHOWN,
        ..ListTracesRequest::default()
    };
    // Without them the page still says what there is and what can be done with it.
    ask(visit.calls.tracking().list_traces(request)).await.map(|answer| answer.traces).unwrap_or_default()
}

fn order(l: Lang, order: &Order) -> Case<'_> {
    let (id, revision) = (order.order_id.as_str(), order.revision);
    let unpaid = order.status() == OrderStatus::Ordered;
    let open = unpaid || order.status() == OrderStatus::Paid;
    Case {
        id,
        title: part::lines(order.lines.iter().map(|line| (line.quantity, line.product_name.as_str()))),
        status: status(order.status().as_str_name()),
        facts: html! {
            (part::fact(l.total(), show::money(order.total.as_ref())))
            (part::fact(l.ordered_at(), show::time(order.create_time.as_ref())))
            @if unpaid { (part::fact(l.pay_by(), show::time(order.pay_by.as_ref()))) }
        },
        buttons: html! {
            @if unpaid { (pay_button(l, &order.payment_id, id, revision)) }
            @if open {
                (part::button("/my/orders/cancel", Look::Plain, l.cancel(), &show::short_id(id), &[
                    ("order_id", id), ("request_id", &request_id_for("cancel", id, revision)),
                ]))
            }
        },
    }
}

fn booking(l: Lang, booking: &Booking) -> Case<'_> {
    use BookingStatus::{Confirmed, Paid, Reserved};
    let (id, revision) = (booking.booking_id.as_str(), booking.revision);
    let seats = if booking.seats.is_empty() { l.seats_later().to_owned() } else { booking.seats.join(" ") };
    Case {
        id,
        title: format!("{} · {seats}", booking.screening_id),
        status: status(booking.status().as_str_name()),
        facts: html! {
            (part::fact(l.cinema(), &booking.brand))
            (part::fact(l.total(), show::money(booking.total_price.as_ref())))
            (part::fact(l.booked_at(), show::time(booking.create_time.as_ref())))
            @if booking.status() == Reserved { (part::fact(l.pay_by(), show::time(booking.pay_by.as_ref()))) }
            @if booking.status() == Paid { (part::fact(l.seats_by(), show::time(booking.seat_by.as_ref()))) }
        },
        buttons: html! {
            @if booking.status() == Reserved { (pay_button(l, &booking.payment_id, id, revision)) }
            @if booking.status() == Paid {
                a.button.strong href=(format!("/cinema/{}?booking={id}", path_segment(&booking.screening_id))) { (l.choose_seats()) }
            }
            @if matches!(booking.status(), Reserved | Paid | Confirmed) {
                (part::button("/my/bookings/cancel", Look::Plain, l.cancel(), &show::short_id(id), &[
                    ("booking_id", id), ("request_id", &request_id_for("cancel", id, revision)),
                ]))
            }
        },
    }
}

fn reservation(l: Lang, reservation: &Reservation) -> Case<'_> {
    use ReservationStatus::{Confirmed, Requested};
    let (id, revision) = (reservation.reservation_id.as_str(), reservation.revision);
    Case {
        id,
        title: reservation.book_id.clone(),
        status: status(reservation.status().as_str_name()),
        facts: part::fact(l.reserved_at(), show::time(reservation.create_time.as_ref())),
        buttons: html! {
            @if matches!(reservation.status(), Requested | Confirmed) {
                (part::button("/my/reservations/cancel", Look::Plain, l.cancel(), &show::short_id(id), &[
                    ("reservation_id", id), ("request_id", &request_id_for("cancel", id, revision)),
                ]))
            }
        },
    }
}

fn pay_button(l: Lang, payment: &str, id: &str, revision: i64) -> Markup {
    part::button(
        "/my/pay",
        Look::Strong,
        l.pay(),
        &show::short_id(id),
        &[("payment_id", payment), ("request_id", &request_id_for("pay", id, revision))],
    )
}

/// An id as a part of a path.
pub(crate) fn path_segment(id: &str) -> String {
    // Form encoding writes a space as `+`, which paths do not.
    form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20")
}
