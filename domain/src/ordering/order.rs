//! An order, from the counter to the customer's hands.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::CONTEXT;
use super::language::{CancelReason, Command, Event, Rejection, Step};
use super::ports::Registration;
use crate::kernel::{
    Aggregate, Callee, Case, Due, Id, Index, Item, Money, Never, Note, Outage, PaymentMethod, Phone, Quantity,
    Reference, ShopId, Timestamp, Unanswered,
};

const PAYMENT: Callee = Callee { name: "payment", reason: "PAYMENT_UNAVAILABLE" };

/// Where an order stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// Nobody has placed it.
    #[default]
    Unborn,
    /// Taken down, and being registered with payment. Not shown to others.
    Submitted(Details),
    /// Given up because payment did not answer; what payment may have registered is being cancelled.
    Undoing(Details),
    /// Never came about.
    Rejected {
        /// Why payment refused it; empty if payment was away.
        reason: String,
    },
    /// Registered with payment, not paid yet.
    Ordered(Placed),
    /// Paid; being made and delivered.
    Paid(Placed),
    /// Delivered to the customer.
    Completed(Placed),
    /// Cancelled.
    Cancelled {
        /// What had been placed.
        placed: Placed,
        /// Why.
        reason: CancelReason,
        /// In the words of whoever cancelled it.
        note: Note,
        /// Whether it had been paid by then.
        paid: Paid,
    },
}

/// What was ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// Where.
    pub shop: ShopId,
    /// By whom.
    pub customer: Phone,
    /// What; one to a hundred lines.
    pub lines: Vec<Line>,
    /// How it is to be paid.
    pub method: PaymentMethod,
    /// What it costs.
    pub total: Money,
    /// Until when it has to be paid.
    pub pay_by: Timestamp,
}

/// One product of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What, and how many.
    pub item: Item,
    /// What one of it costs.
    pub unit_price: Money,
}

/// An order that payment has registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// What was ordered.
    pub details: Details,
    /// Its payment.
    pub payment: String,
}

/// Whether a cancelled order had been paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paid {
    /// It had.
    Yes,
    /// It had not.
    No,
}

// === impl Order ===

