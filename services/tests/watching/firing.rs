//! Alerts that fire when something is wrong, and end when it is well again.

use std::convert::Infallible;
use std::time::Duration;

use highstreet::ContextName;
use highstreet::config::Role;
use highstreet_domain::kernel::ports::{Bus, DeadLetters};
use highstreet_testkit::servers::{PrometheusServer, within};
use highstreet_wire::proto::common::PaymentMethod;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::ordering::{OrderLine, PlaceOrderRequest};

use crate::common::{poison, won};
use crate::watched::{DAY, Watched, YEAR};

/// Gauges are looked at every five seconds, Prometheus every second.
const PATIENCE: Duration = Duration::from_mins(1);

/// CAP-17: an alert fires for what is wrong, names it, and ends once it is well again: a certificate that ends, messages
/// that nobody can read, a context that is gone, a store that is away.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_fire_and_end() {
    let mut watched = Watched::open(YEAR).await;
    certificate_ends(&watched).await;
    dead_letters(&watched).await;
    a_context_is_gone(&mut watched).await;
    the_store_is_away(&mut watched).await;
}

async fn certificate_ends(watched: &Watched) {
    watched.certify_anew(3 * DAY);
    fires(&watched.prometheus, "HighstreetCertificateExpires", &[("instance", "gateway-1")]).await;
    watched.certify_anew(YEAR);
    ends(&watched.prometheus, "HighstreetCertificateExpires").await;
}

async fn dead_letters(watched: &Watched) {
    let bus = watched.mesh.bus().await;
    bus.publish(vec![poison()]).await.unwrap();
    for listener in ["kitchen", "loyalty", "notification", "tracking"] {
        fires(&watched.prometheus, "HighstreetDeadLetters", &[("consumer", listener)]).await;
    }
    for letter in bus.dead_letters().await.unwrap() {
        assert!(bus.discard(&letter.listener, letter.place).await.unwrap());
    }
    ends(&watched.prometheus, "HighstreetDeadLetters").await;
}

async fn a_context_is_gone(watched: &mut Watched) {
    watched.mesh.of(ContextName::Payment).kill();
    tokio::select! {
        never = keep_ordering(watched) => match never {},
        () = fires(&watched.prometheus, "HighstreetBreakerOpen", &[("caller", "ordering"), ("callee", "payment")]) => {}
    }
    fires(&watched.prometheus, "HighstreetDown", &[("instance", "payment-0")]).await;
    watched.mesh.of(ContextName::Payment).started().await;
    within(PATIENCE, "orders are placed again", || async { place_order(watched).await.ok() }).await;
    ends(&watched.prometheus, "HighstreetDown").await;
    // Three calls that go well close it.
    tokio::select! {
        never = keep_ordering(watched) => match never {},
        () = ends(&watched.prometheus, "HighstreetBreakerOpen") => {}
    }
}

async fn the_store_is_away(watched: &mut Watched) {
    watched.mesh.postgres.kill();
    for instance in ["ordering-0", "payment-0"] {
        fires(&watched.prometheus, "HighstreetStoreUnreachable", &[("instance", instance)]).await;
    }
    watched.mesh.postgres.restart().await;
    ends(&watched.prometheus, "HighstreetStoreUnreachable").await;
    within(PATIENCE, "orders are placed again", || async { place_order(watched).await.ok() }).await;
}

/// Places orders, whatever becomes of them.
async fn keep_ordering(watched: &Watched) -> Infallible {
    let mut pause = tokio::time::interval(Duration::from_millis(50));
    loop {
        pause.tick().await;
        let _ = place_order(watched).await;
    }
}

async fn place_order(watched: &Watched) -> Result<(), tonic::Status> {
    let line = OrderLine {
        product_id: "latte".into(),
        product_name: "Latte".into(),
        quantity: 1,
        unit_price: Some(won(4500)),
    };
    let mut ordering = OrderingServiceClient::new(watched.mesh.channel(Role::Gateway).reach());
    let order = PlaceOrderRequest {
        shop_id: "skanu".into(),
        customer_phone: "010-1717-1717".into(),
        payment_method: PaymentMethod::Card.into(),
        lines: vec![line],
        ..Default::default()
    };
    ordering.place_order(order).await.map(drop)
}

/// Waits until this alert fires about this.
async fn fires(prometheus: &PrometheusServer, name: &str, about: &[(&str, &str)]) {
    within(PATIENCE, &format!("{name} fires about {about:?}"), || async {
        let has = |labels: &[(String, String)]| {
            about.iter().all(|(key, value)| labels.iter().any(|(label, is)| label == key && is == value))
        };
        let alerts = prometheus.alerts().await;
        alerts.iter().any(|alert| alert.name == name && alert.firing && has(&alert.labels)).then_some(())
    })
    .await;
}

/// Waits until this alert is about nothing any more.
async fn ends(prometheus: &PrometheusServer, name: &str) {
    within(PATIENCE, &format!("{name} ends"), || async {
        (!prometheus.alerts().await.iter().any(|alert| alert.name == name)).then_some(())
    })
    .await;
}
