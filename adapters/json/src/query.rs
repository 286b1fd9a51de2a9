//! Fields from a query: `?status=ORDER_STATUS_PAID&order.context=ordering&seats=1A&seats=1B`.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use prost_reflect::{DynamicMessage, ReflectMessage};

use crate::field::FieldPath;
use crate::wrong::Wrong;

/// Puts what the query says into the message; or says all that is wrong with it.
pub(crate) fn put(message: &mut DynamicMessage, query: &str) -> Wrong {
    let mut wrong = Wrong::default();
    let mut seen: Vec<String> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
            wrong.add(name, "is not percent-encoded UTF-8");
            continue;
        };
        let Some(path) = FieldPath::find(&message.descriptor(), &name) else {
            wrong.add(name, format!("is not a field of {}", message.descriptor().name()));
            continue;
        };
        let canonical = path.json_name();
        if !path.field().is_list() && seen.contains(&canonical) {
            wrong.add(name, "is given twice");
            continue;
        }
        seen.push(canonical);
        if let Err(why) = path.put(message, &value) {
            wrong.add(name, why);
        }
    }
    wrong
}

/// In a query a plus sign is a space; `None` if it is no UTF-8.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().ok().map(|text| Cow::Owned(text.into_owned()))
}

/// One value of a path; `None` if it is no UTF-8.
pub(crate) fn segment(text: &str) -> Option<Cow<'_, str>> {
    percent_decode(text.as_bytes()).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use highstreet_wire::DESCRIPTORS;
    use prost_reflect::DescriptorPool;
    use tonic_types::StatusExt;

    use super::*;

    fn of(name: &str, query: &str) -> (String, Vec<String>) {
        let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
        let message = pool.get_message_by_name(&format!("highstreet.{name}")).unwrap();
        let mut message = DynamicMessage::new(message);
        let wrong = put(&mut message, query).finish().err().map(|it| it.get_details_bad_request().unwrap());
        assert!(message.descriptor().full_name().ends_with(name));
        let fields = wrong.into_iter().flat_map(|it| it.field_violations).map(|it| it.field).collect();
        (serde_json::to_string(&message).unwrap(), fields)
    }

    #[test]
    fn fields_are_read_in_every_spelling() {
        let (json, wrong) = of(
            "delivery.v1.ListDeliveriesRequest",
            "shop_id=s%20a+b&order.context=ordering&order.id=%EC%BB%A4%ED%94%BC&status=DELIVERY_STATUS_SHIPPED&pageSize=5&",
        );
        assert_eq!(wrong, [""; 0]);
        assert_eq!(
            json,
            r#"{"shopId":"s a b","order":{"context":"ordering","id":"커피"},"status":"DELIVERY_STATUS_SHIPPED","pageSize":5}"#
        );
        let (json, _) = of("delivery.v1.ListDeliveriesRequest", "status=2");
        assert_eq!(json, r#"{"status":"DELIVERY_STATUS_SHIPPED"}"#);
    }

    #[test]
    fn a_list_is_given_by_repeating_it() {
        let (json, wrong) = of("booking.v1.SelectSeatsRequest", "seats=1A&seats=1B");
        assert_eq!((json.as_str(), wrong.len()), (r#"{"seats":["1A","1B"]}"#, 0));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let query = "shopId=a&shop_id=b&nothing=1&status=GOLD&pageSize=x&order=7&customerPhone=%FF";
        let (_, wrong) = of("ordering.v1.ListOrdersRequest", query);
        assert_eq!(wrong, ["shop_id", "nothing", "status", "pageSize", "order", "customerPhone"]);
        let (_, wrong) = of("payment.v1.GetPaymentRequest", "paymentId=1&order.id=2");
        assert_eq!(wrong, ["order.id"]);
    }
}
