use std::sync::Arc;

use highstreet_domain::ticketing::{Performing, Ticket, react};
use highstreet_grpc::ticketing::{LoyaltyClient, Ticketing};
use highstreet_wire::proto::ticketing::ticketing_service_server::TicketingServiceServer;
use highstreet_wire::ticketing::{HEARS, hear, publish};

use crate::ContextName;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let platform = context.platform;
    let loyalty = platform.peer(ContextName::Ticketing, ContextName::Loyalty);
    let points = LoyaltyClient::new(loyalty, platform.clock.clone());
    let tickets = context.keep::<Ticket>(publish, Performing(Arc::new(points)));
    context.serve(TicketingServiceServer::new(Ticketing(context.desk(&tickets))));
    context.react(&tickets, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
