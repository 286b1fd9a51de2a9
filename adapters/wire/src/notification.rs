//! What notification hears; it tells nothing.

use highstreet_domain::kernel::{Happened, Message, Published, Undecodable};
use highstreet_domain::notification::{Fact, Happening, Notification};

use crate::Hears;
use crate::convert::{body, case, unknown};
use crate::proto::{common, delivery, kitchen, ordering};

/// What notification listens to.
pub const HEARS: Hears = &[
    ("ordering", &["OrderPlaced", "OrderPaid", "OrderCompleted", "OrderCancelled"]),
    ("kitchen", &["PreparationReady"]),
    ("delivery", &["RecallRefused"]),
];

/// Nobody listens to notification.
pub fn publish(_happened: &Happened<'_, Notification>) -> Option<Published> {
    None
}

/// What notification makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    let (header, happening): (Option<common::EventHeader>, _) = match (&*message.source, message.name.as_str()) {
        ("ordering", "OrderPlaced") => {
            let event = body::<ordering::OrderPlaced>(message)?;
            let drinks = event.lines.iter().map(|line| u64::try_from(line.quantity).unwrap_or(0)).sum();
            (event.header, Happening::OrderPlaced { drinks })
        }
        ("ordering", "OrderPaid") => (body::<ordering::OrderPaid>(message)?.header, Happening::OrderPaid),
        ("ordering", "OrderCompleted") => {
            (body::<ordering::OrderCompleted>(message)?.header, Happening::OrderCompleted)
        }
        ("ordering", "OrderCancelled") => {
            let event = body::<ordering::OrderCancelled>(message)?;
            (event.header, Happening::OrderCancelled { paid: event.paid })
        }
        ("kitchen", "PreparationReady") => {
            (body::<kitchen::PreparationReady>(message)?.header, Happening::PreparationReady)
        }
        ("delivery", "RecallRefused") => (body::<delivery::RecallRefused>(message)?.header, Happening::RecallRefused),
        _ => return Err(unknown(message)),
    };
    let case = case(header.as_ref())?;
    // What is told here, so far, is of the coffee shop.
    Ok((case.root.context == "ordering").then(|| Fact {
        message: message.id,
        event: message.name.clone(),
        case,
        happening,
    }))
}
