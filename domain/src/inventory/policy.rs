//! What inventory does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::language::{Command, Intake};
use super::stock::{Goods, Stock, StockName};
use crate::kernel::{Case, Id, Item, Quantity};

/// What inventory listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Head office has shipped what a store ordered.
    Shipped {
        /// The order.
        case: Case,
        /// What is in it.
        items: Vec<Item>,
    },
    /// Somebody wants pieces: a purchase or a reservation.
    Wanted {
        /// The purchase or reservation.
        case: Case,
        /// Of what.
        name: StockName,
        /// How many.
        quantity: Quantity,
    },
    /// Somebody does not want them any more.
    NotWanted {
        /// The purchase or reservation.
        case: Case,
        /// Of what.
        name: StockName,
    },
}

/// The commands that follow from `fact`, where stock is low at `low_at` or fewer unless somebody says otherwise.
pub fn react(fact: &Fact, low_at: i64) -> Vec<(Id<Stock>, Command)> {
    match fact {
        Fact::Shipped { case, items } => items.iter().map(|item| receive(case, item, low_at)).collect(),
        Fact::Wanted { case, name, quantity } => {
            vec![(name.id(), Command::Withdraw { name: name.clone(), quantity: *quantity, case: case.clone() })]
        }
        Fact::NotWanted { case, name } => {
            vec![(name.id(), Command::Return { name: name.clone(), case: case.clone() })]
        }
    }
}

fn receive(case: &Case, item: &Item, low_at: i64) -> (Id<Stock>, Command) {
    let name = StockName { shop: case.shop.clone(), sku: item.product.clone() };
    let goods = Goods { name: item.name.clone(), unit_price: item.unit_price };
    let (quantity, case) = (item.quantity.get(), case.clone());
    (name.id(), Command::Receive { name, goods, quantity, case, intake: Intake::Sent, reorder_point: None, low_at })
}
