use std::sync::Arc;

use highstreet_domain::tracking::CONTEXT;
use highstreet_grpc::tracking::{Boards, Tracking};
use highstreet_wire::proto::tracking::tracking_service_server::TrackingServiceServer;
use highstreet_wire::tracking::{GOODS, HEARS, ORDERS, TAKINGS, hear, see_goods, see_order, see_sale};

use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let traces = context.project(CONTEXT, HEARS, Arc::new(hear));
    let boards = Boards {
        orders: context.project("tracking-orders", ORDERS, Arc::new(see_order)),
        goods: context.project("tracking-goods", GOODS, Arc::new(see_goods)),
        takings: context.project("tracking-takings", TAKINGS, Arc::new(see_sale)),
    };
    let (ending, clock) = (context.platform.ending.clone(), context.platform.clock.clone());
    context.serve(TrackingServiceServer::new(Tracking { traces, boards, clock, ending }));
}
