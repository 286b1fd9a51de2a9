//! What tracking hears: everything that belongs to a case.

use highstreet_domain::kernel::{Message, Undecodable};
use highstreet_domain::tracking::{Fact, Kind, Step};

mod board;

pub use board::{GOODS, ORDERS, TAKINGS, see_goods, see_order, see_sale};

use crate::Hears;
use crate::convert::{Headed, body, case, unknown};
use crate::proto::booking;

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
    (
        "booking",
        &[
            "BookingReserved",
            "BookingPaid",
            "BookingConfirmed",
            "BookingCompleted",
            "BookingCancellationRequested",
            "BookingCancelled",
            "BookingFailed",
        ],
    ),
    ("seating", &["SeatsHeld", "SeatsAssigned", "SeatsReleased"]),
    ("ticketing", &["TicketIssued", "TicketCollected", "TicketCancelled", "TicketCollectionGivenUp"]),
];

/// What tracking makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    let headed = Headed::of(message)?;
    let case = case(headed.header.as_ref())?;
    if Kind::of(&case.root).is_none() || never_was(message)? {
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

/// A booking that failed before money was taken was never there.
fn never_was(message: &Message) -> Result<bool, Undecodable> {
    let failed = (&*message.source, message.name.as_str()) == ("booking", "BookingFailed");
    Ok(failed && !body::<booking::BookingFailed>(message)?.paid)
}

/// The status that an event leads to in its own context; `None` for one this version does not know.
fn status(context: &str, event: &str) -> Option<&'static str> {
    Some(match (context, event) {
        ("ordering", "OrderPlaced") => "ORDERED",
        ("replenishment", "OrderPlaced") => "PLACED",
        (_, "OrderPaid" | "BookingPaid") => "PAID",
        (_, "OrderCompleted" | "BookingCompleted") => "COMPLETED",
        (_, "OrderCancellationRequested" | "BookingCancellationRequested") => "CANCELLATION_PENDING",
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
        (_, "BookingReserved") => "RESERVED",
        (_, "ReservationConfirmed" | "BookingConfirmed") => "CONFIRMED",
        (_, "ReservationFailed" | "BookingFailed") => "FAILED",
        (_, "SeatsHeld") => "HELD",
        (_, "SeatsAssigned") => "ASSIGNED",
        // Seats have no end of their own: released, they are as a cancelled booking leaves them.
        (_, "SeatsReleased") => "RELEASED",
        (_, "TicketIssued" | "TicketCollectionGivenUp") => "ISSUED",
        (_, "TicketCollected") => "COLLECTED",
        (
            _,
            "OrderCancelled"
            | "PaymentCancelled"
            | "PreparationCancelled"
            | "DeliveryCancelled"
            | "PurchaseCancelled"
            | "ReservationCancelled"
            | "BookingCancelled"
            | "TicketCancelled",
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
