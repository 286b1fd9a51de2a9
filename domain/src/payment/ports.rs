//! What payment needs of a payment provider, and how a payment's steps use it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use async_trait::async_trait;

use super::language::{Authorisation, Command, Step};
use super::payment::Payment;
use crate::kernel::ports::{Perform, Run};
use crate::kernel::{Id, Money, Payer, PaymentMethod, StepKey, Unanswered};

/// Whoever moves the money. Both calls are idempotent by key: asked again, it gives the same answer and moves
/// nothing twice.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Takes the money, or says why not.
    async fn authorise(&self, charge: &Charge, key: StepKey) -> Result<Authorisation, Unanswered>;
    /// Gives back what was taken under the provider's `reference`.
    async fn refund(&self, reference: &str, amount: Money, key: StepKey) -> Result<(), Unanswered>;
}

/// What is to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// The payment it is for.
    pub payment: String,
    /// From whom.
    pub payer: Payer,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: PaymentMethod,
}

/// Performs a payment's steps.
pub struct Performing(pub Arc<dyn PaymentProvider>);

// === impl Performing ===

#[async_trait]
impl Perform<Payment> for Performing {
    async fn perform(&self, id: Id<Payment>, step: &Step, run: &Run) -> Result<Command, Unanswered> {
        match step {
            Step::Authorise { payer, amount, method } => {
                let payment = alloc::string::ToString::to_string(&id);
                let charge = Charge { payment, payer: payer.clone(), amount: *amount, method: *method };
                self.0.authorise(&charge, run.key).await.map(Command::Settle)
            }
            Step::Refund { reference, amount } => {
                self.0.refund(reference, *amount, run.key).await.map(|()| Command::ConfirmRefund)
            }
        }
    }
}
