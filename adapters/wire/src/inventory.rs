//! What inventory tells, and what it hears.

use highstreet_domain::inventory::{Event, Fact, Stock, StockName};
use highstreet_domain::kernel::{Case, Happened, Message, ProductId, Published, Quantity, Undecodable};

use crate::Hears;
use crate::convert::{body, case, header, heard, heard_items, money, published, reference, unknown};
use crate::proto::{common, delivery, inventory, lending, sales};

/// What inventory listens to.
pub const HEARS: Hears = &[
    ("delivery", &["Shipped"]),
    ("sales", &["Purchased", "PurchaseCancelled"]),
    ("lending", &["ReservationRequested", "ReservationCancelled"]),
];

/// How inventory's events are told.
pub fn publish(happened: &Happened<'_, Stock>) -> Option<Published> {
    let stock = happened.state;
    let name = stock.name.as_ref()?;
    let header = header(happened.event.case(), happened.revision, happened.origin);
    let (stock_id, sku, on_hand, reorder_point) =
        (happened.id.to_string(), name.sku.to_string(), stock.on_hand, stock.reorder_point);
    let product_name = stock.goods.as_ref().map_or_else(String::new, |goods| goods.name.to_string());
    let unit_price = stock.goods.as_ref().and_then(|goods| goods.unit_price.as_ref()).map(money);
    let reference = Some(reference(happened.event.reference()));
    macro_rules! told {
        ($name:ident { $($more:ident: $value:expr),* }) => {
            published(stringify!($name), &inventory::$name {
                header, stock_id, sku, product_name, on_hand, reorder_point, unit_price, reference, $($more: $value),*
            })
        };
    }
    match happened.event {
        Event::Received { quantity, .. } => told!(StockReceived { quantity: i64::from(*quantity) }),
        Event::Withdrawn { quantity, .. } => told!(StockWithdrawn { quantity: i64::from(*quantity) }),
        Event::Short { quantity, .. } => told!(StockShort { quantity: i64::from(*quantity) }),
        Event::Returned { quantity, .. } => told!(StockReturned { quantity: i64::from(*quantity) }),
        Event::Adjusted { delta, note, .. } => told!(StockAdjusted { delta: *delta, reason: note.to_string() }),
        Event::RanLow { .. } => told!(StockLow {}),
    }
}

/// What inventory makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("delivery", "Shipped") => {
            let event = body::<delivery::Shipped>(message)?;
            let case = case(event.header.as_ref())?;
            // What the coffee shop delivers comes from no stock, and goes to none.
            let from_head_office = case.root.context == "replenishment";
            from_head_office.then(|| Ok(Fact::Shipped { case, items: heard_items(&event.items)? })).transpose()?
        }
        ("sales", "Purchased") => {
            let event = body::<sales::Purchased>(message)?;
            let (case, name) = wanted(event.header.as_ref(), &event.sku)?;
            let quantity = heard("quantity", Quantity::new(i64::from(event.quantity)))?;
            Some(Fact::Wanted { case, name, quantity })
        }
        ("sales", "PurchaseCancelled") => {
            let event = body::<sales::PurchaseCancelled>(message)?;
            let (case, name) = wanted(event.header.as_ref(), &event.sku)?;
            Some(Fact::NotWanted { case, name })
        }
        ("lending", "ReservationRequested") => {
            let event = body::<lending::ReservationRequested>(message)?;
            let (case, name) = wanted(event.header.as_ref(), &event.book_id)?;
            Some(Fact::Wanted { case, name, quantity: Quantity::ONE })
        }
        ("lending", "ReservationCancelled") => {
            let event = body::<lending::ReservationCancelled>(message)?;
            let (case, name) = wanted(event.header.as_ref(), &event.book_id)?;
            Some(Fact::NotWanted { case, name })
        }
        _ => return Err(unknown(message)),
    })
}

fn wanted(header: Option<&common::EventHeader>, sku: &str) -> Result<(Case, StockName), Undecodable> {
    let case = case(header)?;
    let sku = heard("product", ProductId::parse(sku))?;
    let name = StockName { shop: case.shop.clone(), sku };
    Ok((case, name))
}
