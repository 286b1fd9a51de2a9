//! Makes the calls that are due: while the caller waits, behind its back, or when the agenda says so.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::time::Duration;

use super::left::standing_of;
use super::ports::{Loaded, Run, Task};
use super::turn::Word;
use super::{
    Aggregate, Cause, Due, Failure, Handler, Id, OnOutage, Origin, Outage, Release, Request, Standing, StepKey,
    Timestamp, Unanswered,
};

/// Whether somebody else may have begun the same step before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before {
    Nobody,
    Perhaps,
}

// === impl Handler ===

impl<A: Aggregate> Handler<A> {
    /// Makes the calls that are due, one after the other, until none is or one is left for later.
    pub(super) async fn perform_due(
        &self,
        id: Id<A>,
        mut loaded: Loaded<A>,
        origin: &Arc<Origin>,
        deadline: Timestamp,
        mut before: Before,
    ) -> Result<Standing<A>, Failure<A::Rejection>> {
        while let Some(Due::Call(step)) = loaded.standing.state.due() {
            let since = loaded.since;
            let key = StepKey::new(id, since);
            let run = Run { key, since: loaded.since, origin: origin.clone(), deadline };
            let (command, outage) = match self.0.ports.perform.perform(id, &step, &run).await {
                Ok(command) => (command, None),
                Err(unanswered) => {
                    // Once the lease may end, another run may be at it too.
                    if self.now() >= loaded.standing.updated.after(self.0.settings.lease / 2) {
                        before = Before::Perhaps;
                    }
                    let unanswered = before.or_earlier(unanswered);
                    match self.on_outage(id, &loaded, &step, &unanswered).await {
                        Some(command) => (command, Some(unanswered.outage)),
                        None => return Ok(loaded.standing),
                    }
                }
            };
            before = Before::Nobody;
            let word = self.decide(id, outcome(command, key, origin, outage, loaded)).await?;
            loaded = match word {
                // Another run was faster; the rest is its business.
                Word::Repeated(loaded) | Word::Decided { loaded, owns_step: false } => {
                    return self.left_by_another(id, &step, since, loaded).await;
                }
                Word::Decided { loaded, owns_step: true } => loaded,
            };
            if let Some(outage) = outage {
                // The caller has waited long enough; undoing is not its business.
                self.perform_behind(id, loaded, origin.clone());
                return Err(Failure::GaveUp { callee: A::callee(&step), outage });
            }
        }
        standing_of(loaded)
    }

    /// Why something new is not begun: the call that it begins with would not be sent, and be given up.
    ///
    /// To write it down and to give it up would come to the same, for two commits; during an outage callers come again
    /// and again.
    pub(super) fn in_vain(&self, begun: &Loaded<A>) -> Option<Failure<A::Rejection>> {
        let state = &begun.standing.state;
        let Some(Due::Call(step)) = state.due() else { return None };
        let unanswered = self.0.ports.perform.unreachable(&step)?;
        let given_up = matches!(state.on_outage(&step, &unanswered, 1), OnOutage::GiveUp(_));
        given_up.then(|| Failure::GaveUp { callee: A::callee(&step), outage: unanswered.outage })
    }

    /// The command that gives the step up; `None` if it was put off to be tried again.
    async fn on_outage(
        &self,
        id: Id<A>,
        loaded: &Loaded<A>,
        step: &A::Step,
        unanswered: &Unanswered,
    ) -> Option<A::Command> {
        let attempts = loaded.attempts + 1;
        let wait = match loaded.standing.state.on_outage(step, unanswered, attempts) {
            OnOutage::GiveUp(command) => return Some(command),
            OnOutage::Retry => back_off(StepKey::new(id, loaded.since), attempts),
            OnOutage::RetryIn(wait) => wait,
        };
        // If the store is away too, the lease ends all the same.
        let _ = self.0.ports.agenda.put_off(id, loaded.since, self.now().after(wait), &unanswered.why).await;
        None
    }

    /// Makes the calls that are due with nobody waiting; beyond the limit they are left to the agenda.
    pub(super) fn perform_behind(&self, id: Id<A>, loaded: Loaded<A>, origin: Arc<Origin>) {
        if !matches!(loaded.standing.state.due(), Some(Due::Call(_))) {
            return;
        }
        let Some(permit) = self.0.background.try_acquire_arc() else { return };
        let this = self.clone();
        self.0.ports.tasks.spawn(Box::pin(async move {
            let deadline = this.now().after(this.0.settings.patience);
            // What failed stays in the agenda.
            let _ = this.perform_due(id, loaded, &origin, deadline, Before::Nobody).await;
            drop(permit);
        }));
    }

    /// Takes up what the agenda says is due; returns once there is room for it to run.
    pub(super) async fn resume(&self, task: Task<A>) {
        let permit = self.0.background.acquire_arc().await;
        let this = self.clone();
        self.0.ports.tasks.spawn(Box::pin(async move {
            this.catch_up(task).await;
            drop(permit);
        }));
    }

    pub(super) async fn catch_up(&self, task: Task<A>) {
        let Ok(loaded) = self.0.ports.journal.load(task.id, &[]).await else { return };
        if loaded.since != task.since {
            return;
        }
        let deadline = self.now().after(self.0.settings.patience);
        match loaded.standing.state.due() {
            None => {}
            Some(Due::Call(_)) => {
                // What failed stays in the agenda.
                let _ = self.perform_due(task.id, loaded, &task.origin, deadline, Before::Perhaps).await;
            }
            Some(Due::Deadline { at, command }) => {
                let key = StepKey::new(task.id, loaded.since);
                let request = outcome(command, key, &task.origin, None, loaded);
                match self.decide(task.id, request).await {
                    Ok(Word::Decided { loaded, owns_step: true }) => {
                        let _ = self.perform_due(task.id, loaded, &task.origin, deadline, Before::Nobody).await;
                    }
                    Ok(_) => {}
                    Err(failure) => {
                        let why = failure.to_string();
                        let again = self.now().max(at).after(Duration::from_secs(1));
                        let _ = self.0.ports.agenda.put_off(task.id, task.since, again, &why).await;
                    }
                }
            }
        }
    }
}

// === impl Before ===

impl Before {
    /// What was not sent now may have been sent by an earlier run that died, or still runs.
    fn or_earlier(self, unanswered: Unanswered) -> Unanswered {
        match self {
            Self::Nobody => unanswered,
            Self::Perhaps => Unanswered { outage: Outage::Unknown, ..unanswered },
        }
    }
}

/// The request that decides what a step came to.
pub(super) fn outcome<A: Aggregate>(
    command: A::Command,
    key: StepKey,
    origin: &Origin,
    outage: Option<Outage>,
    known: Loaded<A>,
) -> Box<Request<A>> {
    let origin = Arc::new(origin.then(key.uuid().to_string()));
    let mut request = Box::new(Request::new(command, Cause::of_step(key), origin));
    request.release = if outage.is_some() { Release::Claim } else { Release::Keep };
    request.known = Some(known);
    request
}

/// 100 ms, doubling to 5 s, and up to half as much again so that many do not come back at once.
fn back_off(key: StepKey, attempts: u32) -> Duration {
    let base = Duration::from_millis(100 << attempts.saturating_sub(1).min(6)).min(Duration::from_secs(5));
    let spread = u32::from(key.uuid().as_bytes()[0] ^ u8::try_from(attempts % 256).unwrap_or(0));
    base + base * spread / 512
}
