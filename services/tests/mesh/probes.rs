//! What probes are told while something is away.

use highstreet::ContextName::{Ordering, Payment};
use highstreet::config::Role;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::common::eventually;
use crate::harness::{Mesh, Plan, Way, Weather};

/// CAP-14: a restart does not bring a store back, so liveness says nothing of it; but nobody is sent work who cannot do it.
/// Without the bus or a callee there is work to do: degraded, and ready.
#[tokio::test(flavor = "multi_thread")]
async fn probes_tell_what_is_away() {
    const STORE: Way = Way::Store(Payment);
    const BUS: Way = Way::Bus(Payment);
    let mut mesh = Mesh::with(Plan::default().through_proxy(STORE).through_proxy(BUS)).await;
    let (ordering, payment) = (mesh.places(Ordering)[0], mesh.places(Payment)[0]);

    mesh.weather(STORE, Weather::Cut);
    says(&mesh, payment, "503", &["not ready", "\"store\""]).await;
    serves(&mesh, ServingStatus::NotServing).await;
    says(&mesh, ordering, "200", &[]).await;
    mesh.weather(STORE, Weather::Clear);
    says(&mesh, payment, "200", &["\"status\":\"ready\""]).await;
    serves(&mesh, ServingStatus::Serving).await;

    mesh.weather(BUS, Weather::Cut);
    says(&mesh, payment, "200", &["degraded", "\"bus\""]).await;
    serves(&mesh, ServingStatus::Serving).await;
    mesh.weather(BUS, Weather::Clear);
    says(&mesh, payment, "200", &["\"status\":\"ready\""]).await;

    mesh.replicas[payment].kill();
    says(&mesh, ordering, "200", &["degraded", "payment does not answer", "PlaceOrder"]).await;
    mesh.replicas[payment].started().await;
    says(&mesh, ordering, "200", &["\"status\":\"ready\""]).await;
}

/// Waits until readiness is told like this, by somebody who lives all the while.
async fn says(mesh: &Mesh, place: usize, code: &str, words: &[&str]) {
    let replica = &mesh.replicas[place];
    eventually(&format!("{} says {code} {words:?}", replica.name()), || async {
        let lives = replica.ask("/livez").await.unwrap_or_default();
        assert!(lives.starts_with("HTTP/1.1 200"), "{}: {lives}", replica.name());
        let told = replica.ask("/readyz").await?;
        let as_said = told.starts_with(&format!("HTTP/1.1 {code}")) && words.iter().all(|word| told.contains(word));
        as_said.then_some(())
    })
    .await;
}

/// Waits until whoever asks payment by gRPC is told this of its services.
async fn serves(mesh: &Mesh, status: ServingStatus) {
    let channel = mesh.channel(Role::Context(Payment));
    eventually(&format!("payment's services are {status:?}"), || async {
        let mut health = HealthClient::new(channel.clone());
        let question = HealthCheckRequest { service: "highstreet.payment.v1.PaymentService".into() };
        let answer = health.check(question).await.ok()?;
        (answer.into_inner().status() == status).then_some(())
    })
    .await;
}
