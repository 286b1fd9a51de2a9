//! Callees that move.

use highstreet::ContextName::{Ordering, Payment};
use highstreet::config::Role;
use highstreet_testkit::servers::free_port;
use tonic::Code;

use crate::harness::{Mesh, lattes};

const PHONE: &str = "010-3333-3333";

/// CAP-5: payment moves to another address; ordering and the gateway find it there by configuration.
#[tokio::test(flavor = "multi_thread")]
async fn a_callee_that_moved_is_found_by_configuration() {
    let mut mesh = Mesh::open().await;
    mesh.calls().place(lattes(1, PHONE)).await.unwrap();
    let payment = mesh.of(Payment);
    payment.stopped().await;
    payment.listen.set_port(free_port());
    payment.started().await;
    let refused = mesh.calls().place(lattes(1, PHONE)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");

    for place in 0..mesh.replicas.len() {
        if [Role::Context(Ordering), Role::Gateway].contains(&mesh.replicas[place].role) {
            mesh.replicas[place].stopped().await;
            mesh.find(place, Payment, &mesh.addresses(Role::Context(Payment)));
            mesh.replicas[place].started().await;
        }
    }
    let order = mesh.calls().place(lattes(1, PHONE)).await.unwrap();
    mesh.calls().pay(&order).await.unwrap();
    mesh.recovers().await;
}

/// CAP-5: of two addresses one is dead: nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_address_among_two_costs_nobody_anything() {
    let mut mesh = Mesh::prepare(crate::harness::Plan::default()).await;
    let dead = ([127, 0, 0, 1], free_port()).into();
    for place in 0..mesh.replicas.len() {
        let addresses = [&[dead][..], &mesh.addresses(Role::Context(Payment))].concat();
        mesh.find(place, Payment, &addresses);
    }
    mesh.start_all().await;
    let calls = mesh.calls();
    for _ in 0..40 {
        let order = calls.place(lattes(1, PHONE)).await.unwrap();
        calls.payment(&order).await.unwrap();
    }
    assert_eq!(calls.counted().failed, [""; 0]);
}
