//! What ticketing needs of loyalty, and how a ticket's steps use it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use async_trait::async_trait;

use super::language::{Command, Step};
use super::ticket::Ticket;
use crate::kernel::ports::{Perform, Run};
use crate::kernel::{Id, Reference, ShopId, Unanswered};

/// Loyalty, as ticketing sees it. Idempotent: one reference earns once.
#[async_trait]
pub trait Points: Send + Sync {
    /// Grants the points of a collected ticket.
    async fn grant(&self, reference: &Reference, grant: &Grant, run: &Run) -> Result<Granted, Unanswered>;
}

/// Whose points, and in which attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Where.
    pub shop: ShopId,
    /// Whose.
    pub member: String,
    /// The booking that they belong to.
    pub root: Reference,
    /// In the how-many-th attempt to collect the ticket, from 1.
    pub attempt: u32,
}

/// Loyalty's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// They are granted.
    Yes,
    /// Refused.
    Refused {
        /// Loyalty's reason.
        reason: String,
    },
}

/// Performs a ticket's steps.
pub struct Performing(pub Arc<dyn Points>);

// === impl Performing ===

#[async_trait]
impl Perform<Ticket> for Performing {
    async fn perform(&self, id: Id<Ticket>, step: &Step, run: &Run) -> Result<Command, Unanswered> {
        let Step::GrantPoints(grant) = step;
        let attempt = grant.attempt;
        Ok(match self.0.grant(&Ticket::granted_for(id, attempt), grant, run).await? {
            Granted::Yes => Command::AcceptPoints { attempt },
            Granted::Refused { reason } => Command::RefusePoints { attempt, reason },
        })
    }
}
