//! The words of a payment: what it may be asked, what can happen to it, what it asks of others, what it refuses.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::payment::Bill;
use crate::kernel::{self, Kind, Money, Note, Payer, PaymentMethod};

/// What a payment may be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask for it.
    Request(Bill),
    /// Pay it.
    Pay {
        /// How; `None` as its bill says.
        method: Option<PaymentMethod>,
    },
    /// The provider has answered.
    Settle(Authorisation),
    /// The provider was not reached: nothing was taken.
    GiveUp,
    /// Cancel it.
    Cancel(Cancellation),
    /// The money has gone back.
    ConfirmRefund,
    /// The order is completed.
    Close,
}

/// What can happen to a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was asked for.
    Requested(Bill),
    /// The provider is being asked.
    Started {
        /// How it is paid.
        method: PaymentMethod,
    },
    /// The money was taken.
    Approved {
        /// The provider's reference.
        reference: String,
    },
    /// The provider refused.
    Declined {
        /// Its reason.
        reason: String,
    },
    /// The provider was not reached; nothing was taken.
    NotCharged,
    /// It is to be cancelled once the provider has answered.
    CancellationRequested(Cancellation),
    /// It was cancelled.
    Cancelled(Cancellation),
    /// The money has gone back.
    Refunded,
    /// Its order is completed.
    Closed,
}

/// What a payment has to ask of the provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Take the money.
    Authorise {
        /// From whom.
        payer: Payer,
        /// How much.
        amount: Money,
        /// How.
        method: PaymentMethod,
    },
    /// Give it back.
    Refund {
        /// The provider's reference for what was taken.
        reference: String,
        /// How much.
        amount: Money,
    },
}

/// Why a payment does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rejection {
    /// There is no such payment.
    #[error("there is no such payment")]
    NotFound,
    /// There is a payment for this order already, for something else.
    #[error("there is a payment for this order already, with other terms")]
    AlreadyRequested,
    /// It has been paid.
    #[error("this payment is paid already")]
    AlreadyPaid,
    /// The provider has not answered yet.
    #[error("this payment is being processed; wait for its outcome")]
    Processing,
    /// It was cancelled.
    #[error("this payment is cancelled")]
    AlreadyCancelled,
    /// It is cancelled with what it is for.
    #[error("this payment is cancelled by cancelling what it is for, where that was made")]
    CancelTheOrder,
}

/// Who cancelled a payment, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancellation {
    /// In the canceller's words.
    pub reason: Note,
    /// Who.
    pub by: By,
}

/// Who cancels a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The order it is for was cancelled.
    Order,
    /// Staff of the shop.
    Staff,
}

/// The provider's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorisation {
    /// The money was taken.
    Approved {
        /// The provider's reference.
        reference: String,
    },
    /// It was not.
    Declined {
        /// The provider's reason.
        reason: String,
    },
}

// === impl Authorisation ===

impl Authorisation {
    pub(super) fn event(&self) -> Event {
        match self {
            Self::Approved { reference } => Event::Approved { reference: reference.clone() },
            Self::Declined { reason } => Event::Declined { reason: reason.clone() },
        }
    }
}

// === impl Rejection ===

impl kernel::Rejection for Rejection {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::AlreadyRequested => Kind::AlreadyExists,
            Self::AlreadyPaid | Self::Processing | Self::AlreadyCancelled | Self::CancelTheOrder => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "PAYMENT_NOT_FOUND",
            Self::AlreadyRequested => "PAYMENT_EXISTS",
            Self::AlreadyPaid => "ALREADY_PAID",
            Self::Processing => "PAYMENT_PROCESSING",
            Self::AlreadyCancelled => "ALREADY_CANCELLED",
            Self::CancelTheOrder => "CANCEL_THE_ORDER",
        }
    }
}
