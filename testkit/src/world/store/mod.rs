//! The store: its owner, who orders and changes their mind; head office, which ships; and customers.

mod invariants;

use std::time::Duration;

use futures_util::future::{join, join_all, join3};
use highstreet_domain::delivery;
use highstreet_domain::inventory::{self, Goods, Intake, StockName};
use highstreet_domain::kernel::ports::Ids;
use highstreet_domain::kernel::{
    Case, Currency, Id, Item, Money, Note, ProductId, ProductName, Quantity, Reference, ShopId,
};
use highstreet_domain::replenishment::{self, Order};
use highstreet_domain::sales::{self, CancelReason, Purchase};

pub(super) use self::invariants::{Movements, inspect};
use super::street::LOW_AT;
use super::visitor::Visitor;

/// What the store sells; of the second nothing is ever received by hand.
const PRODUCTS: [&str; 2] = ["cola", "ramen"];

/// Everybody who comes to the store.
pub(super) async fn visits(visitor: Visitor) {
    let (owners, customers) = (1 + visitor.dice.below(2), 1 + visitor.dice.below(3));
    let owners = join_all((0..owners).map(|number| reorder(visitor.named(format!("owner {number}")))));
    let customers = join_all((0..customers).map(|number| buy(visitor.named(format!("customer {number}")))));
    join3(receive(visitor.named("clerk".into())), owners, customers).await;
}

pub(super) fn shop() -> ShopId {
    ShopId::parse("gs25").expect("a shop id")
}

pub(super) fn stock(sku: &str) -> StockName {
    StockName { shop: shop(), sku: ProductId::parse(sku).expect("a product id") }
}

fn won(units: i64) -> Money {
    Money::new(Currency::KRW, units, 0).expect("an amount")
}

fn name(sku: &str) -> ProductName {
    ProductName::parse(sku).expect("a product name")
}

/// The clerk finds a few bottles in the back room.
async fn receive(clerk: Visitor) {
    clerk.wait(Duration::from_secs(20)).await;
    let stock = stock(PRODUCTS[0]);
    let root = Reference::new(inventory::CONTEXT, clerk.street.ids.next().to_string());
    let case = Case { root, shop: shop(), customer: String::new() };
    let goods = Goods { name: name(PRODUCTS[0]), unit_price: Some(won(1_200)) };
    let command = inventory::Command::Receive {
        name: stock.clone(),
        goods,
        quantity: 3,
        case,
        intake: Intake::ByHand,
        reorder_point: None,
        low_at: LOW_AT,
    };
    clerk.insist(&clerk.street.inventory, stock.id(), &command, "ReceiveStock").await;
}

/// The owner orders, and sometimes calls it off while head office ships.
async fn reorder(owner: Visitor) {
    owner.wait(Duration::from_secs(30)).await;
    let sku = owner.dice.pick(&PRODUCTS).copied().unwrap_or_default();
    let quantity = Quantity::new(1 + i64::try_from(owner.dice.below(5)).unwrap_or(0)).expect("1 to 5 is a quantity");
    let price = won(1_000);
    let product = ProductId::parse(sku).expect("a product id");
    let item = Item { product, name: name(sku), quantity, unit_price: None };
    let details = replenishment::Details { shop: shop(), item, unit_price: price };
    let id = Id::<Order>::new(owner.street.ids.next());
    let place = replenishment::Command::Place(details);
    if !owner.insist(&owner.street.replenishment, id, &place, "PlaceOrder").await {
        return;
    }
    owner.witness.remember(|testimony| testimony.replenished.push(id));
    let changes_their_mind = owner.dice.chance(40);
    let cancel = async {
        if changes_their_mind {
            owner.wait(Duration::from_secs(20)).await;
            let cancel = replenishment::Command::Cancel { note: Note::default() };
            owner.insist(&owner.street.replenishment, id, &cancel, "CancelOrder").await;
        }
    };
    let office = owner.named(format!("head office of {}", owner.name));
    let ship = async {
        let delivery = Id::made_for(&Order::reference(id));
        if office.keep_asking(&office.street.delivery, delivery, delivery::Command::Ship).await {
            office.keep_asking(&office.street.delivery, delivery, delivery::Command::Complete).await;
        }
    };
    join(cancel, ship).await;
}

/// A customer buys something, and sometimes brings it back.
async fn buy(customer: Visitor) {
    customer.wait(Duration::from_secs(40)).await;
    let sku = customer.dice.pick(&PRODUCTS).copied().unwrap_or_default();
    let count = 1 + i64::try_from(customer.dice.below(3)).unwrap_or(0);
    let details = sales::Details {
        shop: shop(),
        sku: ProductId::parse(sku).expect("a product id"),
        quantity: Quantity::new(count).expect("1 to 3 is a quantity"),
        unit_price: won(1_500),
        customer: customer.name.clone(),
    };
    let id = Id::<Purchase>::new(customer.street.ids.next());
    let record = sales::Command::Record(details);
    if !customer.insist(&customer.street.sales, id, &record, "RecordPurchase").await {
        return;
    }
    customer.witness.remember(|testimony| testimony.purchased.push(id));
    if customer.dice.chance(35) {
        customer.wait(Duration::from_secs(20)).await;
        let cancel = sales::Command::Cancel { reason: CancelReason::Customer, note: Note::default() };
        if customer.insist(&customer.street.sales, id, &cancel, "CancelPurchase").await {
            customer.witness.remember(|testimony| testimony.returned.push(id));
        }
    }
}
