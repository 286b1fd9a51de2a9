//! Whom booking calls.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::booking::{
    Assigned, CONTEXT, Called, Held, Learned, Paid, Payments, Registered, Registration, SeatCall, SeatRefusal, Seats,
    Taken, Tickets, Withdrawn,
};
use highstreet_domain::kernel::ports::Clock;
use highstreet_domain::kernel::{ProductName, Unanswered};
use highstreet_wire::convert::{method, money, reference};
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::payment::{self as payment, PaymentStatus, get_payment_request};
use highstreet_wire::proto::seating::seating_service_client::SeatingServiceClient;
use highstreet_wire::proto::seating::{AssignSeatsRequest, HoldSeatsRequest};
use highstreet_wire::proto::ticketing::ticketing_service_client::TicketingServiceClient;
use highstreet_wire::proto::ticketing::{CancelTicketRequest, cancel_ticket_request};
use tonic::Status;

use crate::peer::{Peer, refused};

/// Seating, as booking calls it.
pub struct SeatingClient {
    peer: Peer,
    client: SeatingServiceClient<Peer>,
    clock: Arc<dyn Clock>,
}

/// Payment, as booking calls it.
pub struct PaymentClient {
    peer: Peer,
    client: PaymentServiceClient<Peer>,
    clock: Arc<dyn Clock>,
}

/// Ticketing, as booking calls it.
pub struct TicketingClient {
    peer: Peer,
    client: TicketingServiceClient<Peer>,
    clock: Arc<dyn Clock>,
}

// === impl SeatingClient ===

impl SeatingClient {
    /// Seating behind `peer`.
    pub fn new(peer: Peer, clock: Arc<dyn Clock>) -> Self {
        Self { client: SeatingServiceClient::new(peer.clone()), peer, clock }
    }

    fn refusal(&self, status: &Status) -> Result<SeatRefusal, Unanswered> {
        match refused(status).ok_or_else(|| self.peer.unanswered(status))?.as_str() {
            "NO_SUCH_SEAT" => Ok(SeatRefusal::NoSuchSeat),
            // Taken by somebody else; or by what this booking did since, and then nobody waits for this answer.
            _ => Ok(SeatRefusal::Taken),
        }
    }
}

#[async_trait]
impl Seats for SeatingClient {
    async fn hold(&self, called: Called<'_>, call: &SeatCall) -> Result<Held, Unanswered> {
        let message = HoldSeatsRequest {
            shop_id: call.shop.to_string(),
            screening_id: call.screening.to_string(),
            booking_id: called.booking.id.clone(),
            seats: call.seats.names(),
            booking_revision: called.run.since.cast_signed(),
            customer: call.customer.clone(),
            // The booking and its revision make a repeat harmless.
            request_id: String::new(),
        };
        let request = Peer::request(message, CONTEXT, called.run, &*self.clock);
        match self.client.clone().hold_seats(request).await {
            Ok(_) => Ok(Held::Yes),
            Err(status) => self.refusal(&status).map(Held::Refused),
        }
    }

    async fn assign(&self, called: Called<'_>, call: &SeatCall) -> Result<Assigned, Unanswered> {
        let message = AssignSeatsRequest {
            shop_id: call.shop.to_string(),
            screening_id: call.screening.to_string(),
            booking_id: called.booking.id.clone(),
            seats: call.seats.names(),
            booking_revision: called.run.since.cast_signed(),
            customer: call.customer.clone(),
            // The booking and its revision make a repeat harmless.
            request_id: String::new(),
        };
        let request = Peer::request(message, CONTEXT, called.run, &*self.clock);
        match self.client.clone().assign_seats(request).await {
            Ok(response) => {
                let shown = response.into_inner().screening.unwrap_or_default().movie_name;
                let name = if shown.is_empty() { call.screening.as_str() } else { &shown };
                let movie = ProductName::parse(name);
                let movie = movie.map_err(|why| Unanswered::unknown(format!("seating: movie_name {why}")))?;
                Ok(Assigned::Yes { movie })
            }
            Err(status) => self.refusal(&status).map(Assigned::Refused),
        }
    }

    fn unreachable(&self) -> Option<Unanswered> {
        self.peer.unreachable()
    }
}

// === impl PaymentClient ===

impl PaymentClient {
    /// Payment behind `peer`.
    pub fn new(peer: Peer, clock: Arc<dyn Clock>) -> Self {
        Self { client: PaymentServiceClient::new(peer.clone()), peer, clock }
    }
}

