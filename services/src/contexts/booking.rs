use std::sync::Arc;

use highstreet_domain::booking::{Booking, Partners, Performing, react};
use highstreet_grpc::booking::{Bookings, PaymentClient, SeatingClient, Terms, TicketingClient};
use highstreet_wire::booking::{HEARS, hear, publish};
use highstreet_wire::proto::booking::booking_service_server::BookingServiceServer;

use crate::ContextName;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let platform = context.platform;
    let peer = |callee| platform.peer(ContextName::Booking, callee);
    let partners = Partners {
        seats: Arc::new(SeatingClient::new(peer(ContextName::Seating), platform.clock.clone())),
        payments: Arc::new(PaymentClient::new(peer(ContextName::Payment), platform.clock.clone())),
        tickets: Arc::new(TicketingClient::new(peer(ContextName::Ticketing), platform.clock.clone())),
    };
    let bookings = context.keep::<Booking>(publish, Performing(partners));
    let shops = &platform.shops;
    let terms =
        Terms { brand: shops.brand.clone(), pay_within: shops.pay_within, select_within: shops.select_within };
    context.serve(BookingServiceServer::new(Bookings::new(context.desk(&bookings), terms)));
    context.react(&bookings, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
