//! Performers that are not the real ones.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Perform, Run};
use highstreet_domain::kernel::{Aggregate, Id, Never, StepKey, Unanswered};

use crate::memory::Streams;

/// Performs for an aggregate that has nothing to perform.
pub(super) struct Idle;

/// Names a step after the current revision instead of the one with which it became due: a flaw.
pub(super) struct Misnaming<P, A: Aggregate>(pub(super) P, pub(super) Streams<A>);

#[async_trait]
impl<A: Aggregate<Step = Never>> Perform<A> for Idle {
    async fn perform(&self, _id: Id<A>, step: &Never, _run: &Run) -> Result<A::Command, Unanswered> {
        match *step {}
    }
}

#[async_trait]
impl<A: Aggregate, P: Perform<A>> Perform<A> for Misnaming<P, A> {
    async fn perform(&self, id: Id<A>, step: &A::Step, run: &Run) -> Result<A::Command, Unanswered> {
        let key = StepKey::new(id, self.1.standing(id).revision);
        self.0.perform(id, step, &Run { key, ..run.clone() }).await
    }
}
