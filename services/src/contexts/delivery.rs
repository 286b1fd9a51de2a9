use std::sync::Arc;

use highstreet_domain::delivery::{Delivery, Dispatch, react};
use highstreet_grpc::delivery::Deliveries;
use highstreet_wire::delivery::{HEARS, hear, publish};
use highstreet_wire::proto::delivery::delivery_service_server::DeliveryServiceServer;

use super::Nothing;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let dispatch = if context.platform.shops.auto_ship { Dispatch::AtOnce } else { Dispatch::ByHand };
    let deliveries = context.keep::<Delivery>(publish, Nothing);
    context.serve(DeliveryServiceServer::new(Deliveries(context.desk(&deliveries))));
    let hearing = move |message: &_| Ok(hear(message)?.iter().flat_map(|fact| react(fact, dispatch)).collect());
    context.react(&deliveries, HEARS, Arc::new(hearing));
    context.publish();
}
