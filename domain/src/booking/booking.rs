//! A booking, from the wish for seats to the door of the hall.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::language::{Ask, CancelReason, Command, Event, Step};
use super::ports::{Registration, SeatCall};
use super::refusal::{FailReason, Rejection, SelectRefusal};
use super::{CONTEXT, evolve, rules};
use crate::kernel::{
    Aggregate, Callee, Case, Due, Id, Index, Money, Never, Note, Payer, PaymentMethod, Phone, ProductName, Quantity,
    Reference, ScreeningId, Seats, ShopId, Timestamp, Unanswered,
};

const SEATING: Callee = Callee { name: "seating", reason: "SEATING_UNAVAILABLE" };
const PAYMENT: Callee = Callee { name: "payment", reason: "PAYMENT_UNAVAILABLE" };
const TICKETING: Callee = Callee { name: "ticketing", reason: "TICKETING_UNAVAILABLE" };

/// Where a booking stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Booking {
    /// Nobody has made it.
    #[default]
    Unborn,
    /// With its seats named, being made. Not shown to others.
    Pending {
        /// What is booked.
        details: Details,
        /// Which seats.
        seats: Seats,
        /// How far that has come.
        stage: Stage,
    },
    /// Without seats, being registered with payment. Not shown to others.
    Reserving(Details),
    /// It did not come about. Shown to others if money was taken; that goes back.
    Failed {
        /// What was to be booked.
        details: Details,
        /// Why not.
        reason: FailReason,
        /// Whether there is a payment to be cancelled.
        billed: Billed,
        /// Whether money was taken.
        taken: Taken,
    },
    /// Registered with payment, not paid yet.
    Reserved {
        /// What is booked.
        booked: Booked,
        /// Why seats were refused last.
        refused: Option<SelectRefusal>,
    },
    /// Seats are chosen, and payment is asked whether it is paid.
    Asking {
        /// What is booked.
        booked: Booked,
        /// Which seats.
        ask: Ask,
        /// Until when seats have to be chosen, if it became known that it is paid.
        seat_by: Option<Timestamp>,
    },
    /// Paid, without seats yet.
    Paid {
        /// What is booked.
        booked: Booked,
        /// Until when seats have to be chosen.
        seat_by: Timestamp,
        /// Why seats were refused last.
        refused: Option<SelectRefusal>,
    },
    /// Paid, and seating is asked for the seats chosen.
    Selecting {
        /// What is booked.
        booked: Booked,
        /// Which seats.
        ask: Ask,
        /// Until when seats have to be chosen.
        seat_by: Timestamp,
    },
    /// Paid, with its seats.
    Confirmed(TicketOf),
    /// Its ticket was collected.
    Completed {
        /// What was booked.
        ticket: TicketOf,
        /// Whether it was to be cancelled when that became known.
        cancelled_in_vain: bool,
    },
    /// To be cancelled, its ticket first.
    Cancelling(Cancelling),
    /// Cancelled.
    Cancelled(Cancelling),
}

/// What is booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// In which cinema.
    pub shop: ShopId,
    /// By whom.
    pub customer: Payer,
    /// Which screening.
    pub screening: ScreeningId,
    /// How many seats.
    pub quantity: Quantity,
    /// Which, if they were named at once.
    pub seats: Option<Seats>,
    /// What it costs.
    pub price: Money,
    /// How it is to be paid.
    pub method: PaymentMethod,
    /// Until when it has to be paid.
    pub pay_by: Timestamp,
    /// How long there is to choose seats once it is paid.
    pub select_within: Duration,
}

/// How far the making of a booking with seats has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// The seats are being held.
    Holding,
    /// The payment is being registered.
    Requesting,
    /// The hold is being renewed, so that it lasts while the money is taken.
    Renewing {
        /// The payment's id.
        payment: String,
    },
    /// The money is being taken.
    Paying {
        /// The payment's id.
        payment: String,
    },
    /// The seats are being made its own.
    Assigning {
        /// The payment's id.
        payment: String,
    },
}

