//! A context that does as it is told, on a socket and in a runtime of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use highstreet_testkit::servers::{eventually, free_port};
use highstreet_wire::proto::notification::notification_service_server::{
    NotificationService, NotificationServiceServer,
};
use highstreet_wire::proto::notification::{
    GetNotificationRequest, GetNotificationResponse, ListNotificationsRequest, ListNotificationsResponse,
    ResendNotificationRequest, ResendNotificationResponse, WatchNotificationsRequest, WatchNotificationsResponse,
};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_types::{ErrorDetails, StatusExt};

/// To be called with this shop, the context never answers.
pub(crate) const HANGS: &str = "hangs";
const LIMIT: usize = 16 * 1024 * 1024;

pub(crate) struct Context {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    pub(crate) health: HealthReporter,
    runtime: Option<Runtime>,
}

type Told = Result<WatchNotificationsResponse, Status>;

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) metadata: Mutex<Option<MetadataMap>>,
    /// Calls that hang.
    pub(crate) hanging: Mutex<usize>,
    /// Tells the watcher.
    pub(crate) watcher: Mutex<Option<mpsc::UnboundedSender<Told>>>,
}

struct Notifications(Arc<Seen>);

/// A call that hangs, until it is dropped.
struct Hanging(Arc<Seen>);

// === impl Context ===

impl Context {
    pub(crate) async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], free_port()))).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let seen = Arc::new(Seen::default());
        let service = NotificationServiceServer::new(Notifications(seen.clone()))
            .max_decoding_message_size(LIMIT)
            .max_encoding_message_size(LIMIT);
        let (health, checks) = tonic_health::server::health_reporter();
        health.set_service_status(crate::SERVICE, ServingStatus::Serving).await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(highstreet_wire::DESCRIPTORS)
            .build_v1()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let serving = Server::builder().add_service(service).add_service(checks).add_service(reflection).serve(address);
        runtime.spawn(serving);
        eventually("the context listens", || async { TcpStream::connect(address).await.ok() }).await;
        Self { address, seen, health, runtime: Some(runtime) }
    }

    /// Ends in the middle of everything.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.kill();
    }
}

// === impl Seen ===

impl Seen {
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let metadata = self.metadata.lock().unwrap();
        metadata.as_ref()?.get(key)?.to_str().ok().map(str::to_owned)
    }

    pub(crate) fn is_watched(&self) -> Option<()> {
        self.watcher.lock().unwrap().as_ref().filter(|watcher| !watcher.is_closed()).map(|_| ())
    }

    pub(crate) fn tell(&self, told: Told) {
        self.watcher.lock().unwrap().as_ref().unwrap().send(told).unwrap();
    }
}

// === impl Hanging ===

impl Hanging {
    fn new(seen: &Arc<Seen>) -> Self {
        *seen.hanging.lock().unwrap() += 1;
        Self(seen.clone())
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        *self.0.hanging.lock().unwrap() -= 1;
    }
}

// === impl Notifications ===

#[async_trait]
impl NotificationService for Notifications {
    async fn list_notifications(
        &self,
        request: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        *self.0.metadata.lock().unwrap() = Some(request.metadata().clone());
        if request.get_ref().shop_id == HANGS {
            let _hanging = Hanging::new(&self.0);
            std::future::pending::<()>().await;
        }
        let token = request.into_inner().page_token;
        let mut response = Response::new(ListNotificationsResponse { next_page_token: token, ..Default::default() });
        response.metadata_mut().insert("x-answer", MetadataValue::from_static("yes"));
        response.metadata_mut().insert_bin("x-answer-bin", MetadataValue::from_bytes(&[0, 255, 7]));
        Ok(response)
    }

    type WatchNotificationsStream = UnboundedReceiverStream<Told>;

    async fn watch_notifications(
        &self,
        _request: Request<WatchNotificationsRequest>,
    ) -> Result<Response<Self::WatchNotificationsStream>, Status> {
        let (watcher, told) = mpsc::unbounded_channel();
        *self.0.watcher.lock().unwrap() = Some(watcher);
        Ok(Response::new(UnboundedReceiverStream::new(told)))
    }

    async fn get_notification(
        &self,
        _request: Request<GetNotificationRequest>,
    ) -> Result<Response<GetNotificationResponse>, Status> {
        let details = ErrorDetails::with_bad_request_violation("notification_id", "must be a UUID");
        let mut status = Status::with_error_details(Code::InvalidArgument, "schlecht, 나쁨", details);
        status.metadata_mut().insert("x-refused", MetadataValue::from_static("yes"));
        Err(status)
    }

    async fn resend_notification(
        &self,
        _request: Request<ResendNotificationRequest>,
    ) -> Result<Response<ResendNotificationResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}
