//! A cinema, and the people in it.

use std::future::Future;
use std::ops::{Deref, DerefMut};

use highstreet::config::ShopArgs;
use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::booking::{
    Booking, BookingStatus, CancelBookingRequest, CreateBookingRequest, GetBookingRequest, ListBookingsRequest,
    SelectSeatsRequest,
};
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::loyalty::{GetAccountRequest, Program};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{ListPaymentsRequest, PayRequest, Payment};
use highstreet_wire::proto::seating::seating_service_client::SeatingServiceClient;
use highstreet_wire::proto::seating::{GetScreeningRequest, Screening, SeatStatus};
use highstreet_wire::proto::ticketing::ticketing_service_client::TicketingServiceClient;
use highstreet_wire::proto::ticketing::{
    CancelTicketRequest, CollectTicketRequest, GetTicketRequest, ListTicketsRequest, Ticket, TicketStatus,
    cancel_ticket_request, get_ticket_request,
};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::common::{self, HighStreet, eventually, reason};

pub(crate) const SHOP: &str = "cgv";
pub(crate) const SCREENING: &str = "soul";
pub(crate) const MINA: &str = "010-1234-5678";

pub(crate) struct Cinema(HighStreet);

/// A wish for these seats of the screening.
pub(crate) fn seats(names: &[&str]) -> CreateBookingRequest {
    CreateBookingRequest {
        shop_id: SHOP.into(),
        customer: MINA.into(),
        screening_id: SCREENING.into(),
        seats: names.iter().map(|name| (*name).to_owned()).collect(),
        quantity: 0,
        total_price: Some(common::won(10_000)),
        payment_method: PaymentMethod::Card.into(),
        request_id: String::new(),
    }
}

/// A wish for so many seats, to be chosen later.
pub(crate) fn any_seats(quantity: i32) -> CreateBookingRequest {
    CreateBookingRequest { quantity, ..seats(&[]) }
}

/// What a refusal says to programs.
pub(crate) fn refusal<T>(answer: Result<T, Status>) -> (Code, String) {
    let Err(status) = answer else { panic!("it was not refused") };
    (status.code(), reason(&status))
}

