//! What replenishment tells, and what it hears.

use highstreet_domain::kernel::{Happened, Id, Message, Published, Undecodable};
use highstreet_domain::replenishment::{CONTEXT, Event, Fact, Order};

use crate::Hears;
use crate::convert::{body, case, header, money, own, published, quantity, unknown};
use crate::proto::{delivery, inventory, replenishment};

/// What replenishment listens to.
pub const HEARS: Hears = &[("delivery", &["Shipped"]), ("inventory", &["StockReceived"])];

/// How replenishment's events are told.
pub fn publish(happened: &Happened<'_, Order>) -> Option<Published> {
    let details = happened.state.details()?;
    let header = header(&happened.state.case(happened.id)?, happened.revision, happened.origin);
    let order_id = happened.id.to_string();
    let (sku, product_name) = (details.item.product.to_string(), details.item.name.to_string());
    let quantity = quantity(details.item.quantity);
    macro_rules! told {
        ($name:ident) => {
            published(stringify!($name), &replenishment::$name { header, order_id, sku, product_name, quantity })
        };
    }
    match happened.event {
        Event::Placed(details) => {
            let unit_price = Some(money(&details.unit_price));
            let event = replenishment::OrderPlaced { header, order_id, sku, product_name, quantity, unit_price };
            published("OrderPlaced", &event)
        }
        Event::CancellationRequested { .. } => told!(OrderCancellationRequested),
        Event::Cancelled => told!(OrderCancelled),
        Event::CancellationRefused => told!(OrderCancellationRefused),
        Event::Shipped => told!(OrderShipped),
        Event::Received => told!(OrderReceived),
    }
}

/// What replenishment makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("delivery", "Shipped") => {
            let event = body::<delivery::Shipped>(message)?;
            own(CONTEXT, &case(event.header.as_ref())?.root)?.map(Id::new).map(Fact::Shipped)
        }
        ("inventory", "StockReceived") => {
            let event = body::<inventory::StockReceived>(message)?;
            own(CONTEXT, &case(event.header.as_ref())?.root)?.map(Id::new).map(Fact::Received)
        }
        _ => return Err(unknown(message)),
    })
}
