//! The words of an order: what it may be asked, what can happen to it, what it asks of delivery, what it refuses.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::order::Details;
use crate::kernel::{self, Kind, Note, ShopId};

/// What an order may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Place it.
    Place(Details),
    /// Cancel it.
    Cancel {
        /// In the canceller's words.
        note: Note,
    },
    /// Delivery will not ship it.
    ConfirmCancelled,
    /// Delivery has shipped it, and will not call it back.
    RefuseCancellation,
    /// It was shipped.
    MarkShipped,
    /// It is in stock.
    MarkReceived,
}

/// What can happen to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was placed.
    Placed(Details),
    /// It is to be cancelled; delivery decides.
    CancellationRequested {
        /// In the canceller's words.
        note: Note,
    },
    /// It is not delivered.
    Cancelled,
    /// It had been shipped.
    CancellationRefused,
    /// It is on its way.
    Shipped,
    /// It is in stock.
    Received,
}

/// What an order has to ask of delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Not to ship it.
    CancelDelivery {
        /// The shop it is for.
        shop: ShopId,
    },
}

/// Why an order does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such order.
    #[error("there is no such order")]
    NotFound,
    /// It was placed before.
    #[error("this order was placed already")]
    AlreadyPlaced,
    /// Its price cannot be counted.
    #[error("the total is too large: order fewer pieces at a time")]
    InvalidTotal,
    /// It is on its way, or in stock.
    #[error("this order is shipped and can no longer be cancelled")]
    AlreadyShipped,
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyPlaced => Kind::AlreadyExists,
            Self::InvalidTotal => Kind::Invalid,
            Self::AlreadyShipped => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "ORDER_NOT_FOUND",
            Self::AlreadyPlaced => "ORDER_ALREADY_PLACED",
            Self::InvalidTotal => "INVALID_TOTAL",
            Self::AlreadyShipped => "DELIVERY_ALREADY_SHIPPED",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidTotal => Some("quantity"),
            Self::NotFound | Self::AlreadyPlaced | Self::AlreadyShipped => None,
        }
    }
}
