//! What the kitchen tells, and what it hears.

use highstreet_domain::kernel::{Happened, Item, Message, Published, Undecodable};
use highstreet_domain::kitchen::{Event, Fact, Preparation, Work};

use crate::Hears;
use crate::convert::{body, case, header, heard_item, items, published, reference, unknown};
use crate::proto::{kitchen, ordering};

/// What the kitchen listens to.
pub const HEARS: Hears = &[("ordering", &["OrderPaid", "OrderCancelled"])];

/// How the kitchen's events are told.
pub fn publish(happened: &Happened<'_, Preparation>) -> Option<Published> {
    let work = happened.state.work()?;
    let header = header(&work.case, happened.revision, happened.origin);
    let preparation_id = happened.id.to_string();
    let order = Some(reference(&work.order));
    match happened.event {
        Event::Started(_) => {
            published("PreparationStarted", &kitchen::PreparationStarted { header, preparation_id, order })
        }
        Event::Ready => {
            let items = items(&work.items);
            published("PreparationReady", &kitchen::PreparationReady { header, preparation_id, order, items })
        }
        Event::Cancelled { .. } => {
            published("PreparationCancelled", &kitchen::PreparationCancelled { header, preparation_id, order })
        }
    }
}

/// What the kitchen makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("ordering", "OrderPaid") => {
            let event = body::<ordering::OrderPaid>(message)?;
            let case = case(event.header.as_ref())?;
            Some(Fact::OrderPaid(Work { order: case.root.clone(), case, items: heard_lines(&event.lines)? }))
        }
        ("ordering", "OrderCancelled") => {
            let event = body::<ordering::OrderCancelled>(message)?;
            Some(Fact::OrderCancelled(case(event.header.as_ref())?))
        }
        _ => return Err(unknown(message)),
    })
}

fn heard_lines(lines: &[ordering::OrderLine]) -> Result<Vec<Item>, Undecodable> {
    lines.iter().map(|line| heard_item(&line.product_id, &line.product_name, line.quantity)).collect()
}
