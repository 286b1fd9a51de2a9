//! The only use case that writes: load, decide, append; and what is due at once while the caller waits.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::time::Duration;

use async_lock::Semaphore;
use futures_channel::oneshot;

use super::ports::{
    Agenda, AppendError, Claimed, Clock, Journal, Loaded, Lookup, Perform, Run, StoreError, Task, Tasks,
};
use super::queue::{Queues, Waiting};
use super::turn::{Answer, Word, turn};
use super::{
    Aggregate, Cause, ClaimKey, Due, Failure, Id, OnOutage, Origin, Outage, Release, Request, Standing, StepKey,
    Timestamp, Unanswered,
};

/// How often a stream that others keep changing is loaded anew before its callers are told.
const MOST_CONFLICTS: usize = 16;
/// How often somebody who repeats a request looks whether the first is done.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Handles the commands of one kind of aggregate. Cheap to clone; clones share their queues.
pub struct Handler<A: Aggregate>(Arc<Inner<A>>);

/// What a handler works with.
pub struct HandlerPorts<A: Aggregate> {
    /// Where the streams are kept.
    pub journal: Arc<dyn Journal<A>>,
    /// Where what is due is kept.
    pub agenda: Arc<dyn Agenda<A>>,
    /// Makes the aggregate's calls.
    pub perform: Arc<dyn Perform<A>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Runs what nobody waits for.
    pub tasks: Arc<dyn Tasks>,
}

/// The aggregate that a request led to, and where it stands.
pub type Handled<A> = Result<(Id<A>, Standing<A>), Failure<<A as Aggregate>::Rejection>>;

/// How patient a handler is.
#[derive(Clone, Copy, Debug)]
pub struct HandlerSettings {
    /// How long a step belongs to the run that is at it; longer than any single attempt takes.
    pub lease: Duration,
    /// How long a caller waits who did not say.
    pub patience: Duration,
    /// How many steps may run at once with nobody waiting for them; what is beyond waits in the agenda.
    pub background: usize,
}

/// Whether somebody else may have begun the same step before.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nobody,
    Perhaps,
}

struct Inner<A: Aggregate> {
    ports: HandlerPorts<A>,
    settings: HandlerSettings,
    queues: Queues<A>,
    background: Arc<Semaphore>,
}

// === impl HandlerSettings ===

impl Default for HandlerSettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), patience: Duration::from_secs(10), background: 1024 }
    }
}

// === impl Handler ===

impl<A: Aggregate> Clone for Handler<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Aggregate> Handler<A> {
    /// A handler on these ports.
    pub fn new(ports: HandlerPorts<A>, settings: HandlerSettings) -> Self {
        let background = Arc::new(Semaphore::new(settings.background));
        Self(Arc::new(Inner { ports, settings, queues: Queues::new(), background }))
    }

    /// Carries a request out, makes the calls that became due with it, and returns where that led: for a repeat
    /// under the same `request_id`, what the first one led to, under the id that it got.
    ///
    /// Runs in a task of its own: a caller that goes away cancels nothing half-way.
    pub async fn handle(&self, id: Id<A>, request: Request<A>) -> Handled<A> {
        let this = self.clone();
        self.detached(async move { this.carry_out(id, request).await }).await
    }

    /// Carries a request out and returns once it is committed; what became due with it runs behind.
    pub async fn post(&self, id: Id<A>, request: Request<A>) -> Result<(), Failure<A::Rejection>> {
        let this = self.clone();
        self.detached(async move {
            let origin = request.origin.clone();
            if let Word::Decided { loaded, owns_step: true } = this.decide(id, request).await? {
                this.perform_behind(id, loaded, origin);
            }
            Ok(())
        })
        .await
    }

    /// Where the aggregate stands; `None` if nothing ever happened to it.
    pub async fn find(&self, id: Id<A>) -> Result<Option<Standing<A>>, StoreError> {
        let loaded = self.0.ports.journal.load(id, &[]).await?;
        Ok((loaded.standing.revision > 0).then_some(loaded.standing))
    }

    async fn carry_out(&self, id: Id<A>, request: Request<A>) -> Handled<A> {
        let deadline = request.deadline.unwrap_or_else(|| self.now().after(self.0.settings.patience));
        let Some(claim) = request.claim else { return self.attempt(id, request, deadline).await };
        loop {
            if let Some(claimed) = self.0.ports.journal.claimed(claim.key).await? {
                if claimed.fingerprint != claim.fingerprint {
                    return Err(Failure::RequestIdReused);
                }
                if let Some(standing) = self.earlier_answer(claim.key, &claimed, deadline).await? {
                    return Ok((claimed.id, standing));
                }
            } else {
                match self.attempt(id, request.clone(), deadline).await {
                    // Somebody else was faster with this request id: look at what became of that.
                    Err(Failure::RequestIdReused) => {}
                    // Refused because of what the first under this request id did meanwhile: that is its answer.
                    Err(Failure::Rejected(_) | Failure::RevisionMismatch { .. })
                        if self.0.ports.journal.claimed(claim.key).await?.is_some() => {}
                    done => return done,
                }
            }
        }
    }

