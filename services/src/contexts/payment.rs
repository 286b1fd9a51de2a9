use std::sync::Arc;

use highstreet_domain::payment::{Payment, Performing, react};
use highstreet_grpc::Dependency;
use highstreet_grpc::payment::Payments;
use highstreet_wire::payment::{HEARS, hear, publish};
use highstreet_wire::proto::payment::payment_service_server::PaymentServiceServer;

use crate::context::Mount;

const PROVIDER: Dependency = Dependency { name: "the payment provider", reason: "PROVIDER_UNAVAILABLE" };

pub(super) fn mount(context: &mut Mount<'_>) {
    let payments = context.keep::<Payment>(publish, Performing(context.platform.payment_provider()));
    context.serve(PaymentServiceServer::new(Payments(context.desk(&payments, PROVIDER))));
    context.react(&payments, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
