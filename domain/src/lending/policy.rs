//! What lending does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::reservation::{Command, Reservation};
use crate::kernel::Id;

/// What lending listens for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A copy was taken for a reservation.
    CopyTaken(Id<Reservation>),
    /// There was none.
    NoCopyLeft(Id<Reservation>),
}

/// The commands that follow from `fact`.
pub fn react(fact: &Fact) -> Vec<(Id<Reservation>, Command)> {
    match fact {
        Fact::CopyTaken(reservation) => vec![(*reservation, Command::Confirm)],
        Fact::NoCopyLeft(reservation) => vec![(*reservation, Command::Fail)],
    }
}
