//! What protobuf's JSON mapping lets pass and clients would rather know: a field nobody reads, a field given twice.

use std::cell::RefCell;
use std::fmt;

use prost_reflect::{Kind, MessageDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::wrong::Wrong;

/// Finds every field in `json` that `message` does not have, or that is there twice; fails where it is no JSON.
pub(crate) fn look(message: &MessageDescriptor, json: &[u8]) -> Result<Wrong, serde_json::Error> {
    let wrong = RefCell::default();
    let mut reader = serde_json::Deserializer::from_slice(json);
    Look { at: Place { name: "", within: None }, kind: Some(Kind::Message(message.clone())), wrong: &wrong }
        .deserialize(&mut reader)?;
    reader.end()?;
    Ok(wrong.into_inner())
}

/// Looks at one value.
struct Look<'a> {
    at: Place<'a>,
    /// What it should be; `None` if nothing is known of it.
    kind: Option<Kind>,
    wrong: &'a RefCell<Wrong>,
}

/// Where a value is: `lines.quantity`. Written down only when something is wrong there.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    within: Option<&'a Place<'a>>,
}

// === impl Look ===

impl Look<'_> {
    /// The message that the value is, unless JSON has a form of its own for it.
    fn message(&self) -> Option<&MessageDescriptor> {
        self.kind.as_ref().and_then(Kind::as_message).filter(|it| it.package_name() != "google.protobuf")
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        match self.message() {
            // Numbers, strings and what has a form of its own: whoever reads the value checks it.
            None => value.deserialize_ignored_any(IgnoredAny).map(|_| ()),
            Some(_) => value.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(message) = self.message() else { return Ok(()) };
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let at = Place { name: &name, within: Some(&self.at) };
            let field = message.get_field_by_json_name(&name).or_else(|| message.get_field_by_name(&name));
            let Some(field) = field else {
                self.wrong.borrow_mut().add(at.to_string(), format!("is not a field of {}", message.name()));
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen.contains(&field.number()) {
                self.wrong.borrow_mut().add(at.to_string(), "is given twice");
            }
            seen.push(field.number());
            let kind = Some(field.kind()).filter(|_| !field.is_map());
            map.next_value_seed(Look { at, kind, wrong: self.wrong })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let each = || Look { at: self.at, kind: self.kind.clone(), wrong: self.wrong };
        while list.next_element_seed(each())?.is_some() {}
        Ok(())
    }

    // What is no message is found by whoever reads it.
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

// === impl Place ===

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(within) = self.within.filter(|within| !within.name.is_empty()) {
            write!(f, "{within}.")?;
        }
        f.write_str(self.name)
    }
}
