//! How the contexts are.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use highstreet_gateway::{HealthSettings, watch_health};
use highstreet_testkit::servers::eventually;
use tonic_health::ServingStatus;

use crate::channel;
use crate::context::Context;

#[tokio::test]
async fn services_are_as_their_contexts_say() {
    let mut context = Context::start().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let services = vec![crate::SERVICE.to_owned()];
    let settings = HealthSettings { every: Duration::from_millis(10), ..HealthSettings::default() };
    let watching = tokio::spawn({
        let (way, told) = (channel(context.address), told.clone());
        watch_health(way, services, settings, move |service, serving| {
            told.lock().unwrap().push((service.to_owned(), serving));
        })
    });
    let said = |all: &'static [bool]| {
        let told = told.clone();
        async move {
            let told: Vec<bool> = told.lock().unwrap().iter().map(|(_, serving)| *serving).collect();
            (told == all).then_some(())
        }
    };
    eventually("it serves", || said(&[true])).await;
    context.health.set_service_status(crate::SERVICE, ServingStatus::NotServing).await;
    eventually("it does not", || said(&[true, false])).await;
    context.health.set_service_status(crate::SERVICE, ServingStatus::Serving).await;
    eventually("it does again", || said(&[true, false, true])).await;
    context.kill();
    eventually("it is gone", || said(&[true, false, true, false])).await;
    let address = context.address;
    let _again = Context::start_at(address).await;
    eventually("it is back", || said(&[true, false, true, false, true])).await;
    watching.abort();
}
