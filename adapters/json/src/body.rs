//! A message from the JSON of a request, or of an RPC's answer to JSON.

use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use tonic::{Code, Status};

use crate::strict;
use crate::wrong::{INVALID_REQUEST, Wrong, refusal};

/// Reads a message of this type; nothing at all is an empty one.
pub(crate) fn read(message: &MessageDescriptor, json: &[u8]) -> Result<DynamicMessage, Status> {
    if json.is_empty() {
        return Ok(DynamicMessage::new(message.clone()));
    }
    let nonsense = |error| refusal(Code::InvalidArgument, INVALID_REQUEST, format!("the body is no JSON: {error}"));
    strict::look(message, json).map_err(nonsense)?.finish()?;
    let options = DeserializeOptions::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = DynamicMessage::deserialize_with_options(message.clone(), &mut reader, &options);
    read.map_err(|_| misfit(message, json, &options))
}

/// Reads it again, for the field that does not fit; that takes longer than to find that one does not.
fn misfit(message: &MessageDescriptor, json: &[u8], options: &DeserializeOptions) -> Status {
    let mut track = serde_path_to_error::Track::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    match DynamicMessage::deserialize_with_options(message.clone(), tracked, options) {
        Ok(_) => refusal(Code::Internal, "UNREADABLE", "the body was read in two ways; tell the operator"),
        Err(error) => {
            let field = match track.path().to_string() {
                path if path == "." => "body".to_owned(),
                path => path,
            };
            Wrong::one(field, format!("does not fit: {error}")).into()
        }
    }
}

/// Writes a message as protobuf maps it to JSON: names in lowerCamelCase, 64-bit numbers as strings, every field that
/// is not a message nor `optional` whether it is set or not.
pub(crate) fn write(message: &DynamicMessage) -> Result<Vec<u8>, Status> {
    let mut json = Vec::with_capacity(512);
    let options = SerializeOptions::new().skip_default_fields(false);
    let written = message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options);
    written.map_err(|error| {
        refusal(Code::Internal, "UNREADABLE", format!("the answer cannot be written as JSON: {error}"))
    })?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use highstreet_wire::DESCRIPTORS;
    use prost_reflect::DescriptorPool;
    use tonic_types::StatusExt;

    use super::*;

    fn place_order() -> MessageDescriptor {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        pool.get_message_by_name("highstreet.ordering.v1.PlaceOrderRequest").unwrap()
    }

    fn wrong(json: &str) -> Vec<String> {
        let status = read(&place_order(), json.as_bytes()).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.get_details_error_info().unwrap().reason, INVALID_REQUEST);
        let fields = status.get_details_bad_request().map(|it| it.field_violations).unwrap_or_default();
        fields.into_iter().map(|it| it.field).collect()
    }

    #[test]
    fn both_ways_to_spell_a_field_are_read() {
        let order = place_order();
        let camel = read(&order, br#"{"shopId":"s","lines":[{"quantity":"2"}],"paymentMethod":1}"#).unwrap();
        let snake = r#"{"shop_id":"s","lines":[{"quantity":2}],"payment_method":"PAYMENT_METHOD_CARD"}"#;
        assert_eq!(camel, read(&order, snake.as_bytes()).unwrap());
        assert_eq!(read(&order, b"").unwrap(), read(&order, b" {} ").unwrap());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(wrong(r#"{"lines":[{},{"quantity":"two"}]}"#), ["lines[1].quantity"]);
        assert_eq!(wrong(r#"{"paymentMethod":"GOLD"}"#), ["paymentMethod"]);
        assert_eq!(wrong(r#"{"shopId":7}"#), ["shopId"]);
        for no_message in ["[]", "7", "null", "\"x\""] {
            assert_eq!(wrong(no_message), ["body"], "{no_message}");
        }
    }

    #[test]
    fn every_unknown_or_repeated_field_is_named_at_once() {
        let json = r#"{"shop":1,"lines":[{"price":2}],"shopId":"a","shop_id":"b","lines":[]}"#;
        assert_eq!(wrong(json), ["shop", "lines.price", "shop_id", "lines"]);
    }

    #[test]
    fn what_is_no_json_is_refused_as_such() {
        let deep = format!("{{\"lines\":{}{}}}", "[".repeat(200), "]".repeat(200));
        let no_text = [b"{\"shopId\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
        let bodies: [&[u8]; 6] = [b"{", b"{}x", b"{\"a\":1,}", b"\xef\xbb\xbf{}", deep.as_bytes(), &no_text];
        for body in bodies {
            let status = read(&place_order(), body).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
            let about = status.message().starts_with("the body is no JSON") || status.message().contains("utf-8");
            assert!(about || status.message().contains("unicode"), "{status}");
        }
    }

    #[test]
    fn defaults_are_written_and_what_is_unset_is_not() {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        let order = pool.get_message_by_name("highstreet.ordering.v1.Order").unwrap();
        let json = String::from_utf8(write(&DynamicMessage::new(order)).unwrap()).unwrap();
        assert!(json.contains(r#""orderId":"","#) && json.contains(r#""revision":"0""#), "{json}");
        assert!(json.contains(r#""lines":[]"#) && json.contains(r#""status":"ORDER_STATUS_UNSPECIFIED""#), "{json}");
        assert!(!json.contains("total") && !json.contains("null"), "{json}");
    }
}
