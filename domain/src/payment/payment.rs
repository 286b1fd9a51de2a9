//! A payment: what is owed for one order, and what became of it.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::language::{By, Cancellation, Command, Event, Rejection, Step};
use crate::kernel::{
    Aggregate, Callee, Case, Due, Index, Money, Never, Outage, Payer, PaymentMethod, Phone, Reference, ScreeningId,
    Timestamp, Unanswered,
};

const PROVIDER: Callee = Callee { name: "the payment provider", reason: "PROVIDER_UNAVAILABLE" };

/// Where a payment stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Payment {
    /// Nobody has asked for it.
    #[default]
    Unborn,
    /// To be paid.
    Requested(Bill),
    /// Being paid: the provider has been asked, and has not answered yet.
    Processing {
        /// What is being paid.
        bill: Bill,
        /// The cancellation that waits for the provider's answer.
        cancelled: Option<Cancellation>,
    },
    /// Paid.
    Approved {
        /// What was paid.
        bill: Bill,
        /// The provider's reference.
        reference: String,
        /// Whether the order is done, so that the money stays.
        closing: Closing,
    },
    /// Refused by the provider; may be paid again.
    Declined {
        /// What was to be paid.
        bill: Bill,
        /// The provider's reason.
        reason: String,
    },
    /// Cancelled.
    Cancelled {
        /// What was to be paid; `None` if the cancellation came before the request.
        bill: Option<Bill>,
        /// By whom and why.
        cancellation: Cancellation,
        /// What becomes of money that was taken.
        refund: Refund,
    },
}

/// What is to be paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// What it belongs to.
    pub case: Case,
    /// What it is for.
    pub order: Reference,
    /// Who pays.
    pub payer: Payer,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: PaymentMethod,
    /// The screening, if it is a booking that is paid: whoever keeps the seats learns of a cancellation from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screening: Option<ScreeningId>,
}

/// Whether the order a payment is for is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closing {
    /// It may still be cancelled.
    Open,
    /// It is completed.
    Closed,
}

/// What becomes of the money of a cancelled payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Refund {
    /// None was taken.
    NotDue,
    /// It is on its way back.
    Due {
        /// The provider's reference for what was taken.
        reference: String,
    },
    /// It has gone back.
    Done,
}

// === impl Payment ===

impl Aggregate for Payment {
    const NAME: &'static str = "payment";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Step;
    type Entry = Never;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Request(bill)) => Ok(vec![Event::Requested(bill.clone())]),
            (Self::Cancelled { .. }, Command::Request(_)) => Err(Rejection::AlreadyCancelled),
            // Asked for again in the same terms: there it is.
            (state, Command::Request(bill)) if state.bill() == Some(bill) => Ok(vec![]),
            (_, Command::Request(_)) => Err(Rejection::AlreadyRequested),

            (Self::Unborn, Command::Pay { .. }) => Err(Rejection::NotFound),
            (Self::Requested(bill) | Self::Declined { bill, .. }, Command::Pay { method }) => {
                Ok(vec![Event::Started { method: method.unwrap_or(bill.method) }])
            }
            (Self::Processing { .. }, Command::Pay { .. }) => Err(Rejection::Processing),
            (Self::Approved { .. }, Command::Pay { .. }) => Err(Rejection::AlreadyPaid),
            (Self::Cancelled { .. }, Command::Pay { .. }) => Err(Rejection::AlreadyCancelled),

            (Self::Processing { cancelled, .. }, Command::Settle(authorisation)) => {
                Ok(then_cancelled(authorisation.event(), cancelled.as_ref()))
            }
            (Self::Processing { cancelled, .. }, Command::GiveUp) => {
                Ok(then_cancelled(Event::NotCharged, cancelled.as_ref()))
            }
            // The provider answers every attempt under one key alike, and the first answer was taken.
            (_, Command::Settle(_) | Command::GiveUp) => Ok(vec![]),

            (state, Command::Cancel(cancellation)) => state.cancel(cancellation),

            (Self::Cancelled { refund: Refund::Due { .. }, .. }, Command::ConfirmRefund) => Ok(vec![Event::Refunded]),
            // Known already.
            (_, Command::ConfirmRefund) => Ok(vec![]),

            (Self::Approved { closing: Closing::Open, .. }, Command::Close) => Ok(vec![Event::Closed]),
            // Known already; or cancelled, and a terminal state stands.
            (_, Command::Close) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Requested(bill)) => Self::Requested(bill.clone()),
            (Self::Requested(bill) | Self::Declined { bill, .. }, Event::Started { method }) => {
                Self::Processing { bill: Bill { method: *method, ..bill }, cancelled: None }
            }
            (Self::Processing { bill, .. }, Event::Approved { reference }) => {
                Self::Approved { bill, reference: reference.clone(), closing: Closing::Open }
            }
            (Self::Processing { bill, .. }, Event::Declined { reason }) => {
                Self::Declined { bill, reason: reason.clone() }
            }
            (Self::Processing { bill, .. }, Event::NotCharged) => Self::Requested(bill),
            (Self::Processing { bill, .. }, Event::CancellationRequested(cancellation)) => {
                Self::Processing { bill, cancelled: Some(cancellation.clone()) }
            }
            (Self::Approved { bill, reference, .. }, Event::Cancelled(cancellation)) => Self::Cancelled {
                bill: Some(bill),
                cancellation: cancellation.clone(),
                refund: Refund::Due { reference },
            },
            (state, Event::Cancelled(cancellation)) => Self::Cancelled {
                bill: state.bill().cloned(),
                cancellation: cancellation.clone(),
                refund: Refund::NotDue,
            },
            (Self::Cancelled { bill, cancellation, .. }, Event::Refunded) => {
                Self::Cancelled { bill, cancellation, refund: Refund::Done }
            }
            (Self::Approved { bill, reference, .. }, Event::Closed) => {
                Self::Approved { bill, reference, closing: Closing::Closed }
            }
            // No history holds such a pair.
            (state, _) => state,
        }
    }

    fn due(&self) -> Option<Due<Self>> {
        match self {
            Self::Processing { bill, .. } => {
                Some(Due::Call(Step::Authorise { payer: bill.payer.clone(), amount: bill.amount, method: bill.method }))
            }
            Self::Cancelled { bill: Some(bill), refund: Refund::Due { reference }, .. } => {
                Some(Due::Call(Step::Refund { reference: reference.clone(), amount: bill.amount }))
            }
            _ => None,
        }
    }

    fn give_up(&self, step: &Step, unanswered: &Unanswered) -> Option<Command> {
        match (step, unanswered.outage) {
            // Nothing was taken: the customer may try again.
            (Step::Authorise { .. }, Outage::NotSent) => Some(Command::GiveUp),
            // Money may have been taken: asked again under the same key until that is known.
            (Step::Authorise { .. }, Outage::Unknown) | (Step::Refund { .. }, _) => None,
        }
    }

    fn callee(step: &Step) -> Callee {
        match step {
            Step::Authorise { .. } | Step::Refund { .. } => PROVIDER,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Request(_))
    }

    fn index(&self) -> Option<Index> {
        let bill = self.bill()?;
        Some(Index {
            shop: bill.case.shop.to_string(),
            owner: Phone::key_of(bill.payer.as_str()),
            reference: bill.order.to_string(),
            status: self.status().into(),
        })
    }
}

