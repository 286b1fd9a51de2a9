use std::sync::Arc;

use highstreet_domain::replenishment::{Order, Performing, react};
use highstreet_grpc::replenishment::{DeliveryClient, Replenishment};
use highstreet_wire::proto::replenishment::replenishment_service_server::ReplenishmentServiceServer;
use highstreet_wire::replenishment::{HEARS, hear, publish};

use crate::ContextName;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let platform = context.platform;
    let delivery = platform.peer(ContextName::Replenishment, ContextName::Delivery);
    let deliveries = DeliveryClient::new(delivery, platform.clock.clone());
    let orders = context.keep::<Order>(publish, Performing(Arc::new(deliveries)));
    context.serve(ReplenishmentServiceServer::new(Replenishment(context.desk(&orders))));
    context.react(&orders, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
