//! What the published language says about a call, and what is to be known of it to make it again.

use bytes::{BufMut as _, Bytes, BytesMut};
use highstreet_wire::json::POOL;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, MethodDescriptor, Value};
use uuid::Uuid;

/// The field that makes a call repeatable.
const REQUEST_ID: &str = "request_id";
/// A message on the wire follows a byte (0: it is not compressed) and its length.
const PREFIX: usize = 5;

/// A call with one question and one answer.
pub(crate) struct Method {
    descriptor: MethodDescriptor,
    request_id: Option<FieldDescriptor>,
}

// === impl Method ===

impl Method {
    /// The one that is called by this path, such as `/highstreet.booking.v1.BookingService/GetBooking`. `None` if it is
    /// a stream, or not of the published language.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let (service, name) = path.strip_prefix('/')?.split_once('/')?;
        let service = POOL.get_service_by_name(service)?;
        let descriptor = service.methods().find(|method| method.name() == name)?;
        let request_id = descriptor.input().get_field_by_name(REQUEST_ID);
        (!descriptor.is_client_streaming() && !descriptor.is_server_streaming())
            .then_some(Self { descriptor, request_id })
    }

    /// Whether calling twice does no more than calling once: it only looks, or its request has an id.
    pub(crate) fn is_repeatable(&self) -> bool {
        let looks = ["Get", "List"].iter().any(|verb| self.descriptor.name().starts_with(verb));
        looks || self.request_id.is_some()
    }

    /// The request with an id, if it takes one and has none; `None` if it cannot be read, as when it is compressed.
    pub(crate) fn identified(&self, request: Bytes) -> Option<Bytes> {
        let Some(field) = &self.request_id else { return Some(request) };
        let (prefix, message) = request.split_at_checked(PREFIX)?;
        if prefix[0] != 0 {
            return None;
        }
        let mut message = DynamicMessage::decode(self.descriptor.input(), message).ok()?;
        if message.has_field(field) {
            return Some(request);
        }
        message.set_field(field, Value::String(Uuid::now_v7().to_string()));
        let length = message.encoded_len();
        let mut framed = BytesMut::with_capacity(PREFIX + length);
        framed.put_u8(0);
        framed.put_u32(u32::try_from(length).ok()?);
        message.encode(&mut framed).ok()?;
        Some(framed.freeze())
    }
}

#[cfg(test)]
mod tests {
    use highstreet_wire::proto::kitchen::CompletePreparationRequest;

    use super::*;

    const COMPLETE: &str = "/highstreet.kitchen.v1.KitchenService/CompletePreparation";

    fn framed(message: &CompletePreparationRequest) -> Bytes {
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.encoded_len()).unwrap());
        message.encode(&mut framed).unwrap();
        framed.freeze()
    }

    fn read(framed: &Bytes) -> CompletePreparationRequest {
        assert_eq!(framed[1..PREFIX], u32::try_from(framed.len() - PREFIX).unwrap().to_be_bytes());
        CompletePreparationRequest::decode(&framed[PREFIX..]).unwrap()
    }

    #[test]
    fn a_request_without_an_id_gets_a_new_one_and_keeps_the_rest() {
        let method = Method::at(COMPLETE).unwrap();
        let asked = CompletePreparationRequest {
            preparation_id: "01a1".into(),
            expected_revision: Some(7),
            ..CompletePreparationRequest::default()
        };
        let (one, other) = (method.identified(framed(&asked)).unwrap(), method.identified(framed(&asked)).unwrap());
        let (one, other) = (read(&one), read(&other));
        assert!(Uuid::parse_str(&one.request_id).is_ok(), "{one:?}");
        assert_ne!(one.request_id, other.request_id);
        assert_eq!(CompletePreparationRequest { request_id: String::new(), ..one }, asked);
    }

    #[test]
    fn an_id_of_the_callers_own_stays() {
        let asked = CompletePreparationRequest { request_id: "mine".into(), ..Default::default() };
        let sent = Method::at(COMPLETE).unwrap().identified(framed(&asked)).unwrap();
        assert_eq!(read(&sent), asked);
    }

    #[test]
    fn what_cannot_be_read_gets_none() {
        let method = Method::at(COMPLETE).unwrap();
        assert_eq!(method.identified(Bytes::from_static(&[1, 0, 0, 0, 0])), None, "compressed");
        assert_eq!(method.identified(Bytes::from_static(&[0, 0])), None, "cut short");
    }

    /// Streams are opened by their caller again; an operator's orders have no id, and are given once.
    #[test]
    fn looking_and_what_has_an_id_may_be_repeated() {
        let repeatable = |path: &str| Method::at(path).map(|method| method.is_repeatable());
        assert_eq!(repeatable(COMPLETE), Some(true));
        assert_eq!(repeatable("/highstreet.kitchen.v1.KitchenService/ListPreparations"), Some(true));
        assert_eq!(repeatable("/highstreet.operations.v1.OperationsService/RetryStep"), Some(false));
        assert_eq!(repeatable("/highstreet.tracking.v1.TrackingService/WatchTraces"), None);
        assert_eq!(repeatable("/grpc.health.v1.Health/Check"), None);
    }
}
