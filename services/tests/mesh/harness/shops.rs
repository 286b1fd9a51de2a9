//! All there is in the store, the library and the cinema, as their services tell it.

use std::collections::BTreeMap;

use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::booking::{Booking, ListBookingsRequest};
use highstreet_wire::proto::delivery::{Delivery, ListDeliveriesRequest};
use highstreet_wire::proto::inventory::ListStockRequest;
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::lending::{ListBooksRequest, ListReservationsRequest, Reservation};
use highstreet_wire::proto::loyalty::Program;
use highstreet_wire::proto::payment::{ListPaymentsRequest, Payment};
use highstreet_wire::proto::replenishment::replenishment_service_client::ReplenishmentServiceClient;
use highstreet_wire::proto::replenishment::{ListOrdersRequest, Order};
use highstreet_wire::proto::sales::sales_service_client::SalesServiceClient;
use highstreet_wire::proto::sales::{ListPurchasesRequest, Purchase};
use highstreet_wire::proto::seating::seating_service_client::SeatingServiceClient;
use highstreet_wire::proto::seating::{GetScreeningRequest, ListScreeningsRequest, SeatStatus};
use highstreet_wire::proto::ticketing::ticketing_service_client::TicketingServiceClient;
use highstreet_wire::proto::ticketing::{ListTicketsRequest, Ticket};
use highstreet_wire::proto::tracking::ListTracesRequest;
use tonic::Status;

use super::books::{all, by_order};
use super::calls::{Calls, timed};
use super::{CINEMA, LIBRARY, STORE};

/// All there is in the other shops.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shops {
    pub(crate) orders: BTreeMap<String, Order>,
    /// By the id of the order, as are payments and tickets by that of the booking: more than one would be wrong.
    pub(crate) deliveries: BTreeMap<String, Vec<Delivery>>,
    pub(crate) purchases: BTreeMap<String, Purchase>,
    pub(crate) reservations: BTreeMap<String, Reservation>,
    /// How many there are, by shop and product.
    pub(crate) on_hand: BTreeMap<(&'static str, String), i64>,
    /// How many copies of each book there are, as lending has heard.
    pub(crate) shelves: BTreeMap<String, i64>,
    pub(crate) bookings: BTreeMap<String, Booking>,
    pub(crate) payments: BTreeMap<String, Vec<Payment>>,
    pub(crate) tickets: BTreeMap<String, Vec<Ticket>>,
    /// The seats that are not free, by screening and name.
    pub(crate) seats: BTreeMap<(String, String), SeatStatus>,
    /// By customer.
    pub(crate) points: BTreeMap<String, i64>,
    /// The furthest statuses, by context and id.
    pub(crate) traces: BTreeMap<(String, String), String>,
}

// === impl Shops ===

impl Shops {
    /// Reads all of it; fails while something does not answer.
    pub(super) async fn read(calls: &Calls) -> Result<Self, Status> {
        let mut shops = Self::default();
        shops.read_store(calls).await?;
        shops.read_library(calls).await?;
        shops.read_cinema(calls).await?;
        for shop in [STORE, LIBRARY, CINEMA] {
            let traces = all!(calls, shop, calls.tracking(), list_traces, ListTracesRequest, traces);
            let told = traces.into_iter().filter_map(|trace| Some((trace.order?, trace.status)));
            shops.traces.extend(told.map(|(of, status)| ((of.context, of.id), status)));
        }
        for shop in [STORE, LIBRARY] {
            let inventory = InventoryServiceClient::new(calls.channel.clone());
            let stock = all!(calls, shop, inventory, list_stock, ListStockRequest, stock);
            shops.on_hand.extend(stock.into_iter().map(|item| ((shop, item.sku), item.on_hand)));
        }
        Ok(shops)
    }

    async fn read_store(&mut self, calls: &Calls) -> Result<(), Status> {
        let way = || calls.channel.clone();
        let orders = all!(calls, STORE, ReplenishmentServiceClient::new(way()), list_orders, ListOrdersRequest, orders);
        self.orders = orders.into_iter().map(|order| (order.order_id.clone(), order)).collect();
        let deliveries = all!(calls, STORE, calls.couriers(), list_deliveries, ListDeliveriesRequest, deliveries);
        self.deliveries = by_order(deliveries, |it| it.order.clone().unwrap().id);
        let sales = SalesServiceClient::new(way());
        let purchases = all!(calls, STORE, sales, list_purchases, ListPurchasesRequest, purchases);
        self.purchases = purchases.into_iter().map(|it| (it.purchase_id.clone(), it)).collect();
        Ok(())
    }

    async fn read_library(&mut self, calls: &Calls) -> Result<(), Status> {
        let lending = || LendingServiceClient::new(calls.channel.clone());
        let reservations = all!(calls, LIBRARY, lending(), list_reservations, ListReservationsRequest, reservations);
        self.reservations = reservations.into_iter().map(|it| (it.reservation_id.clone(), it)).collect();
        let books = all!(calls, LIBRARY, lending(), list_books, ListBooksRequest, books);
        self.shelves = books.into_iter().map(|book| (book.book_id, book.available)).collect();
        Ok(())
    }

    async fn read_cinema(&mut self, calls: &Calls) -> Result<(), Status> {
        let way = || calls.channel.clone();
        let bookings =
            all!(calls, CINEMA, BookingServiceClient::new(way()), list_bookings, ListBookingsRequest, bookings);
        self.bookings = bookings.into_iter().map(|it| (it.booking_id.clone(), it)).collect();
        let payments = all!(calls, CINEMA, calls.payments(), list_payments, ListPaymentsRequest, payments);
        self.payments = by_order(payments, |it| it.order.clone().unwrap().id);
        let tickets =
            all!(calls, CINEMA, TicketingServiceClient::new(way()), list_tickets, ListTicketsRequest, tickets);
        self.tickets = by_order(tickets, |it| it.booking.clone().unwrap().id);
        let mut seating = SeatingServiceClient::new(way());
        let shown = all!(calls, CINEMA, seating.clone(), list_screenings, ListScreeningsRequest, screenings);
        for screening_id in shown.into_iter().map(|screening| screening.screening_id) {
            let request = GetScreeningRequest { shop_id: CINEMA.into(), screening_id: screening_id.clone() };
            let found = calls.once("GetScreening", seating.get_screening(timed(request))).await?;
            let taken = found.screening.unwrap().seats.into_iter().filter(|seat| seat.status() != SeatStatus::Free);
            self.seats.extend(taken.map(|seat| ((screening_id.clone(), seat.name.clone()), seat.status())));
        }
        let customers: std::collections::BTreeSet<_> = self.bookings.values().map(|it| it.customer.clone()).collect();
        for customer in customers {
            let points = calls.balance(CINEMA, Program::Points, &customer).await?;
            self.points.insert(customer, points);
        }
        Ok(())
    }
}
