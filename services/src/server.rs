//! The door: one socket for every service of the process, with health and reflection.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use highstreet_console::{ConsoleSettings, SignIn};
use highstreet_grpc::operations::Operations;
use highstreet_grpc::{CallLayer, Gathered};
use highstreet_wire::DESCRIPTORS;
use highstreet_wire::proto::operations::operations_service_server::OperationsServiceServer;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::AbortHandle;
use tokio_stream::StreamExt;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{AxumBody, AxumRouter, Routes};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_reflection::server::Builder;
use tower::{Service, ServiceExt, service_fn};

use crate::front::Front;
use crate::health::{self, Listing};
use crate::switchboard::AnyService;
use crate::{ContextName, StartError, Street};

const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A door that is not open yet.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

/// A door that was opened.
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    health: HealthReporter,
    services: Vec<String>,
    /// Tells how contexts elsewhere are.
    watching: Option<AbortHandle>,
}

// === impl Door ===

impl Door {
    /// Takes the address.
    pub async fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            StartError::Listen(format!("cannot listen on {address}: {error}; name another address with --listen"))
        })?;
        let address = listener.local_addr().unwrap_or(address);
        Ok(Self { listener, address })
    }

    /// Serves the street until `stop`, then lets calls under way finish.
    pub fn open(
        self,
        street: &Street,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(Listening, impl Future<Output = Result<(), tonic::transport::Error>> + Send + 'static), StartError>
    {
        let switchboard = street.platform().switchboard.clone();
        let platform = street.platform();
        let operations = Operations { offices: platform.offices.clone(), clock: platform.clock.clone() };
        let operations = named(OperationsServiceServer::new(operations));
        let services = street.contexts().flat_map(|(_, context)| context.services().to_vec());
        let services: Vec<String> = services.chain([operations.0.clone()]).collect();
        let front = street.front();
        let beyond = front.iter().flat_map(|front| front.services().cloned());
        let offered: Vec<String> = services.iter().cloned().chain(beyond).collect();
        let health = HealthReporter::new();
        let checks = Listing::new(health.clone(), offered.iter().cloned().chain([String::new()]));
        let v1 = reflection(&offered)?.build_v1().map_err(described)?;
        let v1alpha = reflection(&offered)?.build_v1alpha().map_err(described)?;
        switchboard.connect([operations, named(checks), named(v1), named(v1alpha)]);
        let pages = pages(street, AnyService::new(switchboard.clone()));
        let service = service_fn(move |request: Request<AxumBody>| {
            let switchboard = switchboard.clone();
            async move {
                match not_grpc(&request) {
                    Some(refused) => Ok(refused),
                    None => switchboard.oneshot(request.map(Body::new)).await,
                }
            }
        });
        let routes = Routes::from(AxumRouter::new().merge(pages).fallback_service(service));
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let incoming = incoming.map(|accepted| accepted.map(Gathered::new));
        // A gateway is open to strangers, whoever else it believes.
        let within = street.platform().trusts_peers() && street.front().is_none();
        let calls = if within { CallLayer::within_mesh() } else { CallLayer::new() };
        let serving = Server::builder()
            // Browsers do not speak HTTP/2 without TLS.
            .accept_http1(true)
            // Clients that vanished are noticed.
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE / 3))
            .layer(calls)
            .layer(street.platform().limits())
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stop);
        let watching = front.map(|front| tokio::spawn(watch(front, health.clone())).abort_handle());
        Ok((Listening { address: self.address, health, services, watching }, serving))
    }
}

/// The console, where every service is reached.
fn pages(street: &Street, way: AnyService) -> AxumRouter {
    let complete = street.contexts().count() == ContextName::ALL.len() || street.front().is_some();
    if complete {
        highstreet_console::router(way, ConsoleSettings { sign_in: SignIn::Open })
    } else {
        AxumRouter::new()
    }
}

/// Refuses what is no gRPC. A page of any site can have a browser send a form anywhere, and services do not look at what
/// a request says it is; what says that it is gRPC, browsers only send where they were told that they may.
fn not_grpc(request: &Request<AxumBody>) -> Option<Response<Body>> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (status, why) = match request.method() {
        _ if kind.starts_with("application/grpc") => return None,
        &Method::GET | &Method::HEAD => (StatusCode::NOT_FOUND, "there is no such page\n"),
        _ => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "services are called with content-type: application/grpc\n"),
    };
    let mut refused = Response::new(Body::new(Full::from(why)));
    *refused.status_mut() = status;
    Some(refused)
}

async fn watch(front: Arc<Front>, health: HealthReporter) {
    let (told, mut tells) = unbounded_channel();
    let _watching = front.watch(&told);
    while let Some((service, serves)) = tells.recv().await {
        let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
        health.set_service_status(service, status).await;
    }
}

fn named<S>(service: S) -> (String, AnyService)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    (S::NAME.to_owned(), AnyService::new(service))
}

/// What clients may ask about the services that run here.
fn reflection<'a>(services: &[String]) -> Result<Builder<'a>, StartError> {
    let health = health::descriptors().map_err(|error| described(error.into()))?;
    let builder = services
        .iter()
        .fold(Builder::configure(), tonic_reflection::server::Builder::with_service_name)
        .with_service_name("grpc.health.v1.Health")
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_file_descriptor_set(health);
    Ok(builder)
}

fn described(error: tonic_reflection::server::Error) -> StartError {
    StartError::Config(format!("the services' descriptors cannot be read: {error}"))
}

// === impl Listening ===

impl Listening {
    /// Tells health checks that every service of this process is, or is not, to be called.
    pub async fn report(&self, status: ServingStatus) {
        if let Some(watching) = self.watching.as_ref().filter(|_| status != ServingStatus::Serving) {
            watching.abort();
        }
        for name in self.services.iter().map(String::as_str).chain([""]) {
            self.health.set_service_status(name, status).await;
        }
    }
}
