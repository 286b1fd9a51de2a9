//! What tracking hears: everything that belongs to a case.

use highstreet_domain::kernel::{Message, Undecodable};
use highstreet_domain::tracking::{Fact, Kind, Step};

mod board;

pub use board::{GOODS, ORDERS, TAKINGS, see_goods, see_order, see_sale};

use crate::Hears;
use crate::convert::{Headed, case, unknown};

/// What traces are folded from: everything that is told of a case.
pub const HEARS: Hears = &[
    ("ordering", &["OrderPlaced", "OrderPaid", "OrderCompleted", "OrderCancelled"]),
    ("payment", &["PaymentRequested", "PaymentApproved", "PaymentDeclined", "PaymentCancelled", "PaymentRefunded"]),
    ("kitchen", &["PreparationStarted", "PreparationReady", "PreparationCancelled"]),
    ("delivery", &["DeliveryScheduled", "Shipped", "Delivered", "DeliveryCancelled", "RecallRefused"]),
    ("loyalty", &["Earned", "Reversed"]),
    (
        "replenishment",
        &[
            "OrderPlaced",
            "OrderCancellationRequested",
            "OrderCancelled",
            "OrderCancellationRefused",
            "OrderShipped",
            "OrderReceived",
        ],
    ),
    ("inventory", &["StockReceived", "StockWithdrawn", "StockShort", "StockReturned"]),
    ("sales", &["Purchased", "PurchaseCancelled"]),
    ("lending", &["ReservationRequested", "ReservationConfirmed", "ReservationFailed", "ReservationCancelled"]),
];

/// What tracking makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    let headed = Headed::of(message)?;
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
        status: status(&message.source, &message.name).ok_or_else(|| unknown(message))?.to_owned(),
    };
    Ok(Some(Fact { case, step }))
}

/// The status that an event leads to in its own context; `None` for one this version does not know.
fn status(context: &str, event: &str) -> Option<&'static str> {
    Some(match (context, event) {
        ("ordering", "OrderPlaced") => "ORDERED",
        ("replenishment", "OrderPlaced") => "PLACED",
        (_, "OrderPaid") => "PAID",
        (_, "OrderCompleted") => "COMPLETED",
        (_, "OrderCancellationRequested") => "CANCELLATION_PENDING",
        (_, "PaymentRequested" | "ReservationRequested") => "REQUESTED",
        (_, "PaymentApproved") => "APPROVED",
        (_, "PaymentDeclined") => "DECLINED",
        (_, "PaymentRefunded") => "REFUNDED",
        (_, "PreparationStarted" | "DeliveryScheduled") => "PREPARING",
        (_, "PreparationReady") => "READY",
        (_, "Shipped" | "OrderShipped" | "OrderCancellationRefused") => "SHIPPED",
        (_, "OrderReceived" | "StockReceived") => "RECEIVED",
        (_, "Delivered" | "RecallRefused") => "DELIVERED",
        (_, "StockWithdrawn") => "WITHDRAWN",
        (_, "StockShort") => "SHORT",
        (_, "StockReturned") => "RETURNED",
        (_, "Purchased") => "PURCHASED",
        (_, "ReservationConfirmed") => "CONFIRMED",
        (_, "ReservationFailed") => "FAILED",
        (
            _,
            "OrderCancelled"
            | "PaymentCancelled"
            | "PreparationCancelled"
            | "DeliveryCancelled"
            | "PurchaseCancelled"
            | "ReservationCancelled",
        ) => "CANCELLED",
        (_, "Earned") => "EARNED",
        (_, "Reversed") => "REVERSED",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_that_is_heard_leads_to_a_status_and_no_other_does() {
        for (context, name) in HEARS.iter().flat_map(|(context, names)| names.iter().map(move |name| (context, name))) {
            assert!(status(context, name).is_some(), "{context}.{name}");
        }
        assert_eq!(status("ordering", "OrderForgotten"), None);
    }
}
