//! Calls through the gateway, over real sockets.
#![allow(clippy::unwrap_used, reason = "tests fail where they stand")]

mod context;
mod health;
mod streams;
mod unary;

use std::net::SocketAddr;
use std::sync::Arc;

use highstreet_gateway::{Gateway, Refusal};
use highstreet_testkit::servers::free_port;
use highstreet_wire::proto::notification::notification_service_client::NotificationServiceClient;
use tonic::body::Body;
use tonic::service::{AxumBody, AxumRouter, Routes};
use tonic::transport::{Channel, Server};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;

use crate::context::Context;

pub(crate) const SERVICE: &str = "highstreet.notification.v1.NotificationService";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";

/// A gateway on a socket, and a client that calls it.
struct Door {
    client: NotificationServiceClient<Channel>,
    channel: Channel,
}

impl Door {
    fn before(context: &Context) -> Self {
        Self::to(context.address)
    }

    fn to(context: SocketAddr) -> Self {
        let way = channel(context);
        let routes = [SERVICE, REFLECTION].map(|service| (service.to_owned(), way.clone()));
        let gateway = Gateway::new(routes, Arc::new(refuse));
        let service = gateway.map_request(|request: http::Request<AxumBody>| request.map(Body::new));
        let routes = Routes::from(AxumRouter::new().fallback_service(service));
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let incoming = tonic::transport::server::TcpIncoming::bind(address).unwrap();
        tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
        let channel = channel(address);
        Self { client: NotificationServiceClient::new(channel.clone()), channel }
    }
}

fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

fn refuse(refusal: &Refusal) -> Status {
    let message = refusal.to_string();
    match refusal {
        Refusal::Unknown(_) => Status::unimplemented(message),
        Refusal::Unanswered { .. } => {
            let details = ErrorDetails::with_error_info("CONTEXT_UNAVAILABLE", "highstreet.dev", []);
            Status::with_error_details(Code::Unavailable, message, details)
        }
        Refusal::Interrupted(_) => Status::unavailable(message),
    }
}
