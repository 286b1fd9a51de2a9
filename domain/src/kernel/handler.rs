//! The only use case that writes: load, decide, append; and what is due at once while the caller waits.
//!
//! How what is due is performed is in `perform`, what somebody hears who asks again in `repeat`.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::time::Duration;

use async_lock::Semaphore;

use super::detached::Detached;
use super::perform::Before;
use super::ports::{Agenda, AppendError, Clock, Journal, Loaded, Lookup, Perform, StoreError, Tasks};
use super::queue::{Queues, Waiting};
use super::turn::{Answer, Word, turn};
use super::{Aggregate, ClaimKey, Failure, Id, Request, Standing, Timestamp};

/// How often a stream that others keep changing is loaded anew before its callers are told.
const MOST_CONFLICTS: usize = 16;

/// Handles the commands of one kind of aggregate. Cheap to clone; clones share their queues.
pub struct Handler<A: Aggregate>(pub(super) Arc<Inner<A>>);

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

pub(super) struct Inner<A: Aggregate> {
    pub(super) ports: HandlerPorts<A>,
    pub(super) settings: HandlerSettings,
    queues: Queues<A>,
    pub(super) background: Arc<Semaphore>,
}

// === impl HandlerSettings ===

impl Default for HandlerSettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(8), patience: Duration::from_secs(10), background: 1024 }
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
    /// A caller that goes away cancels nothing half-way: then it goes on as a task of its own. Who keeps what this
    /// returns polls it to the end, or drops it.
    pub async fn handle(&self, id: Id<A>, request: impl Into<Box<Request<A>>>) -> Handled<A> {
        let (this, request) = (self.clone(), request.into());
        self.detached(async move { this.carry_out(id, request).await }).await
    }

    /// Carries a request out and returns once it is committed; what became due with it runs behind.
    pub async fn post(&self, id: Id<A>, request: impl Into<Box<Request<A>>>) -> Result<(), Failure<A::Rejection>> {
        let (this, request) = (self.clone(), request.into());
        let work = async move {
            let origin = request.origin.clone();
            if let Word::Decided { loaded, owns_step: true } = this.decide(id, request).await? {
                this.perform_behind(id, loaded, origin);
            }
            Ok(())
        };
        self.detached(work).await
    }

    /// Where the aggregate stands; `None` if nothing ever happened to it.
    pub async fn find(&self, id: Id<A>) -> Result<Option<Standing<A>>, StoreError> {
        let loaded = self.0.ports.journal.load(id, &[]).await?;
        Ok((loaded.standing.revision > 0).then_some(loaded.standing))
    }

    async fn carry_out(&self, id: Id<A>, request: Box<Request<A>>) -> Handled<A> {
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

    async fn attempt(&self, id: Id<A>, request: Box<Request<A>>, deadline: Timestamp) -> Handled<A> {
        let origin = request.origin.clone();
        match self.decide(id, request).await? {
            Word::Repeated(loaded) | Word::Decided { loaded, owns_step: false } => Ok((id, loaded.standing)),
            Word::Decided { loaded, owns_step: true } => {
                // Boxed, so that the many requests that make nothing due do not carry room for it.
                let done = Box::pin(self.perform_due(id, loaded, &origin, deadline, Before::Nobody)).await;
                done.map(|standing| (id, standing))
            }
        }
    }

    // === Decide ===

    pub(super) async fn decide(&self, id: Id<A>, request: Box<Request<A>>) -> Answer<A> {
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
            let requests: Vec<_> = batch.iter().map(|waiting| &*waiting.request).collect();
            let (answers, append) = turn(id, &loaded, &requests, self.now(), self.0.settings.lease);
            if let ([only], [Ok(Word::Decided { loaded: begun, owns_step: true })]) = (&batch[..], &answers[..])
                && A::begins(&only.request.command)
                && let Some(failure) = self.in_vain(begun)
            {
                return answer_all(batch, &failure);
            }
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
        let lookup = |Waiting { request, .. }: &Waiting<A>| Lookup {
            cause: Some(request.cause).filter(|cause| cause.may_recur()),
            key: A::entry_key(&request.command),
        };
        let lookups: Vec<_> = batch.iter().map(lookup).collect();
        // Most requests of people have nothing to look up.
        let wanted = lookups.iter().any(|lookup| lookup.cause.is_some() || lookup.key.is_some());
        self.0.ports.journal.load(id, if wanted { &lookups } else { &[] }).await
    }

    // === Small things ===

    async fn detached<T: 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure<A::Rejection>>> + Send + 'static,
    ) -> Result<T, Failure<A::Rejection>> {
        Detached::new(self.0.ports.tasks.clone(), work).await.unwrap_or(Err(Failure::Interrupted))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.ports.clock.now()
    }
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
