//! What replenishment does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::language::Command;
use super::order::Order;
use crate::kernel::Id;

/// What replenishment listens for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Head office has shipped an order.
    Shipped(Id<Order>),
    /// What was ordered came into stock.
    Received(Id<Order>),
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Order>, Command)> {
    match fact {
        Fact::Shipped(order) => vec![(*order, Command::MarkShipped)],
        Fact::Received(order) => vec![(*order, Command::MarkReceived)],
    }
}
