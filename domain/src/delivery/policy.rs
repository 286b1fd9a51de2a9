//! What delivery does about what others published.

use alloc::vec;
use alloc::vec::Vec;

use super::delivery::{Command, Delivery, Dispatch, Load};
use crate::kernel::{Case, Id};

/// What delivery listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// An order's drinks are ready, or a store wants goods from head office.
    Wanted(Load),
    /// An order was cancelled.
    OrderCancelled(Case),
}

/// The commands that follow from `fact`, in a shop that ships as `dispatch` says.
pub fn react(fact: &Fact, dispatch: Dispatch) -> Vec<(Id<Delivery>, Command)> {
    match fact {
        Fact::Wanted(load) => vec![(Id::made_for(&load.order), Command::Schedule(load.clone(), dispatch))],
        Fact::OrderCancelled(case) => {
            vec![(Id::made_for(&case.root), Command::Cancel { case: Some(case.clone()) })]
        }
    }
}
