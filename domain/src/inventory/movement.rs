//! What one reference took from stock, or brought.

use serde::{Deserialize, Serialize};

use crate::kernel::{Reference, Timestamp};

/// What is kept of one reference, beside the stock: so that the stock stays small for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// What moved it.
    pub reference: Reference,
    /// How it stands.
    pub moved: Moved,
    /// When it was first heard of.
    pub created: Timestamp,
}

/// How a movement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moved {
    /// It brought so many.
    Received(u32),
    /// It took so many.
    Withdrawn(u32),
    /// It wanted so many, and there were not enough.
    Short(u32),
    /// What it took, or would have taken, is back.
    Returned,
    /// It corrected the stock by so many.
    Adjusted(i64),
}
