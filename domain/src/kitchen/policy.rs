//! What the kitchen does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::preparation::{Command, Preparation, Work};
use crate::kernel::{Case, Id};

/// What the kitchen listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// An order was paid.
    OrderPaid(Work),
    /// An order was cancelled.
    OrderCancelled(Case),
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Preparation>, Command)> {
    match fact {
        Fact::OrderPaid(work) => vec![(Id::made_for(&work.order), Command::Start(work.clone()))],
        Fact::OrderCancelled(case) => vec![(Id::made_for(&case.root), Command::Cancel { case: case.clone() })],
    }
}
