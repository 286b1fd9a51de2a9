//! Ticketing over gRPC: `TicketingService` inbound, loyalty outbound.

use std::sync::Arc;

use async_trait::async_trait;
use highstreet_domain::booking;
use highstreet_domain::kernel::ports::{Clock, Filter, Run};
use highstreet_domain::kernel::{Id, Payer, Phone, Reference, ShopId, Standing, Unanswered};
use highstreet_domain::ticketing::{CONTEXT, Canceller, Command, Grant, Granted, Points, Rejection, Ticket};
use highstreet_wire::convert::{money, reference, timestamp};
use highstreet_wire::proto::loyalty as callee;
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::ticketing as proto;
use highstreet_wire::proto::ticketing::ticketing_service_server::TicketingService;
use highstreet_wire::proto::ticketing::{cancel_ticket_request, get_ticket_request};
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::peer::{Peer, refused};
use crate::scope::{asked, scope_of};
use crate::status::{not_found, of_rejection};

/// The points of a collected ticket.
const POINTS: i64 = 100;

/// Ticketing, inbound.
pub struct Ticketing(pub Desk<Ticket>);

/// Loyalty, as ticketing calls it.
pub struct LoyaltyClient {
    peer: Peer,
    client: LoyaltyServiceClient<Peer>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl TicketingService for Ticketing {
    async fn collect_ticket(
        &self,
        request: Request<proto::CollectTicketRequest>,
    ) -> Result<Response<proto::CollectTicketResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = fields.uuid("ticket_id", &message.ticket_id);
        let id = Id::new(fields.finish_with(id)?);
        let (id, ticket) = self.0.change(&call, terms, id, Command::Collect).await?;
        // Somebody cancelled it while its points were being granted: nobody is let in.
        if let Ticket::Cancelled(_) = ticket.state {
            return Err(of_rejection(id, &Rejection::AlreadyCancelled));
        }
        Ok(Response::new(proto::CollectTicketResponse { ticket: Some(show(id, &ticket)?) }))
    }

    async fn cancel_ticket(
        &self,
        request: Request<proto::CancelTicketRequest>,
    ) -> Result<Response<proto::CancelTicketResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = match &message.target {
            Some(cancel_ticket_request::Target::TicketId(id)) => fields.uuid("ticket_id", id).map(Id::new),
            Some(cancel_ticket_request::Target::BookingId(id)) => of_booking(&mut fields, id),
            None => none_named(&mut fields),
        };
        let id = fields.finish_with(id)?;
        let canceller = if call.is_from_context() { Canceller::Booking } else { Canceller::Holder };
        let (id, ticket) = self.0.change(&call, terms, id, Command::Cancel(canceller)).await?;
        // Cancelled before it was issued: there is nothing to show, and nothing wrong.
        let ticket = ticket.state.admission().is_some().then(|| show(id, &ticket)).transpose()?;
        Ok(Response::new(proto::CancelTicketResponse { ticket }))
    }

    async fn get_ticket(
        &self,
        request: Request<proto::GetTicketRequest>,
    ) -> Result<Response<proto::GetTicketResponse>, Status> {
        let mut fields = Fields::default();
        let id = match &request.get_ref().target {
            Some(get_ticket_request::Target::TicketId(id)) => fields.uuid("ticket_id", id).map(Id::new),
            Some(get_ticket_request::Target::BookingId(id)) => of_booking(&mut fields, id),
            None => none_named(&mut fields),
        };
        let id = fields.finish_with(id)?;
        let ticket = self.0.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetTicketResponse { ticket: Some(show(id, &ticket)?) }))
    }

    async fn list_tickets(
        &self,
        request: Request<proto::ListTicketsRequest>,
    ) -> Result<Response<proto::ListTicketsResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::TicketStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let customer = fields.optional("customer", &message.customer, Payer::parse);
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            owner: customer.map(|customer| Phone::key_of(customer.as_str())),
            reference: None,
            status: fields.status("status", message.status, status, "TICKET_STATUS_"),
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.0.list(&scope, &wanted).await?;
        let tickets = found.iter().map(|(id, ticket)| show(*id, ticket)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListTicketsResponse { tickets, next_page_token }))
    }
}

/// The id of the ticket that this booking has, or will get.
fn of_booking(fields: &mut Fields, booking: &str) -> Option<Id<Ticket>> {
    let booking = fields.uuid("booking_id", booking)?;
    Some(Id::made_for(&Reference::new(booking::CONTEXT, booking.to_string())))
}

fn none_named(fields: &mut Fields) -> Option<Id<Ticket>> {
    fields.wrong("ticket_id", "or booking_id must be set");
    None
}

fn show(id: Id<Ticket>, ticket: &Standing<Ticket>) -> Result<proto::Ticket, Status> {
    let admission = ticket.state.admission().ok_or_else(|| not_found("ticket", &id.to_string()))?;
    let status = match ticket.state {
        Ticket::Unborn | Ticket::Issued { .. } | Ticket::Collecting { .. } => proto::TicketStatus::Issued,
        Ticket::Collected { .. } => proto::TicketStatus::Collected,
        Ticket::Cancelled(_) => proto::TicketStatus::Cancelled,
    };
    Ok(proto::Ticket {
        ticket_id: id.to_string(),
        shop_id: admission.case.shop.to_string(),
        booking: Some(reference(&admission.case.root)),
        customer: admission.case.customer.clone(),
        screening_id: admission.screening.to_string(),
        movie_name: admission.movie.to_string(),
        seats: admission.seats.names(),
        total_price: Some(money(&admission.price)),
        status: status.into(),
        revision: ticket.revision.cast_signed(),
        create_time: Some(timestamp(ticket.created)),
        update_time: Some(timestamp(ticket.updated)),
    })
}

// === impl LoyaltyClient ===

impl LoyaltyClient {
    /// Loyalty behind `peer`.
    pub fn new(peer: Peer, clock: Arc<dyn Clock>) -> Self {
        Self { client: LoyaltyServiceClient::new(peer.clone()), peer, clock }
    }
}

#[async_trait]
impl Points for LoyaltyClient {
    async fn grant(&self, granted_for: &Reference, grant: &Grant, run: &Run) -> Result<Granted, Unanswered> {
        let message = callee::GrantPointsRequest {
            shop_id: grant.shop.to_string(),
            member: grant.member.clone(),
            points: POINTS,
            reference: Some(reference(granted_for)),
            root: Some(reference(&grant.root)),
            // One reference earns once: that makes a repeat harmless.
            request_id: String::new(),
        };
        let request = Peer::request(message, CONTEXT, run, &*self.clock);
        match self.client.clone().grant_points(request).await {
            Ok(_) => Ok(Granted::Yes),
            Err(status) => {
                let reason = refused(&status).ok_or_else(|| self.peer.unanswered(&status))?;
                Ok(Granted::Refused { reason })
            }
        }
    }
}
