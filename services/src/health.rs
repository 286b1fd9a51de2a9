//! `grpc.health.v1.Health` with `List`, which tonic-health lacks: everything else is tonic-health's.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet, MessageOptions, MethodDescriptorProto};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{FILE_DESCRIPTOR_SET, HealthCheckRequest, HealthCheckResponse};
use tonic_health::server::{HealthReporter, HealthService};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

const LIST: &str = "/grpc.health.v1.Health/List";

/// Answers health checks, one service's or all of them at once.
#[derive(Clone)]
pub(crate) struct Listing {
    checks: HealthServer<HealthService>,
    health: Arc<HealthService>,
    /// What `List` asks about.
    names: Arc<[String]>,
}

/// Asks for the health of every service.
#[derive(Clone, Copy, PartialEq, Message)]
struct HealthListRequest {}

/// The health of each service, by name.
#[derive(Clone, PartialEq, Message)]
struct HealthListResponse {
    #[prost(map = "string, message", tag = "1")]
    statuses: HashMap<String, HealthCheckResponse>,
}

// === impl Listing ===

impl Listing {
    /// Health as `reporter` tells it; `names` are those it tells of.
    pub(crate) fn new(reporter: HealthReporter, names: impl IntoIterator<Item = String>) -> Self {
        let health = Arc::new(HealthService::from_health_reporter(reporter));
        Self { checks: HealthServer::from_arc(health.clone()), health, names: names.into_iter().collect() }
    }

    async fn list(self) -> Result<tonic::Response<HealthListResponse>, tonic::Status> {
        let mut statuses = HashMap::new();
        for name in self.names.iter() {
            let question = HealthCheckRequest { service: name.clone() };
            // Not found until it is reported for the first time, and then not listed either.
            if let Ok(status) = self.health.check(tonic::Request::new(question)).await {
                statuses.insert(name.clone(), status.into_inner());
            }
        }
        Ok(tonic::Response::new(HealthListResponse { statuses }))
    }
}

impl NamedService for Listing {
    const NAME: &'static str = tonic_health::pb::health_server::SERVICE_NAME;
}

impl Service<Request<Body>> for Listing {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() != LIST {
            return self.checks.call(request);
        }
        let this = self.clone();
        Box::pin(async move {
            let list = service_fn(|_: tonic::Request<HealthListRequest>| this.clone().list());
            Ok(Grpc::new(ProstCodec::default()).unary(list, request).await)
        })
    }
}

/// Tonic-health's description of itself and of `List`, so that reflection tells clients of all that is offered.
pub(crate) fn descriptors() -> Result<FileDescriptorSet, prost::DecodeError> {
    let mut described = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET)?;
    for file in &mut described.file {
        for service in &mut file.service {
            service.method.push(MethodDescriptorProto {
                name: Some("List".into()),
                input_type: Some(".grpc.health.v1.HealthListRequest".into()),
                output_type: Some(".grpc.health.v1.HealthListResponse".into()),
                ..Default::default()
            });
        }
        // A map is a list of entries.
        let entry = DescriptorProto {
            field: vec![
                field("key", 1, Label::Optional, Type::String, None),
                field("value", 2, Label::Optional, Type::Message, Some(".grpc.health.v1.HealthCheckResponse")),
            ],
            options: Some(MessageOptions { map_entry: Some(true), ..Default::default() }),
            ..message("StatusesEntry")
        };
        let entries = Some(".grpc.health.v1.HealthListResponse.StatusesEntry");
        file.message_type.push(message("HealthListRequest"));
        file.message_type.push(DescriptorProto {
            field: vec![field("statuses", 1, Label::Repeated, Type::Message, entries)],
            nested_type: vec![entry],
            ..message("HealthListResponse")
        });
    }
    Ok(described)
}

fn message(name: &str) -> DescriptorProto {
    DescriptorProto { name: Some(name.into()), ..Default::default() }
}

fn field(name: &str, number: i32, label: Label, of: Type, type_name: Option<&str>) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.into()),
        json_name: Some(name.into()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(of.into()),
        type_name: type_name.map(Into::into),
        ..Default::default()
    }
}
