//! What tracking hears: everything that belongs to a case.

use highstreet_domain::kernel::{Message, Undecodable};
use highstreet_domain::tracking::{Fact, Kind, Step};
use prost::Message as _;

use crate::Hears;
use crate::convert::{case, unknown};
use crate::proto::common;

/// What tracking listens to.
pub const HEARS: Hears = &[
    ("ordering", &["OrderPlaced", "OrderPaid", "OrderCompleted", "OrderCancelled"]),
    ("payment", &["PaymentRequested", "PaymentApproved", "PaymentDeclined", "PaymentCancelled", "PaymentRefunded"]),
    ("kitchen", &["PreparationStarted", "PreparationReady", "PreparationCancelled"]),
    ("delivery", &["DeliveryScheduled", "Shipped", "Delivered", "DeliveryCancelled", "RecallRefused"]),
    ("loyalty", &["Earned", "Reversed"]),
];

/// Every event begins with its header: nothing else of it is needed here.
#[derive(Clone, PartialEq, prost::Message)]
struct Headed {
    #[prost(message, optional, tag = "1")]
    header: Option<common::EventHeader>,
}

/// What tracking makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    let headed =
        Headed::decode(message.body.as_slice()).map_err(|error| Undecodable(format!("{}: {error}", message.name)))?;
    let case = case(headed.header.as_ref())?;
    if Kind::of(&case.root).is_none() {
        return Ok(None);
    }
    let step = Step {
        time: message.time,
        context: message.source.to_string(),
        id: message.subject,
        revision: headed.header.map_or(0, |header| header.revision.cast_unsigned()),
        event: message.name.clone(),
        status: status(&message.name).ok_or_else(|| unknown(message))?.to_owned(),
    };
    Ok(Some(Fact { case, step }))
}

/// The status that an event leads to in its own context; `None` for one this version does not know.
fn status(event: &str) -> Option<&'static str> {
    Some(match event {
        "OrderPlaced" => "ORDERED",
        "OrderPaid" => "PAID",
        "OrderCompleted" => "COMPLETED",
        "PaymentRequested" => "REQUESTED",
        "PaymentApproved" => "APPROVED",
        "PaymentDeclined" => "DECLINED",
        "PaymentRefunded" => "REFUNDED",
        "PreparationStarted" | "DeliveryScheduled" => "PREPARING",
        "PreparationReady" => "READY",
        "Shipped" => "SHIPPED",
        "Delivered" | "RecallRefused" => "DELIVERED",
        "OrderCancelled" | "PaymentCancelled" | "PreparationCancelled" | "DeliveryCancelled" => "CANCELLED",
        "Earned" => "EARNED",
        "Reversed" => "REVERSED",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_that_is_heard_leads_to_a_status_and_no_other_does() {
        for name in HEARS.iter().flat_map(|(_, names)| *names) {
            assert!(status(name).is_some(), "{name}");
        }
        assert_eq!(status("OrderForgotten"), None);
    }
}