impl Aggregate for Order {
    const NAME: &'static str = "order";
    const VERSION: u32 = 1;
    const OPEN: &'static [&'static str] = &["ORDERED", "PAID"];

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Step;
    type Entry = Never;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (self, command) {
            (Self::Unborn, Command::Place(place)) => Ok(vec![Event::Submitted(place.details(now)?)]),
            (_, Command::Place(_)) => Err(Rejection::AlreadyPlaced),

            (Self::Submitted(_), Command::AcceptPayment { payment }) => {
                Ok(vec![Event::Placed { payment: payment.clone() }])
            }
            (Self::Submitted(_), Command::RejectPayment { reason }) => {
                Ok(vec![Event::Rejected { reason: reason.clone() }])
            }
            (Self::Submitted(_), Command::GiveUp(Outage::NotSent)) => {
                Ok(vec![Event::Rejected { reason: String::new() }])
            }
            (Self::Submitted(_), Command::GiveUp(Outage::Unknown)) => Ok(vec![Event::GivenUp]),
            (Self::Undoing(_), Command::ConfirmUndone) => Ok(vec![Event::Rejected { reason: String::new() }]),
            // An answer of payment that comes late: what it should have led to was decided without it, and is
            // undone by reference where it must be.
            (
                _,
                Command::AcceptPayment { .. }
                | Command::RejectPayment { .. }
                | Command::GiveUp(_)
                | Command::ConfirmUndone,
            ) => Ok(vec![]),

            // Payment tells of what it registered before its answer has arrived here.
            (Self::Submitted(_), Command::MarkPaid { payment }) => {
                Ok(vec![Event::Placed { payment: payment.clone() }, Event::Paid])
            }
            (Self::Submitted(_), Command::Cancel { reason: CancelReason::PaymentCancelled, .. }) => {
                Ok(vec![Event::Rejected { reason: "PAYMENT_CANCELLED".into() }])
            }
            // It is being undone, or was: payment pays back when it is told to cancel.
            (Self::Undoing(_) | Self::Rejected { .. }, Command::MarkPaid { .. }) => Ok(vec![]),

            // To everybody else these do not exist.
            (Self::Unborn | Self::Submitted(_) | Self::Undoing(_) | Self::Rejected { .. }, _) => {
                Err(Rejection::NotFound)
            }

            (Self::Ordered(_), Command::MarkPaid { .. }) => Ok(vec![Event::Paid]),
            // Known already; or cancelled meanwhile, and payment pays back when it hears of that.
            (Self::Paid(_) | Self::Completed(_) | Self::Cancelled { .. }, Command::MarkPaid { .. }) => Ok(vec![]),

            (Self::Paid(_), Command::Complete) => Ok(vec![Event::Completed]),
            (Self::Ordered(_), Command::Complete) => Err(Rejection::NotPaid),
            // Known already; or cancelled, and a terminal state stands.
            (Self::Completed(_) | Self::Cancelled { .. }, Command::Complete) => Ok(vec![]),

            (Self::Ordered(_), Command::Cancel { reason, note })
            | (
                Self::Paid(_),
                Command::Cancel { reason: reason @ (CancelReason::Customer | CancelReason::PaymentCancelled), note },
            ) => Ok(vec![Event::Cancelled { reason: *reason, note: note.clone() }]),
            // Paid in the last moment: nothing expires.
            (Self::Paid(_) | Self::Completed(_), Command::Cancel { reason: CancelReason::Expired, .. }) => Ok(vec![]),
            (Self::Completed(_), Command::Cancel { .. }) => Err(Rejection::AlreadyCompleted),
            // Cancelling twice is no error.
            (Self::Cancelled { .. }, Command::Cancel { .. }) => Ok(vec![]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::Submitted(details)) => Self::Submitted(details.clone()),
            (Self::Submitted(details), Event::Placed { payment }) => {
                Self::Ordered(Placed { details, payment: payment.clone() })
            }
            (Self::Submitted(details), Event::GivenUp) => Self::Undoing(details),
            (_, Event::Rejected { reason }) => Self::Rejected { reason: reason.clone() },
            (Self::Ordered(placed), Event::Paid) => Self::Paid(placed),
            (Self::Paid(placed), Event::Completed) => Self::Completed(placed),
            (Self::Ordered(placed), Event::Cancelled { reason, note }) => {
                Self::Cancelled { placed, reason: *reason, note: note.clone(), paid: Paid::No }
            }
            (Self::Paid(placed), Event::Cancelled { reason, note }) => {
                Self::Cancelled { placed, reason: *reason, note: note.clone(), paid: Paid::Yes }
            }
            // No history holds such a pair.
            (state, _) => state,
        }
    }

    fn due(&self) -> Option<Due<Self>> {
        match self {
            Self::Submitted(details) => Some(Due::Call(Step::RegisterPayment(details.registration()))),
            Self::Undoing(_) => Some(Due::Call(Step::UndoPayment)),
            Self::Ordered(placed) => Some(Due::Deadline {
                at: placed.details.pay_by,
                command: Command::Cancel { reason: CancelReason::Expired, note: Note::default() },
            }),
            _ => None,
        }
    }

    fn give_up(&self, step: &Step, unanswered: &Unanswered) -> Option<Command> {
        match step {
            // The customer waits for an answer: an order is not registered an hour later.
            Step::RegisterPayment(_) => Some(Command::GiveUp(unanswered.outage)),
            Step::UndoPayment => None,
        }
    }

    fn callee(step: &Step) -> Callee {
        match step {
            Step::RegisterPayment(_) | Step::UndoPayment => PAYMENT,
        }
    }

    fn refusal(&self) -> Option<Rejection> {
        match self {
            Self::Rejected { reason } if !reason.is_empty() => Some(Rejection::PaymentRefused(reason.clone())),
            _ => None,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Place(_))
    }

    fn index(&self) -> Option<Index> {
        let placed = self.placed()?;
        Some(Index {
            shop: placed.details.shop.to_string(),
            owner: placed.details.customer.key(),
            reference: String::new(),
            status: self.status().into(),
        })
    }
}

impl Order {
    /// How others refer to the order with this id.
    pub fn reference(id: Id<Self>) -> Reference {
        Reference::new(CONTEXT, id.to_string())
    }

    /// What everything about this order belongs to; `None` before it was taken down.
    pub fn case(&self, id: Id<Self>) -> Option<Case> {
        let details = match self {
            Self::Submitted(details) | Self::Undoing(details) => details,
            Self::Unborn | Self::Rejected { .. } => return None,
            Self::Ordered(placed) | Self::Paid(placed) | Self::Completed(placed) | Self::Cancelled { placed, .. } => {
                &placed.details
            }
        };
        let customer = details.customer.to_string();
        Some(Case { root: Self::reference(id), shop: details.shop.clone(), customer })
    }

    /// What was placed; `None` while, or because, it does not exist for others.
    pub fn placed(&self) -> Option<&Placed> {
        match self {
            Self::Unborn | Self::Submitted(_) | Self::Undoing(_) | Self::Rejected { .. } => None,
            Self::Ordered(placed) | Self::Paid(placed) | Self::Completed(placed) | Self::Cancelled { placed, .. } => {
                Some(placed)
            }
        }
    }

    /// Its status as lists name it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn | Self::Submitted(_) | Self::Undoing(_) | Self::Rejected { .. } => "",
            Self::Ordered(_) => "ORDERED",
            Self::Paid(_) => "PAID",
            Self::Completed(_) => "COMPLETED",
            Self::Cancelled { .. } => "CANCELLED",
        }
    }
}

// === impl Details ===

impl Details {
    /// How many drinks it is.
    pub fn drinks(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(Quantity::get(line.item.quantity))).sum()
    }

    fn registration(&self) -> Registration {
        Registration {
            shop: self.shop.clone(),
            payer: self.customer.to_string(),
            amount: self.total,
            method: self.method,
        }
    }
}
