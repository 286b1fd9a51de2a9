use std::sync::Arc;

use highstreet_domain::ordering::{Order, Performing, react};
use highstreet_grpc::ordering::{Ordering, PaymentClient};
use highstreet_wire::ordering::{HEARS, hear, publish};
use highstreet_wire::proto::ordering::ordering_service_server::OrderingServiceServer;

use crate::context::Mount;
use crate::ContextName;

pub(super) fn mount(context: &mut Mount<'_>) {
    let platform = context.platform;
    let payment = platform.peer(ContextName::Ordering, ContextName::Payment);
    let payments = PaymentClient::new(payment, platform.clock.clone());
    let orders = context.keep::<Order>(publish, Performing(Arc::new(payments)));
    let desk = context.desk(&orders);
    context.serve(OrderingServiceServer::new(Ordering::new(desk, platform.shops.pay_within)));
    context.react(&orders, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
