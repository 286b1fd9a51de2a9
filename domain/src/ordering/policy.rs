//! What ordering does about what others published.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::language::{CancelReason, Command};
use super::order::Order;
use crate::kernel::{Id, Note};

/// What ordering listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The order was paid.
    PaymentApproved {
        /// The order.
        order: Id<Order>,
        /// The payment's id.
        payment: String,
    },
    /// Staff cancelled the order's payment.
    PaymentCancelledByStaff(Id<Order>),
    /// The order was delivered.
    Delivered(Id<Order>),
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Order>, Command)> {
    match fact {
        Fact::PaymentApproved { order, payment } => {
            vec![(*order, Command::MarkPaid { payment: payment.clone() })]
        }
        Fact::PaymentCancelledByStaff(order) => {
            vec![(*order, Command::Cancel { reason: CancelReason::PaymentCancelled, note: Note::default() })]
        }
        Fact::Delivered(order) => vec![(*order, Command::Complete)],
    }
}
