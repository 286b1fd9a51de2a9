//! Messages that are known by their descriptors only, on their way to and from an RPC.

use bytes::Buf;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Sends any message, and receives those of one type.
#[derive(Clone, Debug)]
pub(crate) struct DynamicCodec(pub(crate) MessageDescriptor);

/// See [`DynamicCodec`].
#[derive(Debug)]
pub(crate) struct Sends;

/// See [`DynamicCodec`].
#[derive(Debug)]
pub(crate) struct Receives(MessageDescriptor);

// === impl DynamicCodec ===

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Sends;
    type Decoder = Receives;

    fn encoder(&mut self) -> Sends {
        Sends
    }

    fn decoder(&mut self) -> Receives {
        Receives(self.0.clone())
    }
}

impl Encoder for Sends {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(format!("the request does not fit: {error}")))
    }
}

impl Decoder for Receives {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message.map(Some).map_err(|error| Status::internal(format!("the answer is no {}: {error}", self.0.name())))
    }
}
