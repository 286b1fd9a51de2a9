//! The door: one socket for every service of the process, with health and reflection.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use highstreet_console::ConsoleSettings;
use highstreet_grpc::operations::Operations;
use highstreet_grpc::{CallLayer, arrivals};
use highstreet_wire::DESCRIPTORS;
use highstreet_wire::proto::operations::operations_service_server::OperationsServiceServer;
use http::header::HOST;
use http::uri::Authority;
use http::{Request, Response, StatusCode, Version};
use tokio::net::TcpSocket;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::AbortHandle;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{AxumRouter, Routes};
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_reflection::server::Builder;
use tower::util::option_layer;
use tower::{Service, ServiceBuilder};

use crate::entrance::Entrance;
use crate::front::Front;
use crate::health::{self, Listing};
use crate::identities::Identities;
use crate::switchboard::AnyService;
use crate::{ContextName, StartError, Street};

/// All headers of a call together, in bytes; a token is one or two thousand.
const MOST_HEADERS: u32 = 32 << 10;
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How many may have knocked and wait to be let in.
const KNOCKING: u32 = 1024;

/// A door that is not open yet: who comes is told that nobody is there. If the system let them in already, they would
/// wait for a server that is still looking for its stores, instead of asking another. The address is taken, unless
/// somebody else opens there first.
pub struct Door {
    socket: TcpSocket,
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
    pub fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let socket = taken(address).map_err(|error| cannot_listen(address, &error))?;
        let address = socket.local_addr().unwrap_or(address);
        Ok(Self { socket, address })
    }

    /// Serves the street until `stop`, then lets calls under way finish.
    pub fn open(
        self,
        street: &Street,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(Listening, impl Future<Output = Result<(), tonic::transport::Error>> + Send + 'static), StartError>
    {
        let listener = self.socket.listen(KNOCKING).map_err(|error| cannot_listen(self.address, &error))?;
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
        let (connections, streams) = platform.most_connections();
        let incoming = arrivals(listener, platform.door_tls(), connections);
        // A gateway is open to strangers, whoever else it believes.
        let within = street.platform().trusts_peers() && street.front().is_none();
        let identities = platform.identities();
        let calls = match identities {
            Some(_) => CallLayer::checked(),
            None if within => CallLayer::within_mesh(),
            None => CallLayer::new(),
        };
        // Whatever protocol a call comes by, it is counted, limited, checked and answered in one way.
        let way = ServiceBuilder::new()
            .layer(calls)
            .layer(platform.limits())
            .layer(option_layer(identities.map(Identities::access).transpose()?))
            .layer(option_layer(platform.caller_limits()))
            .service(switchboard);
        let around = AnyService::new(way.clone());
        let pages = pages(street, around.clone());
        let json = highstreet_json::router(around.clone(), platform.json()).map_err(config)?;
        let doors = highstreet_json::doors(around, &platform.json());
        let mut router = AxumRouter::new().merge(pages).merge(json).fallback_service(doors);
        if identities.is_none() {
            router = router.layer(from_fn(refuse_other_names));
        }
        let entrance = Entrance::new(way, Routes::from(router));
        let serving = Server::builder()
            // Browsers do not speak HTTP/2 without TLS.
            .accept_http1(true)
            // Clients that vanished are noticed.
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE / 3))
            .max_concurrent_streams(streams)
            .http2_max_header_list_size(MOST_HEADERS)
            .serve_with_incoming_shutdown(entrance, incoming, stop);
        let watching = front.map(|front| tokio::spawn(watch(front, health.clone())).abort_handle());
        Ok((Listening { address: self.address, health, services, watching }, serving))
    }
}

fn taken(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // What is left of connections to the server that was here before keeps nobody out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> StartError {
    StartError::Listen(format!("cannot listen on {address}: {error}; name another address with --listen"))
}

/// The console, where every service is reached.
fn pages(street: &Street, way: AnyService) -> AxumRouter {
    let complete = street.contexts().count() == ContextName::ALL.len() || street.front().is_some();
    if complete {
        highstreet_console::router(way, ConsoleSettings { sign_in: street.platform().sign_in() })
    } else {
        AxumRouter::new()
    }
}

/// A server that asks nobody who they are is for this machine. A page of any site could have its name lead here, and its
/// browser would take what is here for that site's own; but it says under which name it came.
async fn refuse_other_names(request: axum::extract::Request, next: Next) -> axum::response::Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let name = host.and_then(|host| host.parse::<Authority>().ok());
    let local = |name: &Authority| {
        let name = name.host().trim_matches(['[', ']']);
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    // HTTP/2 without TLS is spoken by programs, not by browsers.
    if request.version() >= Version::HTTP_2 || name.as_ref().is_some_and(local) {
        return next.run(request).await;
    }
    let why = "this server asks nobody who they are, and so answers as localhost only; see --auth-jwks\n";
    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
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

fn config(error: highstreet_json::JsonError) -> StartError {
    StartError::Config(error.to_string())
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn nobody_is_let_in_before_it_opens() {
        let door = Door::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let refused = TcpStream::connect(door.address).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_said_at_once() {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let Err(error) = Door::bind(taken.local_addr().unwrap()) else { panic!("it took what is taken") };
        assert!(error.to_string().contains("name another address with --listen"), "{error}");
    }
}
