//! Redacting events of the published language, by what it says of itself.

use highstreet_domain::kernel::Redact;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};

use crate::json::pool;

/// The event `name` of `source` without what is to be redacted; `None` if nothing is. What this version cannot read and
/// holds something is emptied: nobody could say what is left in it.
pub fn retell(redact: &dyn Redact, source: &str, name: &str, body: &[u8]) -> Option<Vec<u8>> {
    if !redact.may_be_in(body) {
        return None;
    }
    let known = pool().get_message_by_name(&format!("highstreet.{source}.v1.{name}"));
    let Some(mut event) = known.and_then(|known| DynamicMessage::decode(known, body).ok()) else {
        return Some(Vec::new());
    };
    walk(redact, &mut event).then(|| event.encode_to_vec())
}

/// Redacts every text of a message; whether that changed anything.
fn walk(redact: &dyn Redact, message: &mut DynamicMessage) -> bool {
    every(message.fields_mut().map(|(field, value)| within(redact, field.name(), value)))
}

/// Whether anything changed, once all of it was gone through.
fn every(changes: impl Iterator<Item = bool>) -> bool {
    changes.filter(|changed| *changed).count() > 0
}

fn within(redact: &dyn Redact, field: &str, value: &mut Value) -> bool {
    match value {
        Value::String(text) => match redact.redact(field, text) {
            Some(instead) => {
                *text = instead;
                true
            }
            None => false,
        },
        Value::Message(message) => walk(redact, message),
        Value::List(values) => every(values.iter_mut().map(|value| within(redact, field, value))),
        Value::Map(values) => every(values.values_mut().map(|value| within(redact, field, value))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use highstreet_domain::kernel::{Erasure, PERSONAL, Phone, pseudonym};
    use prost_reflect::Kind;
    use uuid::Uuid;

    use super::*;
    use crate::proto::common::EventHeader;
    use crate::proto::ordering::OrderPaid;

    /// The texts in events that name no person.
    const NOBODY: [&str; 24] = [
        // An account's id is made of its member: it moves.
        "account_id",
        "book_id",
        "booking_id",
        "context",
        "currency_code",
        "delivery_id",
        "hall",
        "id",
        "movie_name",
        "order_id",
        "payment_id",
        "preparation_id",
        "product_id",
        "product_name",
        "purchase_id",
        "reservation_id",
        "screening_id",
        "seats",
        "shop_id",
        "sku",
        "stock_id",
        "ticket_id",
        // Words of whoever wrote them: names are looked for within.
        "note",
        "reason",
    ];

    #[test]
    fn every_text_of_an_event_names_somebody_or_nobody() {
        // Who may call what is said of RPCs, and in no event.
        let is_event = |file: &str| file.ends_with("/events.proto") || file == "highstreet/common/v1/common.proto";
        let mut seen = 0;
        for message in pool().all_messages().filter(|it| is_event(it.parent_file().name())) {
            for field in message.fields().filter(|field| matches!(field.kind(), Kind::String)) {
                let (name, of) = (field.name(), message.full_name());
                let known = PERSONAL.contains(&name) || NOBODY.contains(&name);
                assert!(
                    known,
                    "{of}.{name}: does it name a person? Then it belongs in kernel::PERSONAL, else in NOBODY"
                );
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn an_event_is_told_without_the_person() {
        let id = Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0009);
        let erasure = Erasure::new(id, Some(&Phone::parse("010-1234-5678").unwrap()), &[]);
        let of = |customer: &str| OrderPaid {
            header: Some(EventHeader { customer: customer.into(), revision: 3, ..EventHeader::default() }),
            order_id: "7".into(),
            customer_phone: customer.into(),
            ..OrderPaid::default()
        };
        let told = retell(&erasure, "ordering", "OrderPaid", &of("010-1234-5678").encode_to_vec()).unwrap();
        assert_eq!(OrderPaid::decode(told.as_slice()).unwrap(), of(&pseudonym(id)));
        assert_eq!(retell(&erasure, "ordering", "OrderPaid", &told), None, "a second time finds nothing");
        assert_eq!(retell(&erasure, "ordering", "OrderPaid", &of("010-9999-9999").encode_to_vec()), None);
        assert_eq!(retell(&erasure, "ordering", "OrderEaten", b"01012345678"), Some(Vec::new()), "unknown: emptied");
        assert_eq!(retell(&erasure, "ordering", "OrderPaid", b"\xff01012345678"), Some(Vec::new()), "unreadable too");
    }
}
