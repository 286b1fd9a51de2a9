//! What loyalty does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::account::{Account, AccountName, Command, Program};
use crate::kernel::{Case, Id, Reference};

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
    /// Points may have been granted for a ticket that was not collected after all.
    PointsRevoked {
        /// The booking.
        case: Case,
        /// What they may have been granted for.
        reference: Reference,
    },
}

/// The commands that follow from `fact`: a stamp for every drink, and as many back; points back that were granted in vain.
pub fn react(fact: &Fact) -> Vec<(Id<Account>, Command)> {
    let name = |case: &Case, program| {
        let name = AccountName { shop: case.shop.clone(), program, member: case.customer.clone() };
        (name.id(), name)
    };
    match fact {
        Fact::OrderPaid { case, drinks } => {
            let (id, name) = name(case, Program::Stamps);
            vec![(id, Command::Earn { name, reference: case.root.clone(), amount: *drinks, root: None })]
        }
        Fact::PaidOrderCancelled(case) => {
            let (id, name) = name(case, Program::Stamps);
            vec![(id, Command::Reverse { name, reference: case.root.clone(), root: None })]
        }
        Fact::PointsRevoked { case, reference } => {
            let (id, name) = name(case, Program::Points);
            vec![(id, Command::Reverse { name, reference: reference.clone(), root: Some(case.root.clone()) })]
        }
    }
}
