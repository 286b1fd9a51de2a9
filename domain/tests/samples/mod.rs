//! The things that tests order, pay, make, carry and say.
#![allow(dead_code, reason = "each test uses some of them")]
#![allow(clippy::unwrap_used, reason = "every one of them is valid, or its test fails")]

pub(crate) mod bookings;
pub(crate) mod cinema;

use std::path::{Path, PathBuf};
use std::time::Duration;

use highstreet_domain::delivery::Load;
use highstreet_domain::kernel::{
    Case, Currency, Id, Item, Money, Note, Payer, PaymentMethod, Phone, ProductId, ProductName, Quantity, Reference,
    ShopId, Timestamp,
};
use highstreet_domain::kitchen::Work;
use highstreet_domain::loyalty::{AccountName, Program};
use highstreet_domain::notification::{Letter, Locale, Recipient, Role};
use highstreet_domain::ordering::{self, CancelReason, Details, Line, Order, Place};
use highstreet_domain::payment::{self, Bill, By, Cancellation};
use uuid::Uuid;

pub(crate) const MINA: &str = "010-1234-5678";
pub(crate) const QUARTER_HOUR: Duration = Duration::from_mins(15);

/// Where the events of an aggregate are kept as an earlier version wrote them. Two aggregates that are called alike are
/// told apart by their contexts, as in `replenishment.order`.
pub(crate) fn golden(aggregate: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{aggregate}.v1.jsonl"))
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000)
}

pub(crate) fn order_id() -> Id<Order> {
    Id::new(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0001))
}

pub(crate) fn case() -> Case {
    Case { root: Order::reference(order_id()), shop: shop(), customer: MINA.into() }
}

/// An order that is not [`case`]'s.
pub(crate) fn other_order() -> Reference {
    Reference::new("ordering", "01950000-0000-7000-8000-000000000002")
}

pub(crate) fn shop() -> ShopId {
    ShopId::parse("skanu").unwrap()
}

pub(crate) fn phone() -> Phone {
    Phone::parse(MINA).unwrap()
}

pub(crate) fn note(text: &str) -> Note {
    Note::parse(text).unwrap()
}

pub(crate) fn won(units: i64) -> Money {
    Money::new(Currency::KRW, units, 0).unwrap()
}

pub(crate) fn latte(count: i64) -> Item {
    let (product, name) = (ProductId::parse("latte").unwrap(), ProductName::parse("카페라떼").unwrap());
    Item { product, name, quantity: Quantity::new(count).unwrap(), unit_price: None }
}

// === Ordering ===

pub(crate) fn lines() -> Vec<Line> {
    vec![Line { item: latte(2), unit_price: won(4500) }, Line { item: latte(1), unit_price: won(5000) }]
}

pub(crate) fn place() -> ordering::Command {
    ordering::Command::Place(Place {
        shop: shop(),
        customer: phone(),
        lines: lines(),
        method: PaymentMethod::Card,
        pay_within: QUARTER_HOUR,
    })
}

pub(crate) fn details() -> Details {
    Details {
        shop: shop(),
        customer: phone(),
        lines: lines(),
        method: PaymentMethod::Card,
        total: won(14_000),
        pay_by: now().after(QUARTER_HOUR),
    }
}

pub(crate) fn submitted() -> ordering::Event {
    ordering::Event::Submitted(details())
}

pub(crate) fn placed() -> ordering::Event {
    ordering::Event::Placed { payment: "p".into() }
}

pub(crate) fn cancel(reason: CancelReason) -> ordering::Command {
    ordering::Command::Cancel { reason, note: note("") }
}

pub(crate) fn cancelled(reason: CancelReason) -> ordering::Event {
    ordering::Event::Cancelled { reason, note: note("") }
}

// === Payment ===

pub(crate) fn bill() -> Bill {
    Bill {
        case: case(),
        order: case().root,
        payer: Payer::parse(MINA).unwrap(),
        amount: won(14_000),
        method: PaymentMethod::Card,
        screening: None,
    }
}

pub(crate) fn pay() -> payment::Command {
    payment::Command::Pay { method: Some(PaymentMethod::Card) }
}

pub(crate) fn by(by: By) -> Cancellation {
    Cancellation { reason: note("changed my mind"), by }
}

// === Kitchen, delivery, loyalty, notification ===

pub(crate) fn work() -> Work {
    Work { case: case(), order: case().root, items: vec![latte(2), latte(1)] }
}

pub(crate) fn load() -> Load {
    Load { case: case(), order: case().root, items: vec![latte(2), latte(1)] }
}

/// A load from head office.
pub(crate) fn goods() -> Load {
    Load { order: Reference::new("replenishment", "1"), ..load() }
}

pub(crate) fn account() -> AccountName {
    AccountName { shop: shop(), program: Program::Stamps, member: MINA.into() }
}

pub(crate) fn letter() -> Letter {
    Letter {
        case: case(),
        recipient: Recipient { role: Role::Customer, name: MINA.into() },
        event: "OrderPaid".into(),
        locale: Locale::Ko,
        text: "주문이 결제되었습니다.".into(),
    }
}

// === Store and library ===

pub(crate) fn cola(count: i64) -> Item {
    let (product, name) = (ProductId::parse("cola").unwrap(), ProductName::parse("콜라").unwrap());
    Item { product, name, quantity: Quantity::new(count).unwrap(), unit_price: Some(won(1200)) }
}

/// What belongs to the `number`-th order, purchase or reservation of `context`.
pub(crate) fn case_of(context: &str, number: u128) -> Case {
    let root = Reference::new(context, Uuid::from_u128(number).to_string());
    Case { root, shop: shop(), customer: String::new() }
}
