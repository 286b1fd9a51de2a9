use std::sync::Arc;

use highstreet_domain::seating::{Screening, react};
use highstreet_grpc::seating::Seating;
use highstreet_wire::proto::seating::seating_service_server::SeatingServiceServer;
use highstreet_wire::seating::{HEARS, hear, publish};

use super::Nothing;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let screenings = context.keep::<Screening>(publish, Nothing);
    let desk = context.desk(&screenings);
    context.serve(SeatingServiceServer::new(Seating::new(desk, context.platform.shops.hold_for)));
    context.react(&screenings, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
