//! What sales tells, and what it hears.

use highstreet_domain::kernel::{Happened, Id, Message, Published, Undecodable};
use highstreet_domain::sales::{CONTEXT, CancelReason, Event, Fact, Purchase};

use crate::Hears;
use crate::convert::{body, case, header, money, own, published, quantity, unknown};
use crate::proto::{inventory, sales};

/// What sales listens to.
pub const HEARS: Hears = &[("inventory", &["StockShort"])];

/// How sales' events are told.
pub fn publish(happened: &Happened<'_, Purchase>) -> Option<Published> {
    let details = happened.state.details()?;
    let header = header(&happened.state.case(happened.id)?, happened.revision, happened.origin);
    let (purchase_id, sku) = (happened.id.to_string(), details.sku.to_string());
    let (quantity, unit_price) = (quantity(details.quantity), Some(money(&details.unit_price)));
    let total = details.total().as_ref().map(money);
    match happened.event {
        Event::Recorded(_) => {
            published("Purchased", &sales::Purchased { header, purchase_id, sku, quantity, unit_price, total })
        }
        Event::Cancelled { reason, .. } => {
            let out_of_stock = *reason == CancelReason::OutOfStock;
            let event =
                sales::PurchaseCancelled { header, purchase_id, sku, quantity, unit_price, total, out_of_stock };
            published("PurchaseCancelled", &event)
        }
    }
}

/// What sales makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("inventory", "StockShort") => {
            let event = body::<inventory::StockShort>(message)?;
            own(CONTEXT, &case(event.header.as_ref())?.root)?.map(Id::new).map(Fact::OutOfStock)
        }
        _ => return Err(unknown(message)),
    })
}
