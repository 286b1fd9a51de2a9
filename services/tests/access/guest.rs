//! Somebody with a token, or without one, who can call any RPC by its name with JSON.

use std::sync::LazyLock;

use highstreet_grpc::Reach;
use highstreet_wire::DESCRIPTORS;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, SerializeOptions};
use serde_json::Value;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};
use tower::ServiceExt as _;

pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap());

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) way: Reach,
    pub(crate) token: Option<String>,
}

struct Dynamic(MethodDescriptor);
struct Sent;
struct Received(MessageDescriptor);

/// The way through a connection.
pub(crate) fn through(channel: Channel) -> Reach {
    Reach::new(channel.map_err(Into::into))
}

// === impl Guest ===

impl Guest {
    /// Calls `ordering.v1.OrderingService/PlaceOrder`, say; of a stream the first answer is not waited for.
    pub(crate) async fn call(&self, rpc: &str, request: Value) -> Result<Value, Status> {
        let (service, name) = rpc.split_once('/').unwrap();
        let service = POOL.get_service_by_name(&format!("highstreet.{service}")).unwrap();
        let method = service.methods().find(|method| method.name() == name).unwrap();
        self.call_method(&method, request).await
    }

    pub(crate) async fn call_method(&self, method: &MethodDescriptor, request: Value) -> Result<Value, Status> {
        let message = DynamicMessage::deserialize(method.input(), request).unwrap();
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name()).parse().unwrap();
        let mut client = Grpc::new(self.way.clone());
        client.ready().await.unwrap();
        let codec = Dynamic(method.clone());
        if method.is_server_streaming() {
            return client.server_streaming(request, path, codec).await.map(|_| Value::Null);
        }
        let answer = client.unary(request, path, codec).await?.into_inner();
        let options = SerializeOptions::new().skip_default_fields(false);
        Ok(answer.serialize_with_options(serde_json::value::Serializer, &options).unwrap())
    }
}

// === impl Dynamic ===

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Sent;
    type Decoder = Received;

    fn encoder(&mut self) -> Sent {
        Sent
    }

    fn decoder(&mut self) -> Received {
        Received(self.0.output())
    }
}

impl Encoder for Sent {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Received {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), buffer);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
