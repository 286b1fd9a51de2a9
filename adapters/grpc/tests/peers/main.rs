//! Calls between contexts over real sockets.
#![allow(clippy::unwrap_used, reason = "tests fail where they stand")]

mod channel;
mod peer;
mod replica;
mod restart;
mod streams;

use std::error::Error;
use std::time::Duration;

use highstreet_grpc::{Addresses, BoxError, Channel, ChannelSettings, PeerFailure};
use highstreet_wire::proto::notification::ListNotificationsRequest;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::replica::Replica;

/// A channel to these replicas, that looks their names up often.
fn channel_to<'a>(replicas: impl IntoIterator<Item = &'a Replica>) -> Channel {
    let addresses: Vec<_> = replicas.into_iter().map(|replica| format!("http://{}", replica.address)).collect();
    Channel::new(addresses.join(",").parse::<Addresses>().unwrap(), settings())
}

fn settings() -> ChannelSettings {
    ChannelSettings { resolve_every: Duration::from_millis(50), ..ChannelSettings::default() }
}

async fn list<S>(way: &S, shop: &str) -> Result<String, Status>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + Sync,
    S::Future: Send,
{
    let request = ListNotificationsRequest { shop_id: shop.into(), ..Default::default() };
    let mut client = NotificationServiceClient::new(way.clone());
    client.list_notifications(request).await.map(|answer| answer.into_inner().next_page_token)
}

/// Why there was no answer.
#[track_caller]
fn failure(status: &Status) -> &PeerFailure {
    let mut source = status.source();
    while let Some(error) = source {
        if let Some(failure) = error.downcast_ref() {
            return failure;
        }
        source = error.source();
    }
    panic!("an answer: {status}")
}
