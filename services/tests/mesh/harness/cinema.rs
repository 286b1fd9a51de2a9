//! The people of the cinema: who books, pays, chooses and cancels, and who lets them in.

use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::booking::{
    Booking, BookingStatus, CancelBookingRequest, CreateBookingRequest, SelectSeatsRequest,
};
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{PayRequest, PaymentStatus};
use highstreet_wire::proto::ticketing::ticketing_service_client::TicketingServiceClient;
use highstreet_wire::proto::ticketing::{CollectTicketRequest, ListTicketsRequest, TicketStatus};
use tonic::Code;
use uuid::Uuid;

use super::calls::won;
use super::load::Person;
use super::{CINEMA, count};

/// After so many bookings another film is shown: before the hall of a hundred is full, and when it is crowded.
const FILM: usize = 50;
/// What the state of things does not allow.
const NO: &[Code] = &[Code::FailedPrecondition];

// === impl Person ===

impl Person {
    /// Books seats by name, and sometimes cancels.
    pub(super) async fn book_seats(self, customer: &'static str) {
        let me = &self;
        me.keeps(|number| async move {
            // Somebody may have them.
            if let Some(booking) = me.book(customer, me.some_seats(1 + me.dice.below(3)), 0).await
                && number % 3 == 2
            {
                me.cancel_booking(&booking).await;
            }
        })
        .await;
    }

    /// Books, pays later, and then chooses seats; or leaves it at any of that.
    pub(super) async fn book_and_choose_later(self, customer: &'static str) {
        let me = &self;
        me.keeps(|number| async move {
            let quantity = 1 + me.dice.below(2);
            let Some(booking) = me.book(customer, Vec::new(), count(quantity)).await else { return };
            // How far they go, and whether they cancel then.
            let (far, cancels) = (number % 3, number % 7 > 4);
            if far > 0 {
                me.pay_for(&booking).await;
            }
            if far > 1 {
                let request = SelectSeatsRequest {
                    booking_id: booking.booking_id.clone(),
                    seats: me.some_seats(quantity),
                    request_id: Uuid::now_v7().to_string(),
                    ..Default::default()
                };
                let select = async |way, it| BookingServiceClient::new(way).select_seats(it).await;
                me.asks("SelectSeats", &request, select, NO).await;
            }
            if cancels {
                me.cancel_booking(&booking).await;
            }
        })
        .await;
    }

    /// An usher takes some of the tickets that were issued.
    pub(super) async fn collect_tickets(self) {
        let me = &self;
        me.keeps(|_| async move {
            let status = TicketStatus::Issued.into();
            let request = ListTicketsRequest { shop_id: CINEMA.into(), status, page_size: 5, ..Default::default() };
            let list = async |way, it| TicketingServiceClient::new(way).list_tickets(it).await;
            let listed = me.asks("ListTickets", &request, list, &[]).await;
            let tickets = listed.into_iter().flat_map(|listed| listed.tickets);
            for ticket in tickets.filter(|_| me.dice.chance(20)) {
                let request_id = Uuid::now_v7().to_string();
                let request = CollectTicketRequest { ticket_id: ticket.ticket_id, request_id, ..Default::default() };
                let collect = async |way, it| TicketingServiceClient::new(way).collect_ticket(it).await;
                if me.asks("CollectTicket", &request, collect, NO).await.is_some() {
                    me.notes.ended("booking", &ticket.booking.unwrap().id, "COMPLETED");
                }
                if me.is_closing() {
                    return;
                }
            }
        })
        .await;
    }

    async fn book(&self, customer: &str, seats: Vec<String>, quantity: i32) -> Option<Booking> {
        let request_id = Uuid::now_v7();
        // By its price it can be told from all others.
        let price = 10_000 + i64::from(u32::try_from(request_id.as_u128() & 0x3fff_ffff).unwrap());
        let request = CreateBookingRequest {
            shop_id: CINEMA.into(),
            customer: customer.into(),
            screening_id: format!("film-{}", self.notes.cases("booking") / FILM),
            seats,
            quantity,
            total_price: Some(won(price)),
            payment_method: PaymentMethod::Card.into(),
            request_id: request_id.to_string(),
        };
        let create = async |way, it| BookingServiceClient::new(way).create_booking(it).await;
        let booking = self.asks("CreateBooking", &request, create, NO).await?.booking?;
        self.notes.answered(&price.to_string(), "booking", &booking.booking_id);
        Some(booking)
    }

    async fn pay_for(&self, booking: &Booking) {
        let (payment_id, request_id) = (booking.payment_id.clone(), Uuid::now_v7().to_string());
        let method = PaymentMethod::Card.into();
        let request = PayRequest { payment_id, method, request_id, ..Default::default() };
        let pay = async |way, it| PaymentServiceClient::new(way).pay(it).await;
        let paid = self.asks("Pay", &request, pay, &[]).await;
        if paid.is_some_and(|it| it.payment.unwrap().status() == PaymentStatus::Approved) {
            self.notes.paid(&booking.booking_id);
        }
    }

    async fn cancel_booking(&self, booking: &Booking) {
        let (booking_id, request_id) = (booking.booking_id.clone(), Uuid::now_v7().to_string());
        let request = CancelBookingRequest { booking_id, request_id, ..Default::default() };
        let cancel = async |way, it| BookingServiceClient::new(way).cancel_booking(it).await;
        // They were let in first.
        let cancelled = self.asks("CancelBooking", &request, cancel, NO).await;
        if cancelled.is_some_and(|it| it.booking.unwrap().status() == BookingStatus::Cancelled) {
            self.notes.ended("booking", &booking.booking_id, "CANCELLED");
        }
    }

    /// So many different seats of a row.
    fn some_seats(&self, count: usize) -> Vec<String> {
        let (row, first) = (1 + self.dice.below(10), self.dice.below(10 - count));
        (first..first + count).map(|place| format!("{row}{}", "ABCDEFGHIJ".as_bytes()[place] as char)).collect()
    }
}