/// A booking that payment has registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Booked {
    /// What is booked.
    pub details: Details,
    /// Its payment.
    pub payment: String,
    /// How often seats were chosen for it.
    pub asks: u32,
}

/// A booking that is entitled to a ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketOf {
    /// What is booked.
    pub booked: Booked,
    /// Its seats.
    pub chosen: Chosen,
}

/// The seats of a booking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// Which.
    pub seats: Seats,
    /// What is shown.
    pub movie: ProductName,
    /// Its ticket, once that is known.
    pub ticket: Option<String>,
}

/// A booking on its way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancelling {
    /// What was booked.
    pub booked: Booked,
    /// Its seats, if it had them.
    pub chosen: Option<Chosen>,
    /// Whether it had been paid, as far as was known.
    pub taken: Taken,
    /// Why.
    pub reason: CancelReason,
    /// In the canceller's words.
    pub note: Note,
}

/// Whether there is a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Billed {
    /// There is none.
    No,
    /// Payment was asked for one, and did not answer.
    Perhaps,
    /// There is.
    Yes {
        /// Its id.
        payment: String,
    },
}

/// Whether money was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Taken {
    /// It was.
    Yes,
    /// It was not, as far as is known.
    No,
}

// === impl Booking ===

impl Aggregate for Booking {
    const NAME: &'static str = "booking";
    const VERSION: u32 = 1;
    const OPEN: &'static [&'static str] = &["RESERVED", "PAID", "CONFIRMED", "CANCELLATION_PENDING"];

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Step;
    type Entry = Never;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        rules::decide(self, command, now)
    }

    fn evolve(self, event: &Event) -> Self {
        evolve::evolve(self, event)
    }

    fn due(&self) -> Option<Due<Self>> {
        Some(match self {
            Self::Pending { details, seats, stage } => Due::Call(match stage {
                Stage::Holding | Stage::Renewing { .. } => Step::HoldSeats(details.seat_call(seats)),
                Stage::Requesting => Step::RequestPayment(details.registration()),
                Stage::Paying { payment } => Step::Pay { payment: payment.clone() },
                Stage::Assigning { .. } => Step::AssignSeats { call: details.seat_call(seats), ask: 0 },
            }),
            Self::Reserving(details) => Due::Call(Step::RequestPayment(details.registration())),
            Self::Reserved { booked, .. } => Due::Deadline { at: booked.details.pay_by, command: Command::Expire },
            Self::Asking { booked, ask, .. } => {
                Due::Call(Step::AskPayment { payment: booked.payment.clone(), ask: ask.number })
            }
            Self::Paid { seat_by, .. } => Due::Deadline { at: *seat_by, command: Command::Expire },
            Self::Selecting { booked, ask, .. } => {
                Due::Call(Step::AssignSeats { call: booked.details.seat_call(&ask.seats), ask: ask.number })
            }
            Self::Cancelling(_) => Due::Call(Step::CancelTicket),
            Self::Unborn | Self::Failed { .. } | Self::Confirmed(_) | Self::Completed { .. } | Self::Cancelled(_) => {
                return None;
            }
        })
    }

    fn give_up(&self, step: &Step, unanswered: &Unanswered) -> Option<Command> {
        let outage = unanswered.outage;
        match step {
            // The customer waits for an answer: nothing of this is done an hour later.
            Step::HoldSeats(_) | Step::RequestPayment(_) | Step::Pay { .. } => Some(Command::GiveUp { ask: 0, outage }),
            Step::AssignSeats { ask, .. } | Step::AskPayment { ask, .. } => Some(Command::GiveUp { ask: *ask, outage }),
            // The customer has the answer that it is being cancelled.
            Step::CancelTicket => None,
        }
    }

    fn callee(step: &Step) -> Callee {
        match step {
            Step::HoldSeats(_) | Step::AssignSeats { .. } => SEATING,
            Step::RequestPayment(_) | Step::Pay { .. } | Step::AskPayment { .. } => PAYMENT,
            Step::CancelTicket => TICKETING,
        }
    }

    fn refusal(&self) -> Option<Rejection> {
        match self {
            Self::Failed { reason, .. } => reason.rejection(),
            Self::Reserved { refused, .. } | Self::Paid { refused, .. } => refused.map(SelectRefusal::rejection),
            Self::Completed { cancelled_in_vain: true, .. } => Some(Rejection::AlreadyCompleted),
            _ => None,
        }
    }

    fn begins(command: &Command) -> bool {
        matches!(command, Command::Book(_))
    }

    fn index(&self) -> Option<Index> {
        let status = self.status();
        let details = self.details().filter(|_| !status.is_empty())?;
        Some(Index {
            shop: details.shop.to_string(),
            owner: Phone::key_of(details.customer.as_str()),
            reference: String::new(),
            status: status.into(),
        })
    }
}

