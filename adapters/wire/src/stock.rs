//! What all of inventory's events have in common: how much there is of what.

use highstreet_domain::kernel::{Message, Money, ShopId, Undecodable};
use prost::Message as _;

use crate::Hears;
use crate::convert::{case, heard_money, unknown};
use crate::proto::{self, common};

/// All of inventory's events.
pub(crate) const HEARS: Hears =
    &[("inventory", &["StockReceived", "StockWithdrawn", "StockShort", "StockReturned", "StockAdjusted", "StockLow"])];

/// The fields that all of them begin with.
#[derive(Clone, PartialEq, prost::Message)]
struct Fields {
    #[prost(message, optional, tag = "1")]
    header: Option<common::EventHeader>,
    #[prost(string, tag = "3")]
    sku: String,
    #[prost(string, tag = "4")]
    product_name: String,
    #[prost(int64, tag = "5")]
    on_hand: i64,
    #[prost(int64, tag = "6")]
    reorder_point: i64,
    #[prost(message, optional, tag = "7")]
    unit_price: Option<proto::Money>,
}

/// How much there is of what.
pub(crate) struct Level {
    pub(crate) shop: ShopId,
    pub(crate) sku: String,
    pub(crate) product_name: String,
    pub(crate) on_hand: i64,
    pub(crate) reorder_point: i64,
    pub(crate) unit_price: Option<Money>,
    pub(crate) revision: u64,
}

/// What an event of inventory says of how much there is.
pub(crate) fn read(message: &Message) -> Result<Level, Undecodable> {
    if !HEARS[0].1.contains(&message.name.as_str()) {
        return Err(unknown(message));
    }
    let fields = Fields::decode(message.body.as_slice());
    let fields = fields.map_err(|error| Undecodable(format!("{}: {error}", message.name)))?;
    let shop = case(fields.header.as_ref())?.shop;
    Ok(Level {
        shop,
        sku: fields.sku,
        product_name: fields.product_name,
        on_hand: fields.on_hand,
        reorder_point: fields.reorder_point,
        unit_price: fields.unit_price.as_ref().map(heard_money).transpose()?,
        revision: fields.header.map_or(0, |header| header.revision.cast_unsigned()),
    })
}
