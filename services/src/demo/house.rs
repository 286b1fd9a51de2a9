//! A screening at the cinema, and what its customers do: shared by both ways of booking.

use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::booking::{
    Booking, BookingStatus, CancelBookingRequest, CreateBookingRequest, SelectSeatsRequest,
};
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::loyalty::Program;
use highstreet_wire::proto::seating::seating_service_client::SeatingServiceClient;
use highstreet_wire::proto::seating::{GetScreeningRequest, OpenScreeningRequest, SeatStatus};
use highstreet_wire::proto::ticketing::ticketing_service_client::TicketingServiceClient;
use highstreet_wire::proto::ticketing::{CollectTicketRequest, GetTicketRequest, Ticket, get_ticket_request};
use tonic::Status;

use super::visitor::{Played, Unexpected, Visitor, expect, fresh_id, fresh_name, fresh_phone, won};
use super::{errands, tell};
use crate::client::Channel;

const SHOP: &str = "cgv";
const ROWS: i32 = 4;
const SEATS_PER_ROW: i32 = 8;

/// One screening, which nobody knows but who is in the story.
pub(super) struct House {
    /// Who follows the customer's bookings.
    pub(super) visitor: Visitor,
    /// Whose bookings they are.
    pub(super) customer: String,
    screening: String,
}

// === impl House ===

impl House {
    /// Opens the screening.
    pub(super) async fn open(channel: Channel) -> Played<Self> {
        let (customer, screening) = (fresh_phone(), fresh_name("soul"));
        let visitor = Visitor::enter(channel, SHOP, &customer).await?;
        let request = OpenScreeningRequest {
            shop_id: SHOP.into(),
            screening_id: screening.clone(),
            movie_name: "Soul".into(),
            hall: "IMAX".into(),
            rows: ROWS,
            seats_per_row: SEATS_PER_ROW,
            request_id: fresh_id(),
            ..OpenScreeningRequest::default()
        };
        let opening = visitor
            .ask(request, async |channel, request| SeatingServiceClient::new(channel).open_screening(request).await);
        let seats = opening.await?.screening.unwrap_or_default().seats.len();
        tell::call("staff", "OpenScreening Soul", &format!("{screening}, {seats} seats"));
        Ok(Self { visitor, customer, screening })
    }

    /// A wish of the customer's for these seats; for `quantity` to be chosen later if none are named.
    pub(super) fn wish(&self, seats: &[&str], quantity: i32) -> CreateBookingRequest {
        CreateBookingRequest {
            shop_id: SHOP.into(),
            customer: self.customer.clone(),
            screening_id: self.screening.clone(),
            seats: seats.iter().map(|&name| name.into()).collect(),
            quantity,
            total_price: Some(won(10_000)),
            payment_method: PaymentMethod::Card.into(),
            request_id: fresh_id(),
        }
    }

    /// Books.
    pub(super) async fn book(&self, wish: CreateBookingRequest) -> Result<Booking, Status> {
        let booking = self
            .visitor
            .ask(wish, async |channel, request| BookingServiceClient::new(channel).create_booking(request).await);
        Ok(booking.await?.booking.unwrap_or_default())
    }

    /// Chooses the seats of a booking that was made without.
    pub(super) async fn select(&self, booking: &Booking, seats: &[&str]) -> Result<Booking, Status> {
        let request = SelectSeatsRequest {
            booking_id: booking.booking_id.clone(),
            seats: seats.iter().map(|&name| name.into()).collect(),
            request_id: fresh_id(),
            ..SelectSeatsRequest::default()
        };
        let selecting = self
            .visitor
            .ask(request, async |channel, request| BookingServiceClient::new(channel).select_seats(request).await);
        Ok(selecting.await?.booking.unwrap_or_default())
    }

    /// Cancels, and tells of it.
    pub(super) async fn cancel(&self, booking: &Booking) -> Played {
        let cancelled = self.call_off(booking).await?;
        tell::call("customer", "CancelBooking", tell::name(cancelled.status().as_str_name()));
        expect("the booking", &cancelled.status(), &BookingStatus::Cancelled)
    }

    /// Asks for a cancellation.
    pub(super) async fn call_off(&self, booking: &Booking) -> Result<Booking, Status> {
        let request = CancelBookingRequest {
            booking_id: booking.booking_id.clone(),
            reason: "cannot come".into(),
            request_id: fresh_id(),
            ..CancelBookingRequest::default()
        };
        let cancelling = self
            .visitor
            .ask(request, async |channel, request| BookingServiceClient::new(channel).cancel_booking(request).await);
        Ok(cancelling.await?.booking.unwrap_or_default())
    }

    /// The booking's ticket, once it was issued.
    pub(super) async fn ticket(&mut self, booking: &Booking) -> Played<Ticket> {
        self.visitor.hear(&booking.booking_id, "TicketIssued").await?;
        let target = Some(get_ticket_request::Target::BookingId(booking.booking_id.clone()));
        let getting = self.visitor.ask(GetTicketRequest { target }, async |channel, request| {
            TicketingServiceClient::new(channel).get_ticket(request).await
        });
        let ticket = getting.await?.ticket.unwrap_or_default();
        let status = tell::name(ticket.status().as_str_name());
        let answer = format!("{status}: {}, seats {}", ticket.movie_name, ticket.seats.join(" "));
        tell::call("customer", "GetTicket", &answer);
        expect("the ticket's seats", &ticket.seats, &booking.seats)?;
        Ok(ticket)
    }

    /// Collects the ticket at the counter.
    pub(super) async fn collect(&self, ticket: &Ticket) -> Result<Ticket, Status> {
        let request = CollectTicketRequest {
            ticket_id: ticket.ticket_id.clone(),
            request_id: fresh_id(),
            ..CollectTicketRequest::default()
        };
        let collecting = self
            .visitor
            .ask(request, async |channel, request| TicketingServiceClient::new(channel).collect_ticket(request).await);
        Ok(collecting.await?.ticket.unwrap_or_default())
    }

    /// Counts the customer's points.
    pub(super) async fn count_points(&self, wanted: i64) -> Played {
        errands::count(&self.visitor, Program::Points, &self.customer, wanted).await
    }

    /// Draws the seats, of which those `wanted` are taken.
    pub(super) async fn draw(&self, title: &str, wanted: &[&str]) -> Played {
        let request = GetScreeningRequest { shop_id: SHOP.into(), screening_id: self.screening.clone() };
        let getting = self
            .visitor
            .ask(request, async |channel, request| SeatingServiceClient::new(channel).get_screening(request).await);
        let screening = getting.await?.screening;
        let screening = screening.ok_or_else(|| Unexpected::new("the screening is not there".into()))?;
        let taken = screening.seats.iter().filter(|seat| seat.status() != SeatStatus::Free);
        let taken: Vec<_> = taken.map(|seat| seat.name.as_str()).collect();
        tell::call("anybody", "GetScreening", &format!("{} of {} seats taken", taken.len(), screening.seats.len()));
        tell::seats(title, &screening);
        expect("the seats that are taken", &taken, &wanted.to_vec())
    }
}