impl Payment {
    /// What is to be paid; `None` if nobody asked for it.
    pub fn bill(&self) -> Option<&Bill> {
        match self {
            Self::Unborn => None,
            Self::Requested(bill)
            | Self::Processing { bill, .. }
            | Self::Approved { bill, .. }
            | Self::Declined { bill, .. } => Some(bill),
            Self::Cancelled { bill, .. } => bill.as_ref(),
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn => "",
            Self::Requested(_) => "REQUESTED",
            Self::Processing { .. } => "PROCESSING",
            Self::Approved { .. } => "APPROVED",
            Self::Declined { .. } => "DECLINED",
            Self::Cancelled { .. } => "CANCELLED",
        }
    }

    fn cancel(&self, cancellation: &Cancellation) -> Result<Vec<Event>, Rejection> {
        if cancellation.by == By::Staff {
            self.cancellable_by_staff()?;
        }
        Ok(match self {
            Self::Processing { cancelled: None, .. } => vec![Event::CancellationRequested(cancellation.clone())],
            // Cancelling twice is no error.
            Self::Processing { cancelled: Some(_), .. } | Self::Cancelled { .. } => vec![],
            // The customer has what was paid for: the money stays, whatever a late message says.
            Self::Approved { closing: Closing::Closed, .. } => vec![],
            // Before it was asked for: recorded, and wins over the request.
            Self::Unborn | Self::Requested(_) | Self::Approved { .. } | Self::Declined { .. } => {
                vec![Event::Cancelled(cancellation.clone())]
            }
        })
    }

    fn cancellable_by_staff(&self) -> Result<(), Rejection> {
        let of_booking = self.bill().is_some_and(|bill| bill.order.context == "booking");
        match self {
            Self::Unborn | Self::Cancelled { bill: None, .. } => Err(Rejection::NotFound),
            Self::Approved { closing: Closing::Closed, .. } => Err(Rejection::CancelTheOrder),
            _ if of_booking => Err(Rejection::CancelTheOrder),
            _ => Ok(()),
        }
    }
}

/// The provider's answer, and the cancellation that waited for it.
fn then_cancelled(answer: Event, cancelled: Option<&Cancellation>) -> Vec<Event> {
    let mut events = vec![answer];
    events.extend(cancelled.cloned().map(Event::Cancelled));
    events
}