impl Booking {
    /// How others refer to the booking with this id.
    pub fn reference(id: Id<Self>) -> Reference {
        Reference::new(CONTEXT, id.to_string())
    }

    /// What everything about this booking belongs to; `None` before it was taken down.
    pub fn case(&self, id: Id<Self>) -> Option<Case> {
        let details = self.details()?;
        Some(Case { root: Self::reference(id), shop: details.shop.clone(), customer: details.customer.to_string() })
    }

    /// What was booked, or was to be; `None` before it was taken down.
    pub fn details(&self) -> Option<&Details> {
        match self {
            Self::Unborn => None,
            Self::Pending { details, .. } | Self::Reserving(details) | Self::Failed { details, .. } => Some(details),
            _ => self.booked().map(|booked| &booked.details),
        }
    }

    /// What is booked, with its payment; `None` while, or because, it has none.
    pub fn booked(&self) -> Option<&Booked> {
        match self {
            Self::Unborn | Self::Pending { .. } | Self::Reserving(_) | Self::Failed { .. } => None,
            Self::Reserved { booked, .. }
            | Self::Asking { booked, .. }
            | Self::Paid { booked, .. }
            | Self::Selecting { booked, .. } => Some(booked),
            Self::Confirmed(ticket) | Self::Completed { ticket, .. } => Some(&ticket.booked),
            Self::Cancelling(cancelling) | Self::Cancelled(cancelling) => Some(&cancelling.booked),
        }
    }

    /// Its seats and its ticket; `None` while it has no seats of its own.
    pub fn chosen(&self) -> Option<&Chosen> {
        match self {
            Self::Confirmed(ticket) | Self::Completed { ticket, .. } => Some(&ticket.chosen),
            Self::Cancelling(cancelling) | Self::Cancelled(cancelling) => cancelling.chosen.as_ref(),
            _ => None,
        }
    }

    /// Its status as lists name it; empty while it does not exist for others.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unborn | Self::Pending { .. } | Self::Reserving(_) | Self::Failed { taken: Taken::No, .. } => "",
            Self::Failed { taken: Taken::Yes, .. } => "FAILED",
            Self::Reserved { .. } | Self::Asking { seat_by: None, .. } => "RESERVED",
            Self::Asking { seat_by: Some(_), .. } | Self::Paid { .. } | Self::Selecting { .. } => "PAID",
            Self::Confirmed(_) => "CONFIRMED",
            Self::Completed { .. } => "COMPLETED",
            Self::Cancelling(_) => "CANCELLATION_PENDING",
            Self::Cancelled(_) => "CANCELLED",
        }
    }
}

// === impl Details ===

impl Details {
    pub(super) fn seat_call(&self, seats: &Seats) -> SeatCall {
        SeatCall {
            shop: self.shop.clone(),
            screening: self.screening.clone(),
            customer: self.customer.to_string(),
            seats: seats.clone(),
        }
    }

    fn registration(&self) -> Registration {
        Registration {
            shop: self.shop.clone(),
            payer: self.customer.clone(),
            amount: self.price,
            method: self.method,
            screening: self.screening.clone(),
        }
    }
}
