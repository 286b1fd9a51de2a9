use std::sync::Arc;

use highstreet_domain::payment::{Payment, Performing, react};
use highstreet_grpc::payment::Payments;
use highstreet_wire::payment::{HEARS, hear, publish};
use highstreet_wire::proto::payment::payment_service_server::PaymentServiceServer;

use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let payments = context.keep::<Payment>(publish, Performing(context.platform.payment_provider()));
    context.serve(PaymentServiceServer::new(Payments(context.desk(&payments))));
    context.react(&payments, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
