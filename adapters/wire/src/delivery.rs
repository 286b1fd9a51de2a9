//! What delivery tells, and what it hears.

use highstreet_domain::delivery::{Delivery, Event, Fact, Load};
use highstreet_domain::kernel::{Happened, Item, Message, Published, Undecodable};

use crate::Hears;
use crate::convert::{
    body, case, header, heard_item, heard_items, heard_money, heard_reference, items, published, reference, unknown,
};
use crate::proto::{delivery, kitchen, ordering, replenishment};

/// What delivery listens to.
pub const HEARS: Hears = &[
    ("kitchen", &["PreparationReady"]),
    ("ordering", &["OrderCancelled"]),
    // That one of these is cancelled it is told by a call, and answers.
    ("replenishment", &["OrderPlaced"]),
];

/// How delivery's events are told.
pub fn publish(happened: &Happened<'_, Delivery>) -> Option<Published> {
    let load = happened.state.load()?;
    let header = header(&load.case, happened.revision, happened.origin);
    let delivery_id = happened.id.to_string();
    let order = Some(reference(&load.order));
    match happened.event {
        Event::Scheduled(_) => {
            let items = items(&load.items);
            published("DeliveryScheduled", &delivery::DeliveryScheduled { header, delivery_id, order, items })
        }
        Event::Shipped => {
            let items = items(&load.items);
            published("Shipped", &delivery::Shipped { header, delivery_id, order, items })
        }
        Event::Delivered => published("Delivered", &delivery::Delivered { header, delivery_id, order }),
        Event::Cancelled { .. } => {
            published("DeliveryCancelled", &delivery::DeliveryCancelled { header, delivery_id, order })
        }
        Event::RecallRefused => published("RecallRefused", &delivery::RecallRefused { header, delivery_id, order }),
    }
}

/// What delivery makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("kitchen", "PreparationReady") => {
            let event = body::<kitchen::PreparationReady>(message)?;
            let items = heard_items(&event.items)?;
            let order = heard_reference(event.order.as_ref())?;
            Some(Fact::Wanted(Load { case: case(event.header.as_ref())?, order, items }))
        }
        ("replenishment", "OrderPlaced") => {
            let event = body::<replenishment::OrderPlaced>(message)?;
            let case = case(event.header.as_ref())?;
            let unit_price = event.unit_price.as_ref().map(heard_money).transpose()?;
            let item = Item { unit_price, ..heard_item(&event.sku, &event.product_name, event.quantity)? };
            Some(Fact::Wanted(Load { order: case.root.clone(), case, items: vec![item] }))
        }
        ("ordering", "OrderCancelled") => {
            let event = body::<ordering::OrderCancelled>(message)?;
            Some(Fact::OrderCancelled(case(event.header.as_ref())?))
        }
        _ => return Err(unknown(message)),
    })
}
