//! A network that delays, loses and cuts, and a callee that does what it is asked and never answers.

use std::time::Duration;

use highstreet::ContextName::{Kitchen, Ordering, Payment};

use crate::harness::{Load, Mesh, Plan, Way, Weather};

const BAD: [Weather; 4] =
    [Weather::Delayed(Duration::from_millis(150)), Weather::Breaking(30), Weather::Lost, Weather::Cut];

/// CAFE-N1, CAFE-A3: whatever the network between ordering and payment does, there is no order without a payment and
/// no payment without an order.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_network_between_ordering_and_payment_breaks_no_order() {
    const WAY: Way = Way::Call(Ordering, Payment);
    let mesh = Mesh::with(Plan::default().through_proxy(WAY)).await;
    let load = Load::start(&mesh.calls(), 6);
    for weather in BAD {
        load.busy(10).await;
        mesh.weather(WAY, weather);
        // Every call meets it: as many as there are customers.
        load.called(8).await;
        mesh.weather(WAY, Weather::Clear);
        mesh.recovers().await;
    }
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}

/// CAFE-N1, CAFE-A3: payment registers what it is asked to, and its answers are lost: what was begun is undone, or comes
/// through when it is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn a_callee_that_commits_and_does_not_answer_leaves_no_payment_behind() {
    const WAY: Way = Way::Call(Ordering, Payment);
    let mesh = Mesh::with(Plan::default().through_proxy(WAY)).await;
    let load = Load::start(&mesh.calls(), 4);
    load.busy(10).await;
    mesh.weather(WAY, Weather::Unanswered);
    load.failed(4).await;
    mesh.weather(WAY, Weather::Clear);
    mesh.recovers().await;
    let notes = load.stop().await;
    let books = mesh.settle(&notes).await;
    let undone = books.payments.keys().filter(|order| !books.orders.contains_key(*order)).count();
    assert!(undone > 0, "no payment was undone: nothing was lost on the way");
}

/// CAP-3: contexts are cut off from their store and their broker.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_network_to_the_servers_loses_nothing() {
    const WAYS: [Way; 4] = [Way::Store(Payment), Way::Bus(Payment), Way::Store(Kitchen), Way::Bus(Kitchen)];
    let plan = WAYS.into_iter().fold(Plan::default(), Plan::through_proxy);
    let mesh = Mesh::with(plan).await;
    let load = Load::start(&mesh.calls(), 6);
    for weather in BAD {
        load.busy(10).await;
        for way in WAYS {
            mesh.weather(way, weather);
        }
        load.called(20).await;
        for way in WAYS {
            mesh.weather(way, Weather::Clear);
        }
        mesh.recovers().await;
    }
    let notes = load.stop().await;
    mesh.settle(&notes).await;
}
