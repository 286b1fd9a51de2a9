use std::sync::Arc;

use highstreet_domain::loyalty::{Account, react};
use highstreet_grpc::loyalty::Loyalty;
use highstreet_wire::loyalty::{HEARS, hear, publish};
use highstreet_wire::proto::loyalty::loyalty_service_server::LoyaltyServiceServer;

use super::Nothing;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let accounts = context.keep::<Account>(publish, Nothing);
    context.serve(LoyaltyServiceServer::new(Loyalty(context.desk(&accounts))));
    context.react(&accounts, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
