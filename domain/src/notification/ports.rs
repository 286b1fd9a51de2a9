//! What notification needs of whoever carries messages, and how a notification's step uses it.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use async_trait::async_trait;

use super::notification::{Command, Letter, Notification, Step};
use crate::kernel::ports::{Perform, Run};
use crate::kernel::{Id, StepKey, Unanswered};

/// Carries messages to people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends a message. The same `sending.key` may come again after an outage; carriers that can, drop the repeat.
    async fn send(&self, sending: &Sending) -> Result<Result<(), Refused>, Unanswered>;
}

/// A message to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// The notification's id.
    pub id: String,
    /// The same for every attempt at this message.
    pub key: StepKey,
    /// What to whom.
    pub letter: Letter,
}

/// The carrier will never take this message; says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// Performs a notification's step.
pub struct Performing(pub Arc<dyn Notifier>);

// === impl Performing ===

#[async_trait]
impl Perform<Notification> for Performing {
    async fn perform(&self, id: Id<Notification>, step: &Step, run: &Run) -> Result<Command, Unanswered> {
        let Step::Send(letter) = step;
        let sending = Sending { id: id.to_string(), key: run.key, letter: letter.clone() };
        Ok(match self.0.send(&sending).await? {
            Ok(()) => Command::ConfirmSent,
            Err(Refused(error)) => Command::GiveUp { error },
        })
    }
}
