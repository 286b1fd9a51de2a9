//! A high street on a socket of its own, and what its visitors have in common.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its part of it")]

use std::future::Future;
use std::time::Duration;

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet::{ContextName, Platform};
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_wire::proto::Money;
use highstreet_wire::proto::common::Reference;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use highstreet_wire::proto::notification::{ListNotificationsRequest, Notification};
use highstreet_wire::proto::tracking::tracking_service_client::TrackingServiceClient;
use highstreet_wire::proto::tracking::{GetTraceRequest, Trace};
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use uuid::Uuid;

pub(crate) mod mesh;
mod one_process;
mod stories;

use one_process::OneProcess;
use stories::Scene;
pub(crate) use stories::{OnlyHere, Story, all_are_told, stories, tell};

const PATIENCE: Duration = Duration::from_secs(20);

/// A high street: all contexts in this process, or each in one of its own.
pub(crate) struct HighStreet {
    place: Place,
    pub(crate) channel: Channel,
}

/// Where the contexts run.
#[allow(clippy::large_enum_variant, reason = "a test has one")]
enum Place {
    /// In this process, on SQLite files and the embedded bus unless somebody says otherwise.
    Here(OneProcess),
    /// In fifteen processes, on PostgreSQL and JetStream.
    Mesh(Scene),
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

/// A message of ordering's that an order is paid, whatever it carries.
pub(crate) fn order_paid(body: Vec<u8>) -> Message {
    Message {
        id: Uuid::now_v7(),
        source: ContextName::Ordering.as_str().into(),
        name: "OrderPaid".into(),
        subject: Uuid::now_v7(),
        time: Timestamp::default(),
        origin: Origin::default(),
        body,
    }
}

/// One that nobody can read.
pub(crate) fn poison() -> Message {
    order_paid(vec![0xff; 8])
}

// === impl HighStreet ===

impl HighStreet {
    /// As every shop is run; on the mesh, where a story is told there.
    pub(crate) async fn open() -> Self {
        Self::with(ShopArgs::standard()).await
    }

    /// Where the shops are run like this.
    pub(crate) async fn with(args: ShopArgs) -> Self {
        if let Some(stage) = stories::stage() {
            let scene = Scene::set(&stage, &args).await;
            let channel = scene.channel().await;
            return Self { place: Place::Mesh(scene), channel };
        }
        Self::here(Box::pin(OneProcess::with(args)).await).await
    }

    /// In this process, on this ground.
    pub(crate) async fn on(ground: GroundArgs, args: ShopArgs) -> Self {
        Self::here(Box::pin(OneProcess::on(ground, args)).await).await
    }

    async fn here(process: OneProcess) -> Self {
        Self { channel: process.channel().await, place: Place::Here(process) }
    }

    /// What the shop that is called `name` is called in this story: stories on one mesh have a shop each.
    pub(crate) fn shop(&self, name: &str) -> String {
        match &self.place {
            Place::Here(_) => name.to_owned(),
            Place::Mesh(scene) => scene.shop(name),
        }
    }

    /// Where a server in this process listens, as clients write it.
    pub(crate) fn url(&self) -> String {
        match &self.place {
            Place::Here(process) => process.address.clone(),
            Place::Mesh(_) => panic!("the contexts run in other processes: ask in one process only"),
        }
    }

    /// What a context in this process stands on; nobody gets at that of another process.
    pub(crate) fn platform(&self) -> &Platform {
        match &self.place {
            Place::Here(process) => process.street.platform(),
            Place::Mesh(_) => panic!("the contexts run in other processes: tell this story in one process only"),
        }
    }

    /// On the mesh it is killed.
    pub(crate) async fn stop(&mut self, context: ContextName) {
        match &mut self.place {
            Place::Here(process) => process.street.stop(context).await,
            Place::Mesh(scene) => scene.stop(context),
        }
    }

    pub(crate) async fn start(&mut self, context: ContextName) {
        match &mut self.place {
            Place::Here(process) => process.street.start(context).await.unwrap(),
            Place::Mesh(scene) => scene.start(context).await,
        }
    }

    /// What `calls` come to while nobody hears of anything but by being called, as the bus takes nothing.
    pub(crate) async fn without_news<T>(&self, calls: impl Future<Output = T>) -> T {
        match &self.place {
            Place::Here(process) => {
                let held = process.hold_bus();
                let outcome = calls.await;
                drop(held);
                outcome
            }
            Place::Mesh(scene) => {
                scene.no_news();
                let outcome = calls.await;
                scene.news_come();
                outcome
            }
        }
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
        let request = ListNotificationsRequest { shop_id: self.shop(shop), page_size: 1000, ..Default::default() };
        let mut notifications = NotificationServiceClient::new(self.channel.clone());
        notifications.list_notifications(request).await.unwrap().into_inner().notifications
    }

    /// How often money was taken, and given back.
    ///
    /// In this process the provider says so. On the mesh it is within payment's process, which keeps what it learnt
    /// from it: that is asked, of this story's shops.
    pub(crate) fn money_moved(&self) -> (usize, usize) {
        match &self.place {
            Place::Here(process) => {
                let ledger = process.street.platform().provider().ledger().unwrap();
                (ledger.charges.len(), ledger.refunds.len())
            }
            Place::Mesh(scene) => scene.money_moved(),
        }
    }
}
