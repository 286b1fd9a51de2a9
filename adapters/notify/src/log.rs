//! Messages into the log.

use async_trait::async_trait;
use highstreet_domain::kernel::Unanswered;
use highstreet_domain::notification::{Notifier, Refused, Sending};

/// Writes one line for each message, under the target `notify`.
///
/// To whom and what it says are personal data, and logs are no place for them: both are in the notification, for those
/// who may read it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

// === impl Log ===

#[async_trait]
impl Notifier for Log {
    async fn send(&self, sending: &Sending) -> Result<Result<(), Refused>, Unanswered> {
        let letter = &sending.letter;
        tracing::info!(
            target: "notify",
            notification = %sending.id,
            shop = %letter.case.shop,
            role = letter.recipient.role.as_str(),
            event = %letter.event,
            "notified"
        );
        Ok(Ok(()))
    }
}
