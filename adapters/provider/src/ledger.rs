//! What a simulated provider did, for tests to look at.

use std::collections::BTreeMap;

use highstreet_domain::kernel::{Money, StepKey};
use highstreet_domain::payment::Charge;

/// Every movement of money, once per key. Two entries for one payment mean that money moved twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// What was taken.
    pub charges: BTreeMap<StepKey, Charge>,
    /// What was given back.
    pub refunds: BTreeMap<StepKey, Refunded>,
}

/// Money that was given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// The reference under which it was taken.
    pub reference: String,
    /// How much.
    pub amount: Money,
}
