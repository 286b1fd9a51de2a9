//! How the contexts are, as they say themselves.

use std::time::Duration;

use http::{Request, Response};
use tokio::time::{MissedTickBehavior, interval};
use tonic::body::Body;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::Service;

use crate::BoxError;

/// How often contexts are asked how they are.
#[derive(Clone, Copy, Debug)]
pub struct HealthSettings {
    /// The pause between two questions.
    pub every: Duration,
    /// How long an answer may take; a context that takes longer does not serve.
    pub timeout: Duration,
    /// How often a context is asked again at once, before its `no` is believed: one replica of several may be going.
    pub asked_again: usize,
}

// === impl HealthSettings ===

impl Default for HealthSettings {
    fn default() -> Self {
        Self { every: Duration::from_secs(1), timeout: Duration::from_secs(1), asked_again: 3 }
    }
}

/// Asks the context behind `way` about its `services`, again and again, and tells what it says: first of all
/// services, then of those that changed. Never returns; drop it to stop.
pub async fn watch_health<S>(way: S, services: Vec<String>, settings: HealthSettings, tell: impl Fn(&str, bool))
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone,
    S::Error: Into<BoxError>,
{
    let client = HealthClient::new(way);
    let mut known: Vec<(String, Option<bool>)> = services.into_iter().map(|service| (service, None)).collect();
    let mut times = interval(settings.every);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        for (service, known) in &mut known {
            let serves = serves(&client, service, settings).await;
            if *known != Some(serves) {
                *known = Some(serves);
                tell(service, serves);
            }
        }
    }
}

async fn serves<S>(client: &HealthClient<S>, service: &str, settings: HealthSettings) -> bool
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone,
    S::Error: Into<BoxError>,
{
    for _ in 0..=settings.asked_again {
        let mut client = client.clone();
        let question = HealthCheckRequest { service: service.to_owned() };
        match tokio::time::timeout(settings.timeout, client.check(question)).await {
            Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => return true,
            // Another replica may say yes.
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return false,
        }
    }
    false
}
