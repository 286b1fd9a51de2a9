//! Values that every context has on the wire.

use core::time::Duration;

use highstreet_domain::kernel::{
    Case, Currency, InvalidMoney, InvalidText, Item, Message, Money, Origin, PaymentMethod, ProductId, ProductName,
    Quantity, Reference, Seats, ShopId, Timestamp, Undecodable,
};

use uuid::Uuid;

use crate::proto;
use crate::proto::common;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What every event begins with, for whoever needs nothing else of it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Headed {
    /// Whose event it is.
    #[prost(message, optional, tag = "1")]
    pub header: Option<common::EventHeader>,
}

/// The header of an event that belongs to `case`.
pub fn header(case: &Case, revision: u64, origin: &Origin) -> Option<common::EventHeader> {
    Some(common::EventHeader {
        root: Some(reference(&case.root)),
        shop_id: case.shop.to_string(),
        customer: case.customer.clone(),
        revision: revision.cast_signed(),
        actor: origin.actor.clone(),
    })
}

/// The case that an event's header names.
pub fn case(header: Option<&common::EventHeader>) -> Result<Case, Undecodable> {
    let header = header.ok_or_else(|| missing("header"))?;
    Ok(Case {
        root: heard_reference(header.root.as_ref())?,
        shop: ShopId::parse(&header.shop_id).map_err(|why| Undecodable(format!("header.shop_id {why}")))?,
        customer: header.customer.clone(),
    })
}

impl Headed {
    /// The header of a message.
    pub fn of(message: &Message) -> Result<Self, Undecodable> {
        body(message)
    }
}

/// The body of a message.
pub fn body<T: prost::Message + Default>(message: &Message) -> Result<T, Undecodable> {
    T::decode(message.body.as_slice()).map_err(|error| Undecodable(format!("{}: {error}", message.name)))
}

/// A message that lacks what it must have.
pub fn missing(field: &str) -> Undecodable {
    Undecodable(format!("{field} is missing"))
}

/// A message that this version does not know.
pub fn unknown(message: &Message) -> Undecodable {
    Undecodable(format!("{}.{} is not known to this version", message.source, message.name))
}

/// A reference on the wire.
pub fn reference(reference: &Reference) -> common::Reference {
    common::Reference { context: reference.context.clone(), id: reference.id.clone() }
}

/// A reference from the wire.
pub fn heard_reference(reference: Option<&common::Reference>) -> Result<Reference, Undecodable> {
    let reference = reference.ok_or_else(|| missing("reference"))?;
    Ok(Reference::new(&reference.context, &reference.id))
}

/// The id that `root` has in `context`; `None` if it is another context's.
pub fn own(context: &str, root: &Reference) -> Result<Option<Uuid>, Undecodable> {
    (root.context == context).then(|| heard_uuid(&root.id)).transpose()
}

/// A UUID from the wire.
pub fn heard_uuid(text: &str) -> Result<Uuid, Undecodable> {
    Uuid::parse_str(text).map_err(|error| Undecodable(format!("{text} is no UUID: {error}")))
}

/// Money on the wire.
pub fn money(money: &Money) -> proto::Money {
    proto::Money { currency_code: money.currency.as_str().into(), units: money.units, nanos: money.nanos }
}

/// A length of time on the wire.
pub fn duration(time: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(time.subsec_nanos()).unwrap_or(0),
    }
}

/// A time on the wire.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.as_micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(MICROS_PER_SECOND),
        nanos: i32::try_from(micros.rem_euclid(MICROS_PER_SECOND) * 1000).unwrap_or(0),
    }
}

/// A field of a message, as what it should be.
pub fn heard<T>(field: &str, parsed: Result<T, InvalidText>) -> Result<T, Undecodable> {
    parsed.map_err(|why| Undecodable(format!("{field} {why}")))
}

/// The names of seats on the wire; none if there are none.
pub fn seat_names(seats: Option<&Seats>) -> Vec<String> {
    seats.map(Seats::names).unwrap_or_default()
}

/// A payment method on the wire.
pub fn method(method: PaymentMethod) -> common::PaymentMethod {
    match method {
        PaymentMethod::Card => common::PaymentMethod::Card,
        PaymentMethod::Cash => common::PaymentMethod::Cash,
    }
}

/// Items on the wire.
pub fn items(items: &[Item]) -> Vec<common::Item> {
    items
        .iter()
        .map(|item| common::Item {
            product_id: item.product.to_string(),
            product_name: item.name.to_string(),
            quantity: quantity(item.quantity),
            unit_price: item.unit_price.as_ref().map(money),
        })
        .collect()
}

/// An item from the wire.
pub fn heard_item(id: &str, name: &str, quantity: i32) -> Result<Item, Undecodable> {
    let bad = |why| Undecodable(format!("item {why}"));
    Ok(Item {
        product: ProductId::parse(id).map_err(bad)?,
        name: ProductName::parse(name).map_err(bad)?,
        quantity: Quantity::new(i64::from(quantity)).map_err(bad)?,
        unit_price: None,
    })
}

/// Items from the wire.
pub fn heard_items(items: &[common::Item]) -> Result<Vec<Item>, Undecodable> {
    let heard = |item: &common::Item| {
        let unit_price = item.unit_price.as_ref().map(heard_money).transpose()?;
        Ok(Item { unit_price, ..heard_item(&item.product_id, &item.product_name, item.quantity)? })
    };
    items.iter().map(heard).collect()
}

/// Money from the wire.
pub fn heard_money(money: &proto::Money) -> Result<Money, Undecodable> {
    let bad = |why: InvalidMoney| Undecodable(format!("money {why}"));
    let currency = Currency::parse(&money.currency_code).map_err(bad)?;
    Money::new(currency, money.units, money.nanos).map_err(bad)
}

/// A quantity on the wire; at most a million.
pub fn quantity(quantity: Quantity) -> i32 {
    i32::try_from(quantity.get()).unwrap_or(i32::MAX)
}

/// An event in the published language.
pub fn published(name: &'static str, event: &impl prost::Message) -> Option<highstreet_domain::kernel::Published> {
    Some(highstreet_domain::kernel::Published { name, body: event.encode_to_vec() })
}
