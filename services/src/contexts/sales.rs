use std::sync::Arc;

use highstreet_domain::sales::{Purchase, react};
use highstreet_grpc::sales::Sales;
use highstreet_wire::proto::sales::sales_service_server::SalesServiceServer;
use highstreet_wire::sales::{HEARS, hear, publish};

use super::Nothing;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let purchases = context.keep::<Purchase>(publish, Nothing);
    context.serve(SalesServiceServer::new(Sales(context.desk(&purchases))));
    context.react(&purchases, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
