use std::sync::Arc;

use highstreet_grpc::tracking::Tracking;
use highstreet_wire::proto::tracking::tracking_service_server::TrackingServiceServer;
use highstreet_wire::tracking::{HEARS, hear};

use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let views = context.project(highstreet_domain::tracking::CONTEXT, HEARS, Arc::new(hear));
    context.serve(TrackingServiceServer::new(Tracking { views, ending: context.platform.ending.clone() }));
}
