//! A field's value as it stands in a path or a query.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use prost_reflect::{DynamicMessage, Kind, Value};
use serde::de::IntoDeserializer;
use serde::de::value::Error;

/// Reads a value of this kind; or says what it must be.
pub(crate) fn value(kind: &Kind, text: &str) -> Result<Value, String> {
    let number = "must be a whole number within the range of its type";
    match kind {
        Kind::String => Ok(Value::String(text.to_owned())),
        Kind::Bool => text.parse().map(Value::Bool).map_err(|_| "must be true or false".into()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => text.parse().map(Value::I32).map_err(|_| number.into()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => text.parse().map(Value::I64).map_err(|_| number.into()),
        Kind::Uint32 | Kind::Fixed32 => text.parse().map(Value::U32).map_err(|_| number.into()),
        Kind::Uint64 | Kind::Fixed64 => text.parse().map(Value::U64).map_err(|_| number.into()),
        Kind::Float => text.parse().map(Value::F32).map_err(|_| "must be a number".into()),
        Kind::Double => text.parse().map(Value::F64).map_err(|_| "must be a number".into()),
        Kind::Bytes => {
            let bytes = BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text));
            bytes.map(|bytes| Value::Bytes(bytes.into())).map_err(|_| "must be base64".into())
        }
        Kind::Enum(names) => match names.get_value_by_name(text) {
            Some(value) => Ok(Value::EnumNumber(value.number())),
            None => text.parse().map(Value::EnumNumber).map_err(|_| {
                let names: Vec<_> = names.values().map(|value| value.name().to_owned()).collect();
                format!("must be one of {}", names.join(", "))
            }),
        },
        // What protobuf writes as a JSON string: a time, a duration, a field mask, a wrapped value.
        Kind::Message(message) if message.full_name().starts_with("google.protobuf.") => {
            let text: serde::de::value::StrDeserializer<'_, Error> = text.into_deserializer();
            let read = DynamicMessage::deserialize(message.clone(), text);
            read.map(Value::Message).map_err(|error| format!("is no {}: {error}", message.name()))
        }
        Kind::Message(message) => {
            let example = message.fields().next().map_or_else(String::new, |field| field.json_name().to_owned());
            Err(format!("is a {}: name its fields, as in ….{example}=…", message.name()))
        }
    }
}

#[cfg(test)]
mod tests {
    use highstreet_wire::DESCRIPTORS;
    use prost_reflect::DescriptorPool;

    use super::*;

    #[test]
    fn scalars_are_read_by_their_kind() {
        assert_eq!(value(&Kind::Int32, "-7"), Ok(Value::I32(-7)));
        assert_eq!(value(&Kind::Uint64, "18446744073709551615"), Ok(Value::U64(u64::MAX)));
        assert_eq!(value(&Kind::Bool, "true"), Ok(Value::Bool(true)));
        assert_eq!(value(&Kind::Bytes, "AP8="), Ok(Value::Bytes(vec![0, 255].into())));
        assert_eq!(value(&Kind::Double, "1.5"), Ok(Value::F64(1.5)));
        for (kind, bad) in [(Kind::Int32, "2147483648"), (Kind::Uint32, "-1"), (Kind::Bool, "1"), (Kind::Bytes, "!")] {
            assert!(value(&kind, bad).is_err(), "{kind:?} {bad}");
        }
    }

    #[test]
    fn enums_go_by_name_or_number() {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        let program = Kind::Enum(pool.get_enum_by_name("highstreet.loyalty.v1.Program").unwrap());
        let stamps = value(&program, "PROGRAM_STAMPS");
        assert_eq!(stamps, Ok(Value::EnumNumber(1)));
        assert_eq!(value(&program, "1"), stamps);
        assert!(value(&program, "stamps").unwrap_err().contains("PROGRAM_POINTS"));
    }

    #[test]
    fn times_are_written_as_in_json_and_messages_by_their_fields() {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        let kind = |name: &str| Kind::Message(pool.get_message_by_name(name).unwrap());
        assert!(value(&kind("google.protobuf.Timestamp"), "2026-11-21T07:00:00Z").is_ok());
        assert!(value(&kind("google.protobuf.Timestamp"), "yesterday").is_err());
        assert!(value(&kind("highstreet.common.v1.Reference"), "x").unwrap_err().contains("….context=…"));
    }
}
