//! What payment does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::language::{By, Cancellation, Command};
use super::payment::Payment;
use crate::kernel::{Id, Note, Reference};

/// What payment listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// What was to be paid for was cancelled.
    OrderCancelled {
        /// What it was.
        order: Reference,
        /// Why.
        reason: Note,
    },
    /// What was paid for is completed.
    OrderCompleted {
        /// What it was.
        order: Reference,
    },
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Payment>, Command)> {
    match fact {
        Fact::OrderCancelled { order, reason } => {
            let cancellation = Cancellation { reason: reason.clone(), by: By::Order };
            vec![(Id::made_for(order), Command::Cancel(cancellation))]
        }
        Fact::OrderCompleted { order } => vec![(Id::made_for(order), Command::Close)],
    }
}
