//! What booking needs of seating, payment and ticketing, and how a booking's steps use them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use async_trait::async_trait;

use super::booking::{Booking, Taken};
use super::language::{Command, SeatRefusal, Step};
use crate::kernel::ports::{Perform, Run};
use crate::kernel::{self, Id, Money, Payer, PaymentMethod, ProductName, Reference, ScreeningId, ShopId, Unanswered};

/// Who is called: the booking, and one attempt at its step. Seating is told `run.since` as the booking's revision: it
/// is higher for every later call.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// The booking.
    pub booking: &'a Reference,
    /// The attempt.
    pub run: &'a Run,
}

/// Seating, as booking sees it. Both calls set the seats of the booking to exactly these, and are idempotent.
#[async_trait]
pub trait Seats: Send + Sync {
    /// Keeps seats for the booking for a while.
    async fn hold(&self, called: Called<'_>, call: &SeatCall) -> Result<Held, Unanswered>;
    /// Makes seats the booking's own.
    async fn assign(&self, called: Called<'_>, call: &SeatCall) -> Result<Assigned, Unanswered>;
    /// Why no call would be sent now, if that is known beforehand.
    fn unreachable(&self) -> Option<Unanswered>;
}

/// Payment, as booking sees it. All calls are idempotent.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Registers what is to be paid.
    async fn register(&self, called: Called<'_>, registration: &Registration) -> Result<Registered, Unanswered>;
    /// Takes the money. While nobody knows whether it was taken, that is no answer.
    async fn pay(&self, called: Called<'_>, payment: &str) -> Result<Paid, Unanswered>;
    /// Whether it is paid.
    async fn learn(&self, called: Called<'_>, payment: &str) -> Result<Learned, Unanswered>;
    /// Why no call would be sent now, if that is known beforehand.
    fn unreachable(&self) -> Option<Unanswered>;
}

/// Ticketing, as booking sees it. Idempotent.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// Lets nobody in with the ticket that the booking has, or may yet get.
    async fn cancel(&self, called: Called<'_>) -> Result<Withdrawn, Unanswered>;
}

/// Which seats.
#[derive(Clone, Debug, PartialEq)]
pub struct SeatCall {
    /// Of which cinema.
    pub shop: ShopId,
    /// Of which screening.
    pub screening: ScreeningId,
    /// For whom.
    pub customer: String,
    /// Which.
    pub seats: kernel::Seats,
}

/// What is to be paid.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Where.
    pub shop: ShopId,
    /// By whom.
    pub payer: Payer,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: PaymentMethod,
    /// For which screening.
    pub screening: ScreeningId,
}

/// Seating's answer to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// They are kept.
    Yes,
    /// They cannot be had.
    Refused(SeatRefusal),
}

/// Seating's answer to an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// They are the booking's.
    Yes {
        /// What is shown.
        movie: ProductName,
    },
    /// They cannot be had.
    Refused(SeatRefusal),
}

/// Payment's answer to a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Registered under this id.
    As {
        /// The payment's id.
        payment: String,
    },
    /// Refused.
    Refused {
        /// Payment's reason.
        reason: String,
    },
}

/// Payment's answer to a request to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paid {
    /// The money was taken, now or before.
    Yes,
    /// It was not, and will not be.
    Declined {
        /// Why.
        reason: String,
    },
}

/// Payment's answer to the question whether it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned(pub Taken);

/// Ticketing's answer to a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// Nobody will be let in with it.
    Yes,
    /// Somebody was.
    Collected,
}

/// Whom a booking asks.
pub struct Partners {
    /// Keeps the seats.
    pub seats: Arc<dyn Seats>,
    /// Takes the money.
    pub payments: Arc<dyn Payments>,
    /// Has the tickets.
    pub tickets: Arc<dyn Tickets>,
}

/// Performs a booking's steps.
pub struct Performing(pub Partners);

// === impl Performing ===

#[async_trait]
impl Perform<Booking> for Performing {
    async fn perform(&self, id: Id<Booking>, step: &Step, run: &Run) -> Result<Command, Unanswered> {
        let Self(Partners { seats, payments, tickets }) = self;
        let booking = Booking::reference(id);
        let called = Called { booking: &booking, run };
        Ok(match step {
            Step::HoldSeats(call) => match seats.hold(called, call).await? {
                Held::Yes => Command::AcceptHold,
                Held::Refused(refusal) => Command::RefuseSeats { ask: 0, refusal },
            },
            Step::RequestPayment(registration) => match payments.register(called, registration).await? {
                Registered::As { payment } => Command::AcceptPayment { payment },
                Registered::Refused { reason } => Command::RejectPayment { reason },
            },
            Step::Pay { payment } => match payments.pay(called, payment).await? {
                Paid::Yes => Command::AcceptMoney,
                Paid::Declined { reason } => Command::DeclineMoney { reason },
            },
            Step::AssignSeats { call, ask } => match seats.assign(called, call).await? {
                Assigned::Yes { movie } => Command::AcceptSeats { ask: *ask, movie },
                Assigned::Refused(refusal) => Command::RefuseSeats { ask: *ask, refusal },
            },
            Step::AskPayment { payment, ask } => {
                let Learned(paid) = payments.learn(called, payment).await?;
                Command::LearnPayment { ask: *ask, paid }
            }
            Step::CancelTicket => match tickets.cancel(called).await? {
                Withdrawn::Yes => Command::ConfirmCancellation,
                Withdrawn::Collected => Command::RefuseCancellation,
            },
        })
    }

    fn unreachable(&self, step: &Step) -> Option<Unanswered> {
        let Self(Partners { seats, payments, .. }) = self;
        match step {
            Step::HoldSeats(_) | Step::AssignSeats { .. } => seats.unreachable(),
            Step::RequestPayment(_) | Step::Pay { .. } | Step::AskPayment { .. } => payments.unreachable(),
            // It begins nothing.
            Step::CancelTicket => None,
        }
    }
}
