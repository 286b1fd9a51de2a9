//! Work that nobody can cancel half-way.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::ports::Tasks;

/// Work that whoever waits for it does, and that goes on as a task of its own once they have gone: a task for each
/// request, and a channel back from it, would be paid for by all who stay.
///
/// Whoever holds it polls it, or drops it: work that is kept and not polled may have the turn of a stream, and others
/// wait for that.
pub(super) struct Detached<T: 'static> {
    work: Option<Work<T>>,
    tasks: Arc<dyn Tasks>,
}

/// It panicked.
pub(super) struct Interrupted;

/// Boxed where it is made: it is large, and passed through many hands.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

// === impl Detached ===

impl<T> Detached<T> {
    pub(super) fn new(tasks: Arc<dyn Tasks>, work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)), tasks }
    }
}

impl<T> Future for Detached<T> {
    type Output = Result<T, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Taken out, so that nothing is left of work that panics.
        let Some(mut work) = self.work.take() else { return Poll::Ready(Err(Interrupted)) };
        let mut polled = Poll::Pending;
        if !self.tasks.contain(&mut || polled = work.as_mut().poll(context)) {
            return Poll::Ready(Err(Interrupted));
        }
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled.map(Ok)
    }
}

impl<T> Drop for Detached<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.tasks.spawn(Box::pin(async move { drop(work.await) }));
        }
    }
}
