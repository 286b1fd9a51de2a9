//! A customer's orders, bookings and reservations, each with its timeline.

use std::collections::HashMap;

use highstreet_wire::proto::booking::{Booking, BookingStatus, ListBookingsRequest};
use highstreet_wire::proto::lending::{ListBooksRequest, ListReservationsRequest, Reservation, ReservationStatus};
use highstreet_wire::proto::ordering::{ListOrdersRequest, Order, OrderStatus};
use highstreet_wire::proto::seating::ListScreeningsRequest;
use highstreet_wire::proto::tracking::{ListTracesRequest, Trace};
use maud::{Markup, html};
use tonic::{Code, Status};

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
    /// What films and books are called, by the ids that bookings and reservations have of them.
    names: HashMap<String, String>,
    /// By what they are traces of. A trace that is not there yet is not drawn.
    traces: HashMap<String, Trace>,
}

/// What is said about one of the three.
struct Section {
    id: &'static str,
    /// The kind of shop, whose page has its name and whose colour it is drawn in.
    shop: &'static str,
    icon: Icon,
    title: &'static str,
    nothing: &'static str,
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
        let (orders, bookings, reservations, cafe, cinema, library, names) = tokio::join!(
            ask(ordering.list_orders(orders)),
            ask(booking.list_bookings(bookings)),
            ask(lending.list_reservations(reservations)),
            traces(visit, &shops.cafe),
            traces(visit, &shops.cinema),
            traces(visit, &shops.library),
            names(visit),
        );
        let traces = [cafe, cinema, library].into_iter().flatten();
        let traces = traces.map(|trace| (trace.order.clone().unwrap_or_default().id, trace)).collect();
        Self {
            orders: match orders {
                // Orders are by phone number: whoever goes by a name has none.
                Err(status) if status.code() == Code::InvalidArgument => Ok(vec![]),
                orders => orders.map(|answer| answer.orders),
            },
            bookings: bookings.map(|answer| answer.bookings),
            reservations: reservations.map(|answer| answer.reservations),
            names,
            traces,
        }
    }

    pub(super) fn draw(&self, l: Lang) -> Markup {
        let orders = Section { id: "orders", shop: "cafe", icon: icon::CUP, title: l.orders(), nothing: l.no_orders() };
        let bookings =
            Section { id: "bookings", shop: "cinema", icon: icon::FILM, title: l.bookings(), nothing: l.no_bookings() };
        let reservations = Section {
            id: "reservations",
            shop: "library",
            icon: icon::BOOK,
            title: l.reservations(),
            nothing: l.no_reservations(),
        };
        html! {
            div.mine {
                (self.section(l, &orders, &self.orders, |it| order(l, it)))
                div {
                    (self.section(l, &bookings, &self.bookings, |it| booking(l, it, self.name(&it.screening_id))))
                    (self.section(l, &reservations, &self.reservations, |it| reservation(l, it, self.name(&it.book_id))))
                }
            }
        }
    }

    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    fn section<'a, T>(
        &'a self,
        l: Lang,
        section: &Section,
        found: &'a Result<Vec<T>, Status>,
        case: impl Fn(&'a T) -> Case<'a>,
    ) -> Markup {
        let drawn = match found {
            Ok(found) => html! {
                @if found.is_empty() {
                    (part::empty(section.nothing))
                    p { a.button href=(format!("/{}", section.shop)) { (l.have_a_look()) } }
                }
                ul.cases { @for thing in found { (self.one(l, case(thing))) } }
            },
            Err(status) => crate::problem::missing(l, status),
        };
        html! { div.(section.shop) { (part::card(section.id, section.icon, section.title, drawn)) } }
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

/// Films and books by their ids; without them, the ids are shown.
async fn names(visit: &Visit) -> HashMap<String, String> {
    let films = ListScreeningsRequest { shop_id: visit.shops.cinema.clone(), page_size: 200, ..Default::default() };
    let books = ListBooksRequest { shop_id: visit.shops.library.clone(), page_size: 200, ..Default::default() };
    let (mut seating, mut lending) = (visit.calls.seating(), visit.calls.lending());
    let (films, books) = tokio::join!(ask(seating.list_screenings(films)), ask(lending.list_books(books)));
    let films = films.map(|answer| answer.screenings).unwrap_or_default().into_iter();
    let books = books.map(|answer| answer.books).unwrap_or_default().into_iter();
    let films = films.map(|film| (film.screening_id, film.movie_name));
    films.chain(books.map(|book| (book.book_id, book.title))).filter(|(_, name)| !name.is_empty()).collect()
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

fn booking<'a>(l: Lang, booking: &'a Booking, film: &str) -> Case<'a> {
    use BookingStatus::{Confirmed, Paid, Reserved};
    let (id, revision) = (booking.booking_id.as_str(), booking.revision);
    let seats = if booking.seats.is_empty() { l.seats_later().to_owned() } else { booking.seats.join(" ") };
    Case {
        id,
        title: format!("{film} · {seats}"),
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

fn reservation<'a>(l: Lang, reservation: &'a Reservation, title: &str) -> Case<'a> {
    use ReservationStatus::{Confirmed, Requested};
    let (id, revision) = (reservation.reservation_id.as_str(), reservation.revision);
    Case {
        id,
        title: title.to_owned(),
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
