//! Gives the scheduler a choice at every call of a port.

use std::future::poll_fn;
use std::task::Poll;

/// Lets everybody else who is ready go first, once.
pub async fn step_aside() {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
