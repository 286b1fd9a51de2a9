use std::sync::Arc;

use highstreet_domain::inventory::{Stock, react};
use highstreet_grpc::inventory::Inventory;
use highstreet_wire::inventory::{HEARS, hear, publish};
use highstreet_wire::proto::inventory::inventory_service_server::InventoryServiceServer;

use super::Nothing;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let low_at = i64::from(context.platform.shops.reorder_point);
    let stock = context.keep::<Stock>(publish, Nothing);
    let desk = context.desk(&stock);
    context.serve(InventoryServiceServer::new(Inventory { desk, low_at }));
    let hearing = move |message: &_| Ok(hear(message)?.iter().flat_map(|fact| react(fact, low_at)).collect());
    context.react(&stock, HEARS, Arc::new(hearing));
    context.publish();
}