    async fn attempt(&self, id: Id<A>, request: Request<A>, deadline: Timestamp) -> Handled<A> {
        let origin = request.origin.clone();
        match self.decide(id, request).await? {
            Word::Repeated(loaded) | Word::Decided { loaded, owns_step: false } => Ok((id, loaded.standing)),
            Word::Decided { loaded, owns_step: true } => {
                let done = self.perform_due(id, loaded, &origin, deadline, Before::Nobody).await;
                done.map(|standing| (id, standing))
            }
        }
    }

    // === Decide ===

    async fn decide(&self, id: Id<A>, request: Request<A>) -> Answer<A> {
        self.0.queues.wait(id, request, |batch| self.take_turn(id, batch)).await
    }

    /// Decides a batch and answers everybody in it.
    async fn take_turn(&self, id: Id<A>, mut batch: Vec<Waiting<A>>) {
        let mut known = match batch.as_mut_slice() {
            [only] if A::begins(&only.request.command) => Some(Loaded::default()),
            [only] => only.request.known.take(),
            _ => None,
        };
        for _ in 0..MOST_CONFLICTS {
            let loaded = match self.load(id, &batch, known.take()).await {
                Ok(loaded) => loaded,
                Err(error) => return answer_all(batch, &Failure::Store(error)),
            };
            let requests: Vec<_> = batch.iter().map(|waiting| &waiting.request).collect();
            let (answers, append) = turn(id, &loaded, &requests, self.now(), self.0.settings.lease);
            let committed = match append {
                Some(append) => self.0.ports.journal.append(append).await,
                None => Ok(()),
            };
            match committed {
                Ok(()) => return answer_each(batch, answers),
                Err(AppendError::Conflict) => {}
                Err(AppendError::Claimed(key)) => batch = answer_claimed(batch, key),
                Err(AppendError::Store(error)) => return answer_all(batch, &Failure::Store(error)),
            }
        }
        answer_all(batch, &Failure::Contended);
    }

    async fn load(&self, id: Id<A>, batch: &[Waiting<A>], known: Option<Loaded<A>>) -> Result<Loaded<A>, StoreError> {
        if let Some(known) = known {
            return Ok(known);
        }
        let lookup =
            |Waiting { request, .. }: &Waiting<A>| Lookup { cause: request.cause, key: A::entry_key(&request.command) };
        let wanted = |Waiting { request, .. }: &Waiting<A>| {
            request.cause.may_recur() || A::entry_key(&request.command).is_some()
        };
        // Most requests of people have nothing to look up.
        let lookups: Vec<_> = if batch.iter().any(wanted) { batch.iter().map(lookup).collect() } else { Vec::new() };
        self.0.ports.journal.load(id, &lookups).await
    }

    // === Perform ===

