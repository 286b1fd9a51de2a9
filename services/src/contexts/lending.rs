use std::sync::Arc;

use highstreet_domain::lending::{Reservation, react};
use highstreet_grpc::lending::Lending;
use highstreet_wire::lending::{BOOKS, HEARS, hear, publish, see_book};
use highstreet_wire::proto::lending::lending_service_server::LendingServiceServer;

use super::Nothing;
use crate::context::Mount;

pub(super) fn mount(context: &mut Mount<'_>) {
    let reservations = context.keep::<Reservation>(publish, Nothing);
    let books = context.project("lending-books", BOOKS, Arc::new(see_book));
    let desk = context.desk(&reservations);
    context.serve(LendingServiceServer::new(Lending { desk, books }));
    context.react(&reservations, HEARS, Arc::new(|message| Ok(hear(message)?.iter().flat_map(react).collect())));
    context.publish();
}
