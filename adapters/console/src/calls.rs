//! The way to the services, in a visitor's name.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use futures_util::future::BoxFuture;
use highstreet_wire::proto::booking::booking_service_client::BookingServiceClient;
use highstreet_wire::proto::delivery::delivery_service_client::DeliveryServiceClient;
use highstreet_wire::proto::inventory::inventory_service_client::InventoryServiceClient;
use highstreet_wire::proto::kitchen::kitchen_service_client::KitchenServiceClient;
use highstreet_wire::proto::lending::lending_service_client::LendingServiceClient;
use highstreet_wire::proto::loyalty::loyalty_service_client::LoyaltyServiceClient;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::operations::operations_service_client::OperationsServiceClient;
use highstreet_wire::proto::ordering::ordering_service_client::OrderingServiceClient;
use highstreet_wire::proto::payment::payment_service_client::PaymentServiceClient;
use highstreet_wire::proto::replenishment::replenishment_service_client::ReplenishmentServiceClient;
use highstreet_wire::proto::sales::sales_service_client::SalesServiceClient;
use highstreet_wire::proto::seating::seating_service_client::SeatingServiceClient;
use highstreet_wire::proto::ticketing::ticketing_service_client::TicketingServiceClient;
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

/// The guarded way to every gRPC service.
pub type Way = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// How long a visitor looks at a page that does not come. Bookings may take half a minute.
const PATIENCE: Duration = Duration::from_secs(35);

/// The services, as one visitor reaches them.
#[derive(Clone)]
pub(crate) struct Calls(Way);

/// What a call answers, or that it took too long. Boxed, as pages wait for many calls at once.
pub(crate) fn ask<'a, T: 'a>(
    call: impl Future<Output = Result<tonic::Response<T>, Status>> + Send + 'a,
) -> BoxFuture<'a, Result<T, Status>> {
    Box::pin(async move {
        match tokio::time::timeout(PATIENCE, call).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
            Err(_) => Err(Status::deadline_exceeded("this takes too long; look again whether it was done after all")),
        }
    })
}

macro_rules! services {
    ($($name:ident: $client:ident;)*) => {
        impl Calls {
            $(pub(crate) fn $name(&self) -> $client<Way> {
                $client::new(self.0.clone())
            })*
        }
    };
}

services! {
    booking: BookingServiceClient;
    delivery: DeliveryServiceClient;
    health: HealthClient;
    inventory: InventoryServiceClient;
    kitchen: KitchenServiceClient;
    lending: LendingServiceClient;
    loyalty: LoyaltyServiceClient;
    notification: NotificationServiceClient;
    operations: OperationsServiceClient;
    ordering: OrderingServiceClient;
    payment: PaymentServiceClient;
    replenishment: ReplenishmentServiceClient;
    sales: SalesServiceClient;
    seating: SeatingServiceClient;
    ticketing: TicketingServiceClient;
    tracking: TrackingServiceClient;
}

// === impl Calls ===

impl Calls {
    /// By `way`, with this token if there is one.
    pub(crate) fn new(way: Way, token: Option<&str>) -> Self {
        let bearer = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        let Some(mut bearer) = bearer else { return Self(way) };
        bearer.set_sensitive(true);
        Self(BoxCloneSyncService::new(way.map_request(move |mut request: Request<Body>| {
            request.headers_mut().insert(AUTHORIZATION, bearer.clone());
            request
        })))
    }
}
