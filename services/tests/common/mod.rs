//! A high street on a socket of its own, and what its visitors have in common.
#![allow(dead_code, reason = "each test program uses its part of it")]

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet::{ContextName, Door, Platform, Street};
use highstreet_provider::{Simulated, Simulation};
use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::notification::{ListNotificationsRequest, Notification};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{GetTraceRequest, Trace};
use tempfile::TempDir;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;

const PATIENCE: Duration = Duration::from_secs(20);

/// All contexts in this process, on SQLite files and the embedded bus.
pub(crate) struct HighStreet {
    pub(crate) street: Street,
    pub(crate) channel: Channel,
    pub(crate) address: SocketAddr,
    _data: Option<TempDir>,
}

/// Waits until `look` finds something.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let waiting = async {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            if let Some(found) = look().await {
                return found;
            }
            pause.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Why a call was refused, for programs.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

/// The fields that an `INVALID_ARGUMENT` names, in alphabetical order.
pub(crate) fn bad_fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status:?}");
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let mut fields: Vec<_> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort_unstable();
    fields
}

/// How often `event` is on a trace.
pub(crate) fn count(trace: &Trace, event: &str) -> usize {
    trace.steps.iter().filter(|step| step.event == event).count()
}

pub(crate) fn reference(context: &str, id: &str) -> Reference {
    Reference { context: context.into(), id: id.into() }
}

pub(crate) fn won(units: i64) -> Money {
    Money { currency_code: "KRW".into(), units, nanos: 0 }
}

// === impl HighStreet ===

impl HighStreet {
    pub(crate) async fn open() -> Self {
        Self::with(ShopArgs::standard()).await
    }

    pub(crate) async fn with(args: ShopArgs) -> Self {
        let data = tempfile::tempdir().unwrap();
        let street = Self::on(GroundArgs::embedded(data.path()), args).await;
        Self { _data: Some(data), ..street }
    }

    /// On this ground.
    pub(crate) async fn on(ground: GroundArgs, args: ShopArgs) -> Self {
        let simulation = Simulation {
            latency: args.provider_latency.clone(),
            decline_rate: args.provider_decline_rate,
            ..Simulation::default()
        };
        let provider = Simulated::recording(simulation).unwrap();
        let platform = Platform::open(ground, args).await.unwrap().with_provider(provider);
        let street = Street::open(platform, &ContextName::ALL).await.unwrap();
        let door = Door::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (listening, serving) = door.open(&street, std::future::pending()).unwrap();
        tokio::spawn(serving);
        listening.report(tonic_health::ServingStatus::Serving).await;
        let channel = Channel::from_shared(format!("http://{}", listening.address)).unwrap().connect().await.unwrap();
        Self { street, channel, address: listening.address, _data: None }
    }

    pub(crate) async fn stop(&mut self, context: ContextName) {
        self.street.stop(context).await;
    }

    pub(crate) async fn start(&mut self, context: ContextName) {
        self.street.start(context).await.unwrap();
    }

    pub(crate) fn tracking(&self) -> TrackingServiceClient<Channel> {
        TrackingServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn trace(&self, order: &Reference) -> Option<Trace> {
        let request = GetTraceRequest { order: Some(order.clone()) };
        self.tracking().get_trace(request).await.ok()?.into_inner().trace
    }

    /// Waits until a trace has come to `status`.
    pub(crate) async fn traced(&self, order: &Reference, status: &str) -> Trace {
        eventually(status, || async { self.trace(order).await.filter(|trace| trace.status == status) }).await
    }

    /// Waits until a trace shows all of `events`, which come from several contexts, and checks that each is there once.
    pub(crate) async fn traced_once(&self, order: &Reference, events: &[&str]) -> Trace {
        let complete = |trace: &Trace| events.iter().all(|event| count(trace, event) > 0);
        let look = || async { self.trace(order).await.filter(complete) };
        let trace = eventually(&format!("{events:?} on the trace"), look).await;
        for event in events {
            assert_eq!(count(&trace, event), 1, "{event} in {trace:#?}");
        }
        trace
    }

    /// The newest thousand notifications of a shop.
    pub(crate) async fn notifications(&self, shop: &str) -> Vec<Notification> {
        let request = ListNotificationsRequest { shop_id: shop.into(), page_size: 1000, ..Default::default() };
        let mut notifications = NotificationServiceClient::new(self.channel.clone());
        notifications.list_notifications(request).await.unwrap().into_inner().notifications
    }

    /// How often money was taken, and given back.
    pub(crate) fn money_moved(&self) -> (usize, usize) {
        let ledger = self.street.platform().provider().ledger().unwrap();
        (ledger.charges.len(), ledger.refunds.len())
    }
}
