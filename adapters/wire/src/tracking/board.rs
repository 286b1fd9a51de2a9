//! What the board of a store's owner is folded from.

use highstreet_domain::kernel::{Item, Message, ProductId, Undecodable};
use highstreet_domain::tracking::{
    GoodsFact, Sale, SaleKind, StoreDeliveryStatus, StoreOrderFact, StoreOrderNews, StoreOrderStatus,
};

use crate::Hears;
use crate::convert::{Headed, body, case, heard, heard_item, heard_money, missing, unknown};
use crate::proto::{Money, common, replenishment, sales};
use crate::stock;

/// What the list of orders is folded from.
pub const ORDERS: Hears = &[
    (
        "replenishment",
        &["OrderPlaced", "OrderCancellationRequested", "OrderCancelled", "OrderShipped", "OrderReceived"],
    ),
    ("delivery", &["DeliveryScheduled", "Shipped", "Delivered", "DeliveryCancelled"]),
];

/// What the list of goods is folded from.
pub const GOODS: Hears = stock::HEARS;

/// What the takings are folded from.
pub const TAKINGS: Hears = &[("sales", &["Purchased", "PurchaseCancelled"])];

/// What the list of orders makes of what others tell.
pub fn see_order(message: &Message) -> Result<Option<StoreOrderFact>, Undecodable> {
    use StoreOrderNews::{Delivery, Order};
    let news = match (&*message.source, message.name.as_str()) {
        ("replenishment", "OrderPlaced") => {
            let event = body::<replenishment::OrderPlaced>(message)?;
            let unit_price = event.unit_price.as_ref().map(heard_money).transpose()?;
            let item = Item { unit_price, ..heard_item(&event.sku, &event.product_name, event.quantity)? };
            StoreOrderNews::Placed(item, message.time)
        }
        ("replenishment", "OrderCancellationRequested") => Order(StoreOrderStatus::CancellationPending),
        ("replenishment", "OrderCancelled") => Order(StoreOrderStatus::Cancelled),
        ("replenishment", "OrderShipped") => Order(StoreOrderStatus::Shipped),
        ("replenishment", "OrderReceived") => Order(StoreOrderStatus::Received),
        ("delivery", "DeliveryScheduled") => Delivery(StoreDeliveryStatus::Preparing),
        ("delivery", "Shipped") => Delivery(StoreDeliveryStatus::Shipped),
        ("delivery", "Delivered") => Delivery(StoreDeliveryStatus::Delivered),
        ("delivery", "DeliveryCancelled") => Delivery(StoreDeliveryStatus::Cancelled),
        _ => return Err(unknown(message)),
    };
    let case = case(Headed::of(message)?.header.as_ref())?;
    // The coffee shop's deliveries are on no store's board.
    Ok((case.root.context == "replenishment").then_some(StoreOrderFact { case, news }))
}

/// What the list of goods makes of what inventory tells.
pub fn see_goods(message: &Message) -> Result<Option<GoodsFact>, Undecodable> {
    let level = stock::read(message)?;
    Ok(Some(GoodsFact {
        shop: level.shop,
        sku: heard("sku", ProductId::parse(&level.sku))?,
        name: level.product_name,
        on_hand: level.on_hand,
        reorder_point: level.reorder_point,
        unit_price: level.unit_price,
        revision: level.revision,
        time: message.time,
    }))
}

/// What the takings make of what sales tells.
pub fn see_sale(message: &Message) -> Result<Option<Sale>, Undecodable> {
    let (kind, header, quantity, total) = match (&*message.source, message.name.as_str()) {
        ("sales", "Purchased") => {
            let event = body::<sales::Purchased>(message)?;
            (SaleKind::Purchased, event.header, event.quantity, event.total)
        }
        ("sales", "PurchaseCancelled") => {
            let event = body::<sales::PurchaseCancelled>(message)?;
            (SaleKind::Cancelled, event.header, event.quantity, event.total)
        }
        _ => return Err(unknown(message)),
    };
    sale(message, kind, header.as_ref(), quantity, total.as_ref()).map(Some)
}

fn sale(
    message: &Message,
    kind: SaleKind,
    header: Option<&common::EventHeader>,
    quantity: i32,
    total: Option<&Money>,
) -> Result<Sale, Undecodable> {
    Ok(Sale {
        message: message.id,
        shop: case(header)?.shop,
        time: message.time,
        kind,
        pieces: u32::try_from(quantity).map_err(|_| Undecodable("quantity is negative".into()))?,
        total: heard_money(total.ok_or_else(|| missing("total"))?)?,
    })
}
