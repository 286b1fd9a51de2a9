//! The words of stock: what it may be asked, what can happen to it, what it refuses.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::stock::{Goods, StockName};
use crate::kernel::{self, Case, Kind, Note, Quantity, Reference, Timestamp};

/// What stock may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Take pieces in.
    Receive {
        /// Of what.
        name: StockName,
        /// What is known of it.
        goods: Goods,
        /// How many; 0 makes it known.
        quantity: u32,
        /// What brought them, and what that belongs to.
        case: Case,
        /// How they come.
        intake: Intake,
        /// At how many or fewer it is low from now on; `None` as before.
        reorder_point: Option<i64>,
        /// At how many or fewer it is low, if nobody has said so yet.
        low_at: i64,
    },
    /// Take pieces out.
    Withdraw {
        /// Of what.
        name: StockName,
        /// How many.
        quantity: Quantity,
        /// What wants them, and what that belongs to.
        case: Case,
    },
    /// Put back what was taken.
    Return {
        /// Of what.
        name: StockName,
        /// What took them, or may come to.
        case: Case,
    },
    /// Correct the count.
    Adjust {
        /// By how many.
        delta: i64,
        /// In the words of whoever does it.
        note: Note,
        /// At how many or fewer it is low from now on; `None` as before.
        reorder_point: Option<i64>,
        /// What it is entered under.
        case: Case,
    },
}

/// How pieces come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Somebody counted them in, under a reference that was made for it.
    ByHand,
    /// They were sent, which may be heard more than once.
    Sent,
}

/// What can happen to stock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Pieces came.
    Received {
        /// Of what.
        name: StockName,
        /// What is known of it.
        goods: Goods,
        /// How many.
        quantity: u32,
        /// What brought them.
        case: Case,
        /// At how many or fewer it is low.
        reorder_point: i64,
        /// When.
        time: Timestamp,
    },
    /// Pieces were taken.
    Withdrawn {
        /// How many.
        quantity: u32,
        /// What took them.
        case: Case,
        /// When.
        time: Timestamp,
    },
    /// There were not enough; nothing was taken.
    Short {
        /// Of what.
        name: StockName,
        /// How many were wanted.
        quantity: u32,
        /// What wanted them.
        case: Case,
        /// When.
        time: Timestamp,
    },
    /// What was taken is back.
    Returned {
        /// Of what.
        name: StockName,
        /// How many; 0 if it was not taken.
        quantity: u32,
        /// What had taken them, or may come to.
        case: Case,
        /// When.
        time: Timestamp,
    },
    /// The count was corrected.
    Adjusted {
        /// By how many.
        delta: i64,
        /// In the words of whoever did it.
        note: Note,
        /// At how many or fewer it is low.
        reorder_point: i64,
        /// What it is entered under.
        case: Case,
        /// When.
        time: Timestamp,
    },
    /// Little is left.
    RanLow {
        /// What made it so.
        case: Case,
    },
}

/// Why stock does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// Nobody ever received it.
    #[error("there is no such stock: receive it first, with quantity 0 if there is none")]
    NotFound,
    /// There is less.
    #[error("there are only {0}: the stock cannot go below 0")]
    NotEnough(i64),
    /// No stock holds so much.
    #[error("no stock holds so much")]
    TooMuch,
}

// === impl Command ===

impl Command {
    /// What it belongs to, and is done for.
    pub(super) const fn case(&self) -> &Case {
        match self {
            Self::Receive { case, .. }
            | Self::Withdraw { case, .. }
            | Self::Return { case, .. }
            | Self::Adjust { case, .. } => case,
        }
    }
}

// === impl Event ===

impl Event {
    /// What it belongs to, and was done for.
    pub fn case(&self) -> &Case {
        match self {
            Self::Received { case, .. }
            | Self::Withdrawn { case, .. }
            | Self::Short { case, .. }
            | Self::Returned { case, .. }
            | Self::Adjusted { case, .. }
            | Self::RanLow { case } => case,
        }
    }

    /// What it was done for.
    pub fn reference(&self) -> &Reference {
        &self.case().root
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::NotEnough(_) => Kind::Precondition,
            Self::TooMuch => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "STOCK_NOT_FOUND",
            Self::NotEnough(_) => "NOT_ENOUGH_STOCK",
            Self::TooMuch => "TOO_MUCH",
        }
    }
}
