//! What loyalty does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::account::{Account, AccountName, Command, Program};
use crate::kernel::{Case, Id};

/// What loyalty listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// An order of drinks was paid.
    OrderPaid {
        /// The order.
        case: Case,
        /// How many drinks.
        drinks: u64,
    },
    /// A paid order was cancelled. One that was never paid earned nothing.
    PaidOrderCancelled(Case),
}

/// The commands that follow from `fact`: a stamp for every drink, and as many back.
pub fn react(fact: &Fact) -> Vec<(Id<Account>, Command)> {
    let (Fact::OrderPaid { case, .. } | Fact::PaidOrderCancelled(case)) = fact;
    let name = AccountName { shop: case.shop.clone(), program: Program::Stamps, member: case.customer.clone() };
    let reference = case.root.clone();
    let id = name.id();
    match fact {
        Fact::OrderPaid { drinks, .. } => vec![(id, Command::Earn { name, reference, amount: *drinks })],
        Fact::PaidOrderCancelled(_) => vec![(id, Command::Reverse { name, reference })],
    }
}
