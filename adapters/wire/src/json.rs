//! Messages of the published language as JSON, as protobuf maps it: for people who look at them.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::DESCRIPTORS;

/// What [`DESCRIPTORS`] describes, to be asked by name.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTORS).expect("the descriptors were written by the build of this very crate")
});

/// The descriptors of everything that is published. Clones are the same.
pub fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The event `name` of `context` as JSON; or why it cannot be told.
pub fn event(context: &str, name: &str, body: &[u8]) -> Result<String, String> {
    of_type(&format!("highstreet.{context}.v1.{name}"), body)
}

/// A message as JSON by its full name, such as `highstreet.common.v1.Reference`; or why it cannot be told.
pub fn message(name: &str, message: &impl prost::Message) -> Result<String, String> {
    of_type(name, &message.encode_to_vec())
}

fn of_type(name: &str, body: &[u8]) -> Result<String, String> {
    let known = POOL.get_message_by_name(name);
    let known = known.ok_or_else(|| format!("the published language of this version knows no {name}"))?;
    let decoded = DynamicMessage::decode(known, body).map_err(|error| format!("it is no {name}: {error}"))?;
    let mut json = Vec::new();
    let options = SerializeOptions::new().skip_default_fields(false);
    let written = decoded.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options);
    written.map_err(|error| format!("{name} cannot be written as JSON: {error}"))?;
    String::from_utf8(json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::common::Reference;
    use crate::proto::ordering::OrderPaid;

    #[test]
    fn an_event_is_told_as_protobuf_maps_it() {
        let told = event("ordering", "OrderPaid", &OrderPaid::default().encode_to_vec()).unwrap();
        assert!(told.starts_with('{') && told.contains("\"orderId\":\"\""), "{told}");
        assert_eq!(
            event("ordering", "OrderEaten", &[]).unwrap_err(),
            "the published language of this version knows no highstreet.ordering.v1.OrderEaten"
        );
        assert!(
            event("ordering", "OrderPaid", &[0xff; 8])
                .unwrap_err()
                .starts_with("it is no highstreet.ordering.v1.OrderPaid")
        );
    }

    #[test]
    fn a_message_is_told_by_its_type() {
        let reference = Reference { context: "ordering".into(), id: String::new() };
        assert_eq!(message("highstreet.common.v1.Reference", &reference).unwrap(), r#"{"context":"ordering","id":""}"#);
    }
}
