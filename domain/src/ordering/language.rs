//! The words of an order: what it may be asked, what can happen to it, what it asks of others, what it refuses.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::order::{Details, Line};
use super::ports::Registration;
use crate::kernel::{self, Kind, Money, Note, Outage, PaymentMethod, Phone, ShopId, Timestamp};

/// What an order may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Place it.
    Place(Place),
    /// Payment has registered it under this id.
    AcceptPayment {
        /// The payment's id.
        payment: String,
    },
    /// Payment will not have it.
    RejectPayment {
        /// Payment's reason.
        reason: String,
    },
    /// Payment could not be asked.
    GiveUp(Outage),
    /// What payment may have registered is cancelled.
    ConfirmUndone,
    /// Its payment was approved.
    MarkPaid {
        /// The payment's id.
        payment: String,
    },
    /// It was delivered.
    Complete,
    /// Cancel it.
    Cancel {
        /// Why.
        reason: CancelReason,
        /// In the canceller's words.
        note: Note,
    },
}

/// What a customer orders.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Where.
    pub shop: ShopId,
    /// By whom.
    pub customer: Phone,
    /// What.
    pub lines: Vec<Line>,
    /// How it is to be paid.
    pub method: PaymentMethod,
    /// How long there is to pay it.
    pub pay_within: Duration,
}

/// What can happen to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was taken down.
    Submitted(Details),
    /// Payment registered it: from here on it exists for others.
    Placed {
        /// The payment's id.
        payment: String,
    },
    /// Payment refused it, or was never reached: it did not come about.
    Rejected {
        /// Payment's reason; empty if payment was away.
        reason: String,
    },
    /// Payment did not answer: whatever it did is to be undone.
    GivenUp,
    /// It was paid.
    Paid,
    /// It was delivered.
    Completed,
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// In the canceller's words.
        note: Note,
    },
}

/// What an order has to ask of payment.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Register what is to be paid.
    RegisterPayment(Registration),
    /// Cancel what may have been registered.
    UndoPayment,
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
    /// Its prices cannot be added up.
    #[error("the prices cannot be added up: use one currency and smaller amounts")]
    InvalidTotal,
    /// Payment refused it.
    #[error("payment refused this order: {0}; place a new one")]
    PaymentRefused(String),
    /// It has been delivered.
    #[error("this order is completed and can no longer be cancelled")]
    AlreadyCompleted,
    /// It is not paid.
    #[error("this order is not paid")]
    NotPaid,
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelReason {
    /// The customer wished it.
    Customer,
    /// It was not paid in time.
    Expired,
    /// Staff cancelled its payment.
    PaymentCancelled,
}

// === impl Place ===

impl Place {
    pub(super) fn details(&self, now: Timestamp) -> Result<Details, Rejection> {
        let mut total = Money::zero(self.lines.first().ok_or(Rejection::InvalidTotal)?.unit_price.currency);
        for line in &self.lines {
            let price = line.unit_price.times(line.item.quantity.get()).map_err(|_| Rejection::InvalidTotal)?;
            total = total.plus(price).map_err(|_| Rejection::InvalidTotal)?;
        }
        Ok(Details {
            shop: self.shop.clone(),
            customer: self.customer.clone(),
            lines: self.lines.clone(),
            method: self.method,
            total,
            pay_by: now.after(self.pay_within),
        })
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyPlaced => Kind::AlreadyExists,
            Self::InvalidTotal => Kind::Invalid,
            Self::PaymentRefused(_) | Self::AlreadyCompleted | Self::NotPaid => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "ORDER_NOT_FOUND",
            Self::AlreadyPlaced => "ORDER_ALREADY_PLACED",
            Self::InvalidTotal => "INVALID_TOTAL",
            Self::PaymentRefused(_) => "PAYMENT_REFUSED",
            Self::AlreadyCompleted => "ORDER_ALREADY_COMPLETED",
            Self::NotPaid => "ORDER_NOT_PAID",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidTotal => Some("lines"),
            Self::NotFound | Self::AlreadyPlaced | Self::PaymentRefused(_) | Self::AlreadyCompleted | Self::NotPaid => {
                None
            }
        }
    }
}
