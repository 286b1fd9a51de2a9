//! What replenishment needs of delivery, and how an order's step uses it.

use alloc::boxed::Box;
use alloc::sync::Arc;

use async_trait::async_trait;

use super::language::{Command, Step};
use super::order::Order;
use crate::kernel::ports::{Perform, Run};
use crate::kernel::{Id, Reference, ShopId, Unanswered};

/// Delivery, as replenishment sees it.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Cancels whatever was or will be delivered to `shop` for `order`. Idempotent.
    async fn cancel(&self, order: &Reference, shop: &ShopId, run: &Run) -> Result<Cancellation, Unanswered>;
}

/// Delivery's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// It will not be shipped.
    Done,
    /// It has been shipped.
    TooLate,
}

/// Performs an order's step.
pub struct Performing(pub Arc<dyn Deliveries>);

// === impl Performing ===

#[async_trait]
impl Perform<Order> for Performing {
    async fn perform(&self, id: Id<Order>, step: &Step, run: &Run) -> Result<Command, Unanswered> {
        let Step::CancelDelivery { shop } = step;
        Ok(match self.0.cancel(&Order::reference(id), shop, run).await? {
            Cancellation::Done => Command::ConfirmCancelled,
            Cancellation::TooLate => Command::RefuseCancellation,
        })
    }
}
