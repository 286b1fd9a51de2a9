use std::sync::Arc;

use highstreet_domain::kitchen::{Preparation, react};
use highstreet_grpc::kitchen::Kitchen;
use highstreet_wire::kitchen::{HEARS, hear, publish};
use highstreet_wire::proto::kitchen::kitchen_service_server::KitchenServiceServer;

use super::Nothing;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let preparations = context.keep::<Preparation>(publish, Nothing);
    context.serve(KitchenServiceServer::new(Kitchen(context.desk(&preparations))));
    context.react(&preparations, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
