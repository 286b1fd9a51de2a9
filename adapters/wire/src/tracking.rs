//! What tracking hears: everything that belongs to a case.

use highstreet_domain::kernel::{Message, Undecodable};
use highstreet_domain::tracking::{Fact, Kind, Step};
use prost::Message as _;

use crate::Hears;
use crate::convert::case;
use crate::proto::common;

/// What tracking listens to, with the status each event leads to in its own context.
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
        status: status(&message.name).to_owned(),
    };
    Ok(Some(Fact { case, step }))
}

/// The status that an event leads to in its own context.
fn status(event: &str) -> &str {
    match event {
        "OrderPlaced" => "ORDERED",
        "PreparationStarted" | "DeliveryScheduled" => "PREPARING",
        "RecallRefused" => "DELIVERED",
        // `OrderPaid` leads to `PAID`, and so on.
        name => match name.trim_start_matches("Order").trim_start_matches("Payment") {
            "Paid" => "PAID",
            "Completed" => "COMPLETED",
            "Requested" => "REQUESTED",
            "Approved" => "APPROVED",
            "Declined" => "DECLINED",
            "Refunded" => "REFUNDED",
            "PreparationReady" => "READY",
            "Shipped" => "SHIPPED",
            "Delivered" => "DELIVERED",
            "Earned" => "EARNED",
            "Reversed" => "REVERSED",
            _ => "CANCELLED",
        },
    }
}
