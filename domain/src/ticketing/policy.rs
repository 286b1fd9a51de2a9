//! What ticketing does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::language::Command;
use super::ticket::{Admission, Ticket};
use crate::kernel::Id;

/// What ticketing listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A booking is paid for and has its seats.
    BookingConfirmed(Admission),
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Ticket>, Command)> {
    let Fact::BookingConfirmed(admission) = fact;
    vec![(Id::made_for(&admission.case.root), Command::Issue(admission.clone()))]
}