/// A refusal by the state of things.
pub(crate) fn precondition(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

impl Cinema {
    pub(crate) async fn open() -> Self {
        Self::with(ShopArgs::standard()).await
    }

    pub(crate) async fn with(args: ShopArgs) -> Self {
        Self(HighStreet::with(args).await)
    }

    pub(crate) fn bookings(&self) -> BookingServiceClient<Channel> {
        BookingServiceClient::new(self.channel.clone())
    }

    pub(crate) fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.channel.clone())
    }

    pub(crate) fn seating(&self) -> SeatingServiceClient<Channel> {
        SeatingServiceClient::new(self.channel.clone())
    }

    pub(crate) fn tickets(&self) -> TicketingServiceClient<Channel> {
        TicketingServiceClient::new(self.channel.clone())
    }

    // === Bookings ===

    pub(crate) async fn book(&self, request: CreateBookingRequest) -> Result<Booking, Status> {
        let request = CreateBookingRequest { shop_id: self.shop(&request.shop_id), ..request };
        Ok(self.bookings().create_booking(request).await?.into_inner().booking.unwrap())
    }

    pub(crate) async fn select(&self, booking: &Booking, names: &[&str]) -> Result<Booking, Status> {
        let seats = names.iter().map(|name| (*name).to_owned()).collect();
        let request = SelectSeatsRequest { booking_id: booking.booking_id.clone(), seats, ..Default::default() };
        Ok(self.bookings().select_seats(request).await?.into_inner().booking.unwrap())
    }

    pub(crate) async fn cancel(&self, booking: &Booking) -> Result<Booking, Status> {
        let request = CancelBookingRequest { booking_id: booking.booking_id.clone(), ..Default::default() };
        Ok(self.bookings().cancel_booking(request).await?.into_inner().booking.unwrap())
    }

    pub(crate) async fn get(&self, booking: &Booking) -> Result<Booking, Status> {
        let request = GetBookingRequest { booking_id: booking.booking_id.clone() };
        Ok(self.bookings().get_booking(request).await?.into_inner().booking.unwrap())
    }

    pub(crate) async fn all_bookings(&self) -> Vec<Booking> {
        let request = ListBookingsRequest { shop_id: self.shop(SHOP), page_size: 1000, ..Default::default() };
        self.bookings().list_bookings(request).await.unwrap().into_inner().bookings
    }

    /// Waits until the booking has come to `status`.
    pub(crate) async fn becomes(&self, booking: &Booking, status: BookingStatus) -> Booking {
        let look = || async { self.get(booking).await.ok().filter(|booking| booking.status() == status) };
        eventually(status.as_str_name(), look).await
    }

    // === Payments ===

    pub(crate) async fn pay(&self, booking: &Booking) -> Result<Payment, Status> {
        let payment_id = booking.payment_id.clone();
        let request = PayRequest { payment_id, method: PaymentMethod::Card.into(), ..Default::default() };
        Ok(self.payments().pay(request).await?.into_inner().payment.unwrap())
    }

    pub(crate) async fn all_payments(&self) -> Vec<Payment> {
        let request = ListPaymentsRequest { shop_id: self.shop(SHOP), page_size: 1000, ..Default::default() };
        self.payments().list_payments(request).await.unwrap().into_inner().payments
    }

    pub(crate) async fn payment(&self, booking: &Booking) -> Option<Payment> {
        self.all_payments().await.into_iter().find(|it| it.order.as_ref().unwrap().id == booking.booking_id)
    }

    /// Waits until what was paid for the booking has gone back.
    pub(crate) async fn refunded(&self, booking: &Booking) -> Payment {
        eventually("the refund", || async { self.payment(booking).await.filter(|it| it.refunded) }).await
    }

    // === Tickets ===

    pub(crate) async fn ticket(&self, booking: &Booking) -> Option<Ticket> {
        let target = Some(get_ticket_request::Target::BookingId(booking.booking_id.clone()));
        self.tickets().get_ticket(GetTicketRequest { target }).await.ok()?.into_inner().ticket
    }

    /// Waits for the booking's ticket.
    pub(crate) async fn issued(&self, booking: &Booking) -> Ticket {
        let look = || async { self.ticket(booking).await.filter(|it| it.status() == TicketStatus::Issued) };
        eventually("the ticket", look).await
    }

    pub(crate) async fn all_tickets(&self) -> Vec<Ticket> {
        let request = ListTicketsRequest { shop_id: self.shop(SHOP), page_size: 1000, ..Default::default() };
        self.tickets().list_tickets(request).await.unwrap().into_inner().tickets
    }

    pub(crate) async fn collect(&self, ticket: &Ticket) -> Result<Ticket, Status> {
        let request = CollectTicketRequest { ticket_id: ticket.ticket_id.clone(), ..Default::default() };
        Ok(self.tickets().collect_ticket(request).await?.into_inner().ticket.unwrap())
    }

    pub(crate) async fn cancel_ticket(&self, ticket: &Ticket) -> Result<Ticket, Status> {
        let target = Some(cancel_ticket_request::Target::TicketId(ticket.ticket_id.clone()));
        let request = CancelTicketRequest { target, ..Default::default() };
        Ok(self.tickets().cancel_ticket(request).await?.into_inner().ticket.unwrap())
    }

    /// The customer's points.
    pub(crate) async fn points(&self) -> Result<i64, Status> {
        let request =
            GetAccountRequest { shop_id: self.shop(SHOP), program: Program::Points.into(), member: MINA.into() };
        let mut loyalty = LoyaltyServiceClient::new(self.channel.clone());
        Ok(loyalty.get_account(request).await?.into_inner().account.unwrap().balance)
    }

    // === Seats ===

    pub(crate) async fn screening(&self) -> Option<Screening> {
        let request = GetScreeningRequest { shop_id: self.shop(SHOP), screening_id: SCREENING.into() };
        self.seating().get_screening(request).await.ok()?.into_inner().screening
    }

    /// The seats that are not free, in order.
    pub(crate) async fn occupied(&self) -> Vec<(String, SeatStatus)> {
        let seats = self.screening().await.map(|screening| screening.seats).unwrap_or_default();
        let taken = seats.into_iter().filter(|seat| seat.status() != SeatStatus::Free);
        taken.map(|seat| (seat.name.clone(), seat.status())).collect()
    }

    /// Waits until every seat is free.
    pub(crate) async fn all_free(&self) {
        eventually("free seats", || async { self.occupied().await.is_empty().then_some(()) }).await;
    }
}

/// The outcomes of `count` customers who come at once.
pub(crate) async fn all_at_once<T, Fut>(count: usize, customer: impl Fn(usize) -> Fut) -> Vec<T>
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let customers: Vec<_> = (0..count).map(|number| tokio::spawn(customer(number))).collect();
    let mut outcomes = Vec::with_capacity(count);
    for customer in customers {
        outcomes.push(customer.await.unwrap());
    }
    outcomes
}

impl Deref for Cinema {
    type Target = HighStreet;

    fn deref(&self) -> &HighStreet {
        &self.0
    }
}

impl DerefMut for Cinema {
    fn deref_mut(&mut self) -> &mut HighStreet {
        &mut self.0
    }
}