#[async_trait]
impl Payments for PaymentClient {
    async fn register(&self, called: Called<'_>, registration: &Registration) -> Result<Registered, Unanswered> {
        let message = payment::RequestPaymentRequest {
            shop_id: registration.shop.to_string(),
            order: Some(reference(called.booking)),
            payer: registration.payer.to_string(),
            amount: Some(money(&registration.amount)),
            method: method(registration.method).into(),
            screening_id: registration.screening.to_string(),
            // One payment per booking: the booking itself makes a repeat harmless.
            request_id: String::new(),
        };
        let request = Peer::request(message, CONTEXT, called.run, &*self.clock);
        match self.client.clone().request_payment(request).await {
            Ok(response) => {
                Ok(Registered::As { payment: response.into_inner().payment.unwrap_or_default().payment_id })
            }
            Err(status) => {
                let reason = refused(&status).ok_or_else(|| self.peer.unanswered(&status))?;
                Ok(Registered::Refused { reason })
            }
        }
    }

    async fn pay(&self, called: Called<'_>, payment: &str) -> Result<Paid, Unanswered> {
        let message = payment::PayRequest {
            payment_id: payment.to_owned(),
            // The same for every attempt at this step: a decline is not tried again.
            request_id: called.run.key.uuid().to_string(),
            ..Default::default()
        };
        let request = Peer::request(message, CONTEXT, called.run, &*self.clock);
        match self.client.clone().pay(request).await {
            Ok(response) => {
                let payment = response.into_inner().payment.unwrap_or_default();
                match payment.status() {
                    PaymentStatus::Approved => Ok(Paid::Yes),
                    PaymentStatus::Declined => Ok(Paid::Declined { reason: payment.decline_reason }),
                    PaymentStatus::Cancelled => Ok(Paid::Declined { reason: "ALREADY_CANCELLED".into() }),
                    PaymentStatus::Processing | PaymentStatus::Requested | PaymentStatus::Unspecified => {
                        Err(Unanswered::unknown("payment: the provider has not answered yet"))
                    }
                }
            }
            Err(status) => match refused(&status).as_deref() {
                Some("ALREADY_PAID") => Ok(Paid::Yes),
                None | Some("PAYMENT_PROCESSING") => Err(self.peer.unanswered(&status)),
                Some(reason) => Ok(Paid::Declined { reason: reason.to_owned() }),
            },
        }
    }

    async fn learn(&self, called: Called<'_>, payment: &str) -> Result<Learned, Unanswered> {
        let target = Some(get_payment_request::Target::PaymentId(payment.to_owned()));
        let request = Peer::request(payment::GetPaymentRequest { target }, CONTEXT, called.run, &*self.clock);
        match self.client.clone().get_payment(request).await {
            Ok(response) => {
                let approved = response.into_inner().payment.is_some_and(|it| it.status() == PaymentStatus::Approved);
                Ok(Learned(if approved { Taken::Yes } else { Taken::No }))
            }
            Err(status) => {
                refused(&status).map_or_else(|| Err(self.peer.unanswered(&status)), |_| Ok(Learned(Taken::No)))
            }
        }
    }

    fn unreachable(&self) -> Option<Unanswered> {
        self.peer.unreachable()
    }
}

// === impl TicketingClient ===

impl TicketingClient {
    /// Ticketing behind `peer`.
    pub fn new(peer: Peer, clock: Arc<dyn Clock>) -> Self {
        Self { client: TicketingServiceClient::new(peer.clone()), peer, clock }
    }
}

#[async_trait]
impl Tickets for TicketingClient {
    async fn cancel(&self, called: Called<'_>) -> Result<Withdrawn, Unanswered> {
        let target = Some(cancel_ticket_request::Target::BookingId(called.booking.id.clone()));
        let request =
            Peer::request(CancelTicketRequest { target, ..Default::default() }, CONTEXT, called.run, &*self.clock);
        match self.client.clone().cancel_ticket(request).await {
            Ok(_) => Ok(Withdrawn::Yes),
            Err(status) => match refused(&status).as_deref() {
                Some("TICKET_ALREADY_COLLECTED") => Ok(Withdrawn::Collected),
                // Whatever else it says, the ticket is not known to be cancelled: asked again until it is.
                _ => Err(self.peer.unanswered(&status)),
            },
        }
    }
}
