//! What sales does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::purchase::{CancelReason, Command, Purchase};
use crate::kernel::{Id, Note};

/// What sales listens for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// There was not enough in stock for a purchase.
    OutOfStock(Id<Purchase>),
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Purchase>, Command)> {
    let Fact::OutOfStock(purchase) = fact;
    vec![(*purchase, Command::Cancel { reason: CancelReason::OutOfStock, note: Note::default() })]
}
