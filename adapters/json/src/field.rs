//! The way to a field within a message: `order.context`, in protobuf's names or in JSON's.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::text;

/// The way to a field.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath(Vec<FieldDescriptor>);

// === impl FieldPath ===

impl FieldPath {
    /// The field that `name` leads to from `message`, if there is one.
    pub(crate) fn find(message: &MessageDescriptor, name: &str) -> Option<Self> {
        let mut within = Some(message.clone());
        let mut path = Vec::new();
        for part in name.split('.') {
            let message = within?;
            let field = message.get_field_by_name(part).or_else(|| message.get_field_by_json_name(part))?;
            within = match field.kind() {
                Kind::Message(message) if !field.is_list() && !field.is_map() => Some(message),
                _ => None,
            };
            path.push(field);
        }
        Some(Self(path))
    }

    /// The field itself.
    pub(crate) fn field(&self) -> &FieldDescriptor {
        self.0.last().expect("a name has at least one part, and each became a field")
    }

    /// Its name in JSON: `order.context`.
    pub(crate) fn json_name(&self) -> String {
        self.0.iter().map(FieldDescriptor::json_name).collect::<Vec<_>>().join(".")
    }

    /// Its value, if it has one.
    pub(crate) fn get(&self, message: &DynamicMessage) -> Option<Value> {
        let (last, before) = self.0.split_last()?;
        let mut message = message.clone();
        for field in before {
            if !message.has_field(field) {
                return None;
            }
            message = message.get_field(field).as_message()?.clone();
        }
        message.has_field(last).then(|| message.get_field(last).into_owned())
    }

    /// Reads `text` into it, behind what is there if it is a list; or says what is wrong.
    pub(crate) fn put(&self, message: &mut DynamicMessage, text: &str) -> Result<(), String> {
        let field = self.field();
        if field.is_map() {
            return Err("is a map, which only a body can hold".into());
        }
        let value = text::value(&field.kind(), text)?;
        let holder = self.holder(message)?;
        if field.is_list() {
            // It is a list: a new field of its kind begins as an empty one.
            if let Some(list) = holder.get_field_mut(field).as_list_mut() {
                list.push(value);
            }
        } else {
            holder.set_field(field, value);
        }
        Ok(())
    }

    /// The message that holds the field; made if need be.
    fn holder<'a>(&self, message: &'a mut DynamicMessage) -> Result<&'a mut DynamicMessage, String> {
        let mut message = message;
        let last = self.0.len() - 1;
        for (at, field) in self.0.iter().enumerate() {
            let rivals = field.containing_oneof().into_iter().flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
            if let Some(rival) = rivals.into_iter().find(|rival| rival != field && message.has_field(rival)) {
                return Err(format!("and {} cannot both be given", rival.json_name()));
            }
            if at < last {
                message = message.get_field_mut(field).as_message_mut().ok_or("does not lead through messages")?;
            }
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use highstreet_wire::DESCRIPTORS;
    use prost_reflect::DescriptorPool;

    use super::*;

    fn lookup() -> MessageDescriptor {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        pool.get_message_by_name("highstreet.payment.v1.GetPaymentRequest").unwrap()
    }

    #[test]
    fn a_nested_field_is_found_by_either_name() {
        let message = lookup();
        for name in ["payment_id", "paymentId", "order.context"] {
            assert!(FieldPath::find(&message, name).is_some(), "{name}");
        }
        for name in ["", "paymentid", "order.", "order.nothing", "payment_id.x", ".order"] {
            assert!(FieldPath::find(&message, name).is_none(), "{name}");
        }
        assert_eq!(FieldPath::find(&message, "payment_id").unwrap().json_name(), "paymentId");
    }

    #[test]
    fn values_are_put_and_got() {
        let mut message = DynamicMessage::new(lookup());
        let (context, id) = ("order.context", "order.id");
        let path = |name: &str| FieldPath::find(&lookup(), name).unwrap();
        assert_eq!(path(context).get(&message), None);
        path(context).put(&mut message, "ordering").unwrap();
        path(id).put(&mut message, "7").unwrap();
        assert_eq!(path(context).get(&message), Some(Value::String("ordering".into())));
        let why = path("payment_id").put(&mut message, "8").unwrap_err();
        assert_eq!(why, "and order cannot both be given");
    }
}
