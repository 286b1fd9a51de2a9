//! What notification hears; it tells nothing.

use highstreet_domain::kernel::{Happened, Message, Published, Undecodable};
use highstreet_domain::notification::{Cafe, Cinema, Fact, Goods, Happening, Library, Notification, Store};

use crate::Hears;
use crate::convert::{Headed, body, case, unknown};
use crate::proto::{booking, inventory, ordering, replenishment, sales};

/// What notification listens to.
pub const HEARS: Hears = &[
    ("ordering", &["OrderPlaced", "OrderPaid", "OrderCompleted", "OrderCancelled"]),
    ("kitchen", &["PreparationReady"]),
    ("delivery", &["DeliveryScheduled", "Delivered", "RecallRefused"]),
    ("replenishment", &["OrderPlaced", "OrderShipped", "OrderReceived", "OrderCancelled", "OrderCancellationRefused"]),
    ("inventory", &["StockShort", "StockLow"]),
    ("sales", &["Purchased", "PurchaseCancelled"]),
    ("lending", &["ReservationConfirmed", "ReservationFailed", "ReservationCancelled"]),
    (
        "booking",
        &[
            "BookingReserved",
            "BookingPaid",
            "BookingConfirmed",
            "BookingCompleted",
            "BookingCancelled",
            "BookingFailed",
        ],
    ),
];

/// Nobody listens to notification.
pub fn publish(_happened: &Happened<'_, Notification>) -> Option<Published> {
    None
}

/// What notification makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    let happening = match &*message.source {
        "ordering" | "kitchen" => of_cafe(message)?,
        "delivery" => of_delivery(message)?,
        "replenishment" => of_replenishment(message)?,
        "inventory" => of_inventory(message)?,
        "sales" => of_sales(message)?,
        "booking" => of_booking(message)?.map(Happening::Cinema),
        "lending" => Some(Happening::Library(of_lending(message)?)),
        _ => return Err(unknown(message)),
    };
    let case = case(Headed::of(message)?.header.as_ref())?;
    let (id, event) = (message.id, message.name.clone());
    Ok(happening.map(|happening| Fact { message: id, event, case, happening }))
}

fn of_cafe(message: &Message) -> Result<Option<Happening>, Undecodable> {
    let cafe = match message.name.as_str() {
        "OrderPlaced" => {
            let event = body::<ordering::OrderPlaced>(message)?;
            Cafe::OrderPlaced { drinks: event.lines.iter().map(|line| u64::try_from(line.quantity).unwrap_or(0)).sum() }
        }
        "OrderPaid" => Cafe::OrderPaid,
        "OrderCompleted" => Cafe::OrderCompleted,
        "OrderCancelled" => Cafe::OrderCancelled { paid: body::<ordering::OrderCancelled>(message)?.paid },
        "PreparationReady" => Cafe::PreparationReady,
        _ => return Err(unknown(message)),
    };
    Ok(Some(Happening::Cafe(cafe)))
}

/// Customers of the coffee shop are told of their order, owners of stores of their deliveries.
fn of_delivery(message: &Message) -> Result<Option<Happening>, Undecodable> {
    let of_store = case(Headed::of(message)?.header.as_ref())?.root.context == "replenishment";
    Ok(match message.name.as_str() {
        "DeliveryScheduled" => of_store.then_some(Happening::Store(Store::DeliveryScheduled)),
        "Delivered" => of_store.then_some(Happening::Store(Store::Delivered)),
        "RecallRefused" => Some(Happening::Cafe(Cafe::RecallRefused)),
        _ => return Err(unknown(message)),
    })
}

fn of_replenishment(message: &Message) -> Result<Option<Happening>, Undecodable> {
    // All of them name the goods alike.
    let event = body::<replenishment::OrderShipped>(message)?;
    let goods = Goods { name: event.product_name, count: event.quantity.into() };
    Ok(Some(Happening::Store(match message.name.as_str() {
        "OrderPlaced" => Store::OrderPlaced(goods),
        "OrderShipped" => Store::OrderShipped(goods),
        "OrderReceived" => Store::OrderReceived(goods),
        "OrderCancelled" => Store::OrderCancelled(goods),
        "OrderCancellationRefused" => Store::CancellationRefused(goods),
        _ => return Err(unknown(message)),
    })))
}

fn of_inventory(message: &Message) -> Result<Option<Happening>, Undecodable> {
    let level = crate::stock::read(message)?;
    let name = if level.product_name.is_empty() { level.sku } else { level.product_name };
    Ok(Some(Happening::Store(match message.name.as_str() {
        "StockShort" => Store::StockShort(Goods { name, count: body::<inventory::StockShort>(message)?.quantity }),
        "StockLow" => Store::StockLow(Goods { name, count: level.on_hand }),
        _ => return Err(unknown(message)),
    })))
}

fn of_sales(message: &Message) -> Result<Option<Happening>, Undecodable> {
    Ok(Some(Happening::Store(match message.name.as_str() {
        "Purchased" => {
            let event = body::<sales::Purchased>(message)?;
            Store::Purchased(Goods { name: event.sku, count: event.quantity.into() })
        }
        "PurchaseCancelled" => {
            let event = body::<sales::PurchaseCancelled>(message)?;
            let goods = Goods { name: event.sku, count: event.quantity.into() };
            Store::PurchaseCancelled { goods, out_of_stock: event.out_of_stock }
        }
        _ => return Err(unknown(message)),
    })))
}

fn of_lending(message: &Message) -> Result<Library, Undecodable> {
    Ok(match message.name.as_str() {
        "ReservationConfirmed" => Library::ReservationConfirmed,
        "ReservationFailed" => Library::ReservationFailed,
        "ReservationCancelled" => Library::ReservationCancelled,
        _ => return Err(unknown(message)),
    })
}

fn of_booking(message: &Message) -> Result<Option<Cinema>, Undecodable> {
    Ok(match message.name.as_str() {
        "BookingReserved" => Some(Cinema::BookingReserved),
        "BookingPaid" => Some(Cinema::BookingPaid),
        "BookingConfirmed" => {
            Some(Cinema::BookingConfirmed { seats: body::<booking::BookingConfirmed>(message)?.seats })
        }
        "BookingCompleted" => Some(Cinema::BookingCompleted),
        "BookingCancelled" => {
            let expired = body::<booking::BookingCancelled>(message)?.reason() == booking::CancelReason::Expired;
            Some(Cinema::BookingCancelled { expired })
        }
        // Whoever paid nothing was told that it failed by the answer.
        "BookingFailed" => body::<booking::BookingFailed>(message)?.paid.then_some(Cinema::BookingFailed),
        _ => return Err(unknown(message)),
    })
}
