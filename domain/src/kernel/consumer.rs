//! Lets a policy hear what another context published, and carries out what it says.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use futures_util::future::join_all;

use super::ports::{Clock, Deliveries, StoreError, Verdict};
use super::request::stream_name;
use super::{Aggregate, Cause, Failure, Handler, Id, Message, Request};

const AT_ONCE: usize = 64;
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a context makes of a message: its own fact, put through its policy. Empty if it is of no concern.
pub type Hearing<A> =
    Arc<dyn Fn(&Message) -> Result<Vec<(Id<A>, <A as Aggregate>::Command)>, Undecodable> + Send + Sync>;

/// Told of a command the rules refused: the stream, the message it was drawn from, and why.
pub type Refused = Arc<dyn Fn(&str, &Message, &str) + Send + Sync>;

/// A message that cannot be read; says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable(pub String);

/// One per pair of contexts and kind of aggregate.
pub struct Consumer<A: Aggregate> {
    /// Makes commands of messages.
    pub hearing: Hearing<A>,
    /// Carries them out.
    pub handler: Handler<A>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Told of every command the rules refused.
    pub refused: Refused,
}

// === impl Consumer ===

impl<A: Aggregate> Consumer<A> {
    /// Listens until it is dropped.
    pub async fn run(self, mut deliveries: Box<dyn Deliveries>) {
        let mut wait = FIRST_WAIT;
        loop {
            let away = match deliveries.next(AT_ONCE).await {
                Ok(batch) => {
                    let verdicts =
                        join_all(batch.iter().map(async |delivery| (delivery.tag, self.hear(&delivery.message).await)))
                            .await;
                    let later = verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Later);
                    deliveries.settle(verdicts).await.is_err() || later
                }
                Err(_) => true,
            };
            // An outage pauses the consumer and counts against no message.
            if away {
                self.clock.until(self.clock.now().after(wait)).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            } else {
                wait = FIRST_WAIT;
            }
        }
    }

    async fn hear(&self, message: &Message) -> Verdict {
        let commands = match (self.hearing)(message) {
            Ok(commands) => commands,
            Err(undecodable) => return Verdict::Failed(undecodable.0),
        };
        let origin = Arc::new(message.origin.then(message.id.to_string()));
        for (index, (id, command)) in commands.into_iter().enumerate() {
            let request = Request::new(command, Cause::of_message(message.id, index), origin.clone());
            match self.handler.post(id, request).await {
                Ok(()) => {}
                Err(Failure::Rejected(rejection)) => {
                    (self.refused)(&stream_name(id), message, &format!("{rejection}"));
                }
                Err(Failure::Interrupted) => {
                    return Verdict::Failed(format!("handling it for {} failed by a bug", stream_name(id)));
                }
                // No wait makes it readable: it must not hold up the others.
                Err(Failure::Store(StoreError::Unreadable(why))) => {
                    return Verdict::Failed(format!("{} cannot be read: {why}", stream_name(id)));
                }
                Err(_) => return Verdict::Later,
            }
        }
        Verdict::Done
    }
}

// === impl Undecodable ===

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