    /// Makes the calls that are due, one after the other, until none is or one is left for later.
    async fn perform_due(
        &self,
        id: Id<A>,
        mut loaded: Loaded<A>,
        origin: &Arc<Origin>,
        deadline: Timestamp,
        mut before: Before,
    ) -> Result<Standing<A>, Failure<A::Rejection>> {
        while let Some(Due::Call(step)) = loaded.standing.state.due() {
            let key = StepKey::new(id, loaded.since);
            let run = Run { key, origin: origin.clone(), deadline };
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
                Word::Repeated(loaded) | Word::Decided { loaded, owns_step: false } => return left_by_another(loaded),
                Word::Decided { loaded, owns_step: true } => loaded,
            };
            if let Some(outage) = outage {
                // The caller has waited long enough; undoing is not its business.
                self.perform_behind(id, loaded, origin.clone());
                return Err(Failure::GaveUp(outage));
            }
        }
        standing_of(loaded)
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
    fn perform_behind(&self, id: Id<A>, loaded: Loaded<A>, origin: Arc<Origin>) {
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

    async fn catch_up(&self, task: Task<A>) {
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

    // === Repeat ===

    /// The answer that the first request under a claim got; waits while it is still at work. `None` if it let go
    /// of the claim, so that this one is now the first.
    async fn earlier_answer(
        &self,
        key: ClaimKey,
        claimed: &Claimed<A>,
        deadline: Timestamp,
    ) -> Result<Option<Standing<A>>, Failure<A::Rejection>> {
        let journal = &self.0.ports.journal;
        loop {
            let loaded = journal.load(claimed.id, &[]).await?;
            let (standing, settled) = first_answer::<A>(&journal.history(claimed.id).await?, claimed.revision);
            if journal.claimed(key).await?.is_none_or(|now| now.id != claimed.id) {
                return Ok(None);
            }
            if settled || loaded.attempts > 0 {
                return Ok(Some(standing));
            }
            if self.now() >= deadline {
                return Err(Failure::Interrupted);
            }
            self.0.ports.clock.until(self.now().after(LOOK_AGAIN)).await;
        }
    }

    // === Small things ===

    async fn detached<T, F>(&self, work: F) -> Result<T, Failure<A::Rejection>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure<A::Rejection>>> + Send + 'static,
    {
        let (done, outcome) = oneshot::channel();
        self.0.ports.tasks.spawn(Box::pin(async move {
            // Whoever asked may have gone.
            let _ = done.send(work.await);
        }));
        outcome.await.unwrap_or(Err(Failure::Interrupted))
    }

    fn now(&self) -> Timestamp {
        self.0.ports.clock.now()
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
fn outcome<A: Aggregate>(
    command: A::Command,
    key: StepKey,
    origin: &Origin,
    outage: Option<Outage>,
    known: Loaded<A>,
) -> Request<A> {
    let origin = Arc::new(origin.then(key.uuid().to_string()));
    let mut request = Request::new(command, Cause::of_step(key), origin);
    request.release = if outage.is_some() { Release::Claim } else { Release::Keep };
    request.known = Some(known);
    request
}

/// Where the first answer to a request stood that led to `revision`, and whether its calls were done by then.
fn first_answer<A: Aggregate>(history: &[(Timestamp, A::Event)], revision: u64) -> (Standing<A>, bool) {
    let mut standing = Loaded::<A>::default().standing;
    for (time, event) in history {
        let calling = matches!(standing.state.due(), Some(Due::Call(_)));
        if standing.revision >= revision && !calling {
            return (standing, true);
        }
        if standing.revision == 0 {
            standing.created = *time;
        }
        standing.updated = *time;
        standing.state = standing.state.evolve(event);
        standing.revision += 1;
    }
    let settled = !matches!(standing.state.due(), Some(Due::Call(_)));
    (standing, settled)
}

fn standing_of<A: Aggregate>(loaded: Loaded<A>) -> Result<Standing<A>, Failure<A::Rejection>> {
    match loaded.standing.state.refusal() {
        Some(rejection) => Err(Failure::Rejected(rejection)),
        None => Ok(loaded.standing),
    }
}

/// What to tell a caller whose step another run brought to its end.
fn left_by_another<A: Aggregate>(loaded: Loaded<A>) -> Result<Standing<A>, Failure<A::Rejection>> {
    // Not there for others: that run gave it up.
    if loaded.standing.state.index().is_none() && loaded.standing.state.refusal().is_none() {
        return Err(Failure::GaveUp(Outage::Unknown));
    }
    standing_of(loaded)
}

/// 100 ms, doubling to 5 s, and up to half as much again so that many do not come back at once.
fn back_off(key: StepKey, attempts: u32) -> Duration {
    let base = Duration::from_millis(100 << attempts.saturating_sub(1).min(6)).min(Duration::from_secs(5));
    let spread = u32::from(key.uuid().as_bytes()[0] ^ u8::try_from(attempts % 256).unwrap_or(0));
    base + base * spread / 512
}

fn answer_each<A: Aggregate>(batch: Vec<Waiting<A>>, answers: Vec<Answer<A>>) {
    for (waiting, answer) in batch.into_iter().zip(answers) {
        // Whoever asked may have gone.
        let _ = waiting.answer.send(answer);
    }
}

fn answer_all<A: Aggregate>(batch: Vec<Waiting<A>>, failure: &Failure<A::Rejection>) {
    for waiting in batch {
        let _ = waiting.answer.send(Err(failure.clone()));
    }
}

/// Sends whoever came under a claim that is taken back to look at it, and keeps the rest.
fn answer_claimed<A: Aggregate>(batch: Vec<Waiting<A>>, key: ClaimKey) -> Vec<Waiting<A>> {
    let (claimed, rest): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|waiting| waiting.request.claim.is_some_and(|claim| claim.key == key));
    answer_all(claimed, &Failure::RequestIdReused);
    rest
}
