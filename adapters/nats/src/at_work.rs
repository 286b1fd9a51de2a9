//! Tells the broker that messages are still at work, so that it may miss those of a dead replica soon.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Subject;
use async_nats::jetstream::AckKind;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::streams::Streams;

/// Whoever is at a message for longer than this is stuck: another replica may try.
const LONGEST: Duration = Duration::from_mins(1);

/// Messages at work, until it is dropped.
pub(crate) struct AtWork(AbortHandle);

// === impl AtWork ===

impl AtWork {
    /// The messages that are answered at these addresses are at work.
    pub(crate) fn on(streams: Arc<Streams>, answers: Vec<Subject>) -> Self {
        Self(tokio::spawn(tell(streams, answers)).abort_handle())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn tell(streams: Arc<Streams>, answers: Vec<Subject>) {
    let until = Instant::now() + LONGEST;
    while Instant::now() < until {
        sleep(streams.settings.ack_wait / 3).await;
        for answer in &answers {
            // One that is lost is made up for by the next.
            let _ = streams.link.bounded(streams.link.client.publish(answer.clone(), AckKind::Progress.into())).await;
        }
    }
}
