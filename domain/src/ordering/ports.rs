//! What ordering needs of payment, and how an order's steps use it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use async_trait::async_trait;

use super::language::{Command, Step};
use super::order::Order;
use crate::kernel::ports::{Perform, Run};
use crate::kernel::{Id, Money, PaymentMethod, Reference, ShopId, Unanswered};

/// Payment, as ordering sees it. Both calls are idempotent.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Registers what is to be paid for `order`.
    async fn register(
        &self,
        order: &Reference,
        registration: &Registration,
        run: &Run,
    ) -> Result<Registered, Unanswered>;
    /// Cancels whatever was or will be registered for `order`.
    async fn cancel(&self, order: &Reference, run: &Run) -> Result<(), Unanswered>;
    /// Why no call would be sent now, if that is known beforehand.
    fn unreachable(&self) -> Option<Unanswered>;
}

/// What is to be paid.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// Where.
    pub shop: ShopId,
    /// By whom.
    pub payer: String,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: PaymentMethod,
}

/// Payment's answer.
#[derive(Clone, Debug, PartialEq)]
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

/// Performs an order's steps.
pub struct Performing(pub Arc<dyn Payments>);

// === impl Performing ===

#[async_trait]
impl Perform<Order> for Performing {
    async fn perform(&self, id: Id<Order>, step: &Step, run: &Run) -> Result<Command, Unanswered> {
        let order = Order::reference(id);
        match step {
            Step::RegisterPayment(registration) => Ok(match self.0.register(&order, registration, run).await? {
                Registered::As { payment } => Command::AcceptPayment { payment },
                Registered::Refused { reason } => Command::RejectPayment { reason },
            }),
            Step::UndoPayment => self.0.cancel(&order, run).await.map(|()| Command::ConfirmUndone),
        }
    }

    fn unreachable(&self, _step: &Step) -> Option<Unanswered> {
        self.0.unreachable()
    }
}
