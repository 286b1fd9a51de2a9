//! A replica of a callee that does as it is told, on a socket and in a runtime of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
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
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// To be called with this shop, a replica never answers.
pub(crate) const HANGS: &str = "hangs";
const LIMIT: usize = 16 << 20;

pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

/// What a replica was asked, and what it says.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) calls: AtomicUsize,
    pub(crate) hanging: AtomicUsize,
    /// Tells the watcher.
    pub(crate) watcher: Mutex<Option<mpsc::UnboundedSender<Told>>>,
    /// So many calls are answered with `UNAVAILABLE`.
    pub(crate) unavailable: AtomicUsize,
}

type Told = Result<WatchNotificationsResponse, Status>;

struct Notifications {
    seen: Arc<Seen>,
    here: SocketAddr,
}

/// A call that hangs, until it is dropped.
struct Hanging(Arc<Seen>);

/// To be called with this shop, the replica at this address never answers.
pub(crate) fn hangs_at(address: SocketAddr) -> String {
    format!("hangs at {address}")
}

// === impl Replica ===

impl Replica {
    pub(crate) async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], free_port()))).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let seen = Arc::new(Seen::default());
        let (stop, stopped) = oneshot::channel();
        let service = NotificationServiceServer::new(Notifications { seen: seen.clone(), here: address })
            .max_decoding_message_size(LIMIT)
            .max_encoding_message_size(LIMIT);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(highstreet_wire::DESCRIPTORS)
            .build_v1()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let serving = runtime.spawn(async move {
            let stopped = async move { stopped.await.unwrap_or_default() };
            Server::builder()
                .add_service(service)
                .add_service(reflection)
                .serve_with_shutdown(address, stopped)
                .await
                .unwrap();
        });
        eventually("the replica listens", || async { TcpStream::connect(address).await.ok() }).await;
        Self { address, seen, runtime: Some(runtime), stop: Some(stop), serving }
    }

    pub(crate) fn hanging(&self) -> usize {
        self.seen.hanging.load(Ordering::SeqCst)
    }

    pub(crate) fn calls(&self) -> usize {
        self.seen.calls.load(Ordering::SeqCst)
    }

    /// Finishes what is under way, and ends.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        (&mut self.serving).await.unwrap();
    }

    /// Ends in the middle of everything.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.end();
    }
}

// === impl Seen ===

impl Seen {
    pub(crate) fn is_watched(&self) -> bool {
        self.watcher.lock().unwrap().as_ref().is_some_and(|watcher| !watcher.is_closed())
    }

    pub(crate) fn tell(&self, told: Told) {
        self.watcher.lock().unwrap().as_ref().unwrap().send(told).unwrap();
    }
}

// === impl Hanging ===

impl Hanging {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.hanging.fetch_add(1, Ordering::SeqCst);
        Self(seen.clone())
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.hanging.fetch_sub(1, Ordering::SeqCst);
    }
}

// === impl Notifications ===

#[async_trait]
impl NotificationService for Notifications {
    async fn list_notifications(
        &self,
        request: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        let Self { seen, here } = self;
        seen.calls.fetch_add(1, Ordering::SeqCst);
        let asked = request.into_inner();
        if asked.shop_id == HANGS || asked.shop_id == hangs_at(*here) {
            let _hanging = Hanging::new(seen);
            std::future::pending::<()>().await;
        }
        let enough = seen.unavailable.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if enough.is_ok() {
            return Err(Status::unavailable("not now"));
        }
        Ok(Response::new(ListNotificationsResponse { next_page_token: asked.shop_id, ..Default::default() }))
    }

    type WatchNotificationsStream = UnboundedReceiverStream<Told>;

    async fn watch_notifications(
        &self,
        _request: Request<WatchNotificationsRequest>,
    ) -> Result<Response<Self::WatchNotificationsStream>, Status> {
        let (watcher, told) = mpsc::unbounded_channel();
        *self.seen.watcher.lock().unwrap() = Some(watcher);
        Ok(Response::new(UnboundedReceiverStream::new(told)))
    }

    async fn get_notification(
        &self,
        _request: Request<GetNotificationRequest>,
    ) -> Result<Response<GetNotificationResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn resend_notification(
        &self,
        _request: Request<ResendNotificationRequest>,
    ) -> Result<Response<ResendNotificationResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}
