//! What an operator sees of what waits, and may do about it.
//!
//! Whoever does something about a step leases it first, like every run: it is never at work twice but under one key.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;
use futures_channel::oneshot;
use uuid::Uuid;

use super::perform::outcome;
use super::ports::{Loaded, Pending, Sought, StoreError, Task};
use super::turn::Word;
use super::{Aggregate, Due, Handler, Id, Origin, Outage, StepKey, Timestamp, Unanswered};

/// The steps of one kind of aggregate, whatever its type.
#[async_trait]
pub trait Steps: Send + Sync {
    /// The kind.
    fn aggregate(&self) -> &'static str;
    /// What waits for a retry or a time, in the order of ids.
    async fn pending(&self, sought: &Sought) -> Result<Vec<PendingStep>, StoreError>;
    /// Makes the call that waits there now, and returns what waits in that stream after that.
    async fn retry(&self, wanted: Wanted) -> Result<Option<PendingStep>, Unmoved>;
    /// Ends the call that waits there as an outage would end it, on behalf of `origin`.
    async fn abandon(&self, wanted: Wanted, origin: Arc<Origin>) -> Result<(), Unmoved>;
}

/// Which step an operator means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The one that waits in this stream,
    pub stream: Uuid,
    /// but only if it has this key; any if `None`.
    pub key: Option<Uuid>,
}

/// A step that waits for a retry or a time.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingStep {
    /// The stream it waits in.
    pub id: Uuid,
    /// Its key: what waits there next has another.
    pub key: Uuid,
    /// The name of the call, or of the command that a deadline gives; empty where the state cannot be read.
    pub name: String,
    /// When it is time, if it is a deadline.
    pub deadline: Option<Timestamp>,
    /// When it became due, or was set.
    pub since: Timestamp,
    /// When it is taken up next.
    pub next: Timestamp,
    /// Whether a run is at it now.
    pub running: bool,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// What went wrong last; empty if nothing did.
    pub error: String,
    /// On whose behalf.
    pub origin: Arc<Origin>,
}

/// Why a step is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmoved {
    /// Nothing waits there, or it was done meanwhile.
    NothingWaits,
    /// It waits for this time, and for nothing else.
    Deadline(Timestamp),
    /// A run is at it.
    Running,
    /// It has to be tried until it is answered.
    Vital(String),
    /// The rules, or the work, stopped it; says why.
    Failed(String),
    /// The store failed.
    Store(StoreError),
}

// === impl Handler ===

#[async_trait]
impl<A: Aggregate> Steps for Handler<A> {
    fn aggregate(&self) -> &'static str {
        A::NAME
    }

    async fn pending(&self, sought: &Sought) -> Result<Vec<PendingStep>, StoreError> {
        let mut steps = Vec::new();
        let mut after = sought.after;
        loop {
            let limit = sought.limit - steps.len();
            let found = self.0.ports.agenda.pending(&Sought { after, limit, ..*sought }).await?;
            let last = found.last().map(|pending| pending.id.uuid()).filter(|_| found.len() == limit);
            for pending in found {
                steps.extend(self.described(pending).await?);
            }
            // What was done meanwhile makes room for more.
            if last.is_none() || steps.len() >= sought.limit {
                return Ok(steps);
            }
            after = last;
        }
    }

    async fn retry(&self, wanted: Wanted) -> Result<Option<PendingStep>, Unmoved> {
        let id = Id::new(wanted.stream);
        let loaded = self.sought(wanted).await?;
        match loaded.standing.state.due() {
            None => return Err(Unmoved::NothingWaits),
            Some(Due::Deadline { at, .. }) if at > self.now() => return Err(Unmoved::Deadline(at)),
            Some(Due::Deadline { .. } | Due::Call(_)) => {}
        }
        let task = self.seize(id, loaded.since).await?;
        let (done, outcome) = oneshot::channel();
        let this = self.clone();
        self.0.ports.tasks.spawn(Box::pin(async move {
            this.catch_up(task).await;
            // Whoever asked may have gone.
            let _ = done.send(());
        }));
        outcome.await.map_err(|_| Unmoved::Failed("the attempt was cut off; it is made again".into()))?;
        let sought = Sought { only: Some(id.uuid()), limit: 1, ..Sought::default() };
        Ok(self.pending(&sought).await?.pop())
    }

    async fn abandon(&self, wanted: Wanted, origin: Arc<Origin>) -> Result<(), Unmoved> {
        let id = Id::<A>::new(wanted.stream);
        let loaded = self.sought(wanted).await?;
        let (step, command) = match loaded.standing.state.due() {
            None => return Err(Unmoved::NothingWaits),
            Some(Due::Deadline { at, .. }) => return Err(Unmoved::Deadline(at)),
            Some(Due::Call(step)) => {
                // An earlier run may have carried it out.
                let unanswered = Unanswered::unknown(format!("abandoned by {}", origin.actor));
                let command = loaded.standing.state.give_up(&step, &unanswered);
                (name_of(&step), command)
            }
        };
        let command = command.ok_or(Unmoved::Vital(step))?;
        let task = self.seize(id, loaded.since).await?;
        self.end(task, command, origin, loaded).await
    }
}

impl<A: Aggregate> Handler<A> {
    /// The stream in which the wanted step waits.
    async fn sought(&self, wanted: Wanted) -> Result<Loaded<A>, Unmoved> {
        let id = Id::new(wanted.stream);
        let loaded = self.0.ports.journal.load(id, &[]).await?;
        let key = StepKey::new(id, loaded.since).uuid();
        if wanted.key.is_none_or(|wanted| wanted == key) { Ok(loaded) } else { Err(Unmoved::NothingWaits) }
    }

    /// `None` if it was done meanwhile.
    async fn described(&self, pending: Pending<A>) -> Result<Option<PendingStep>, StoreError> {
        match self.0.ports.journal.load(pending.id, &[]).await {
            Ok(loaded) => {
                let due = loaded.standing.state.due().filter(|_| loaded.since == pending.since);
                Ok(due.map(|due| pending.described(&due)))
            }
            // One that cannot be read must not hide the others.
            Err(StoreError::Unreadable(why)) => Ok(Some(pending.unreadable(why))),
            Err(error) => Err(error),
        }
    }

    async fn seize(&self, id: Id<A>, since: u64) -> Result<Task<A>, Unmoved> {
        let seized = self.0.ports.agenda.seize(id, since, self.0.settings.lease).await?;
        seized.ok_or(Unmoved::Running)
    }

    /// Success and giving up share their cause: should an earlier run be answered after all, the first one stands.
    async fn end(
        &self,
        task: Task<A>,
        command: A::Command,
        origin: Arc<Origin>,
        loaded: Loaded<A>,
    ) -> Result<(), Unmoved> {
        let key = StepKey::new(task.id, task.since);
        let request = outcome(command, key, &origin, Some(Outage::Unknown), loaded);
        match self.decide(task.id, request).await {
            Ok(Word::Decided { loaded, owns_step: true }) => {
                self.perform_behind(task.id, loaded, origin);
                Ok(())
            }
            Ok(Word::Decided { owns_step: false, .. }) => Ok(()),
            // It was done, or given up, a moment before.
            Ok(Word::Repeated(_)) => Err(Unmoved::NothingWaits),
            Err(failure) => Err(Unmoved::Failed(failure.to_string())),
        }
    }
}

// === impl Pending ===

impl<A: Aggregate> Pending<A> {
    fn described(self, due: &Due<A>) -> PendingStep {
        let (name, deadline) = match due {
            Due::Call(step) => (name_of(step), None),
            Due::Deadline { at, command } => (name_of(command), Some(*at)),
        };
        self.step(name, deadline)
    }

    fn unreadable(self, why: String) -> PendingStep {
        PendingStep { error: why, ..self.step(String::new(), None) }
    }

    fn step(self, name: String, deadline: Option<Timestamp>) -> PendingStep {
        PendingStep {
            id: self.id.uuid(),
            key: StepKey::new(self.id, self.since).uuid(),
            name,
            deadline,
            since: self.became_due,
            next: self.wake,
            running: self.running,
            attempts: self.attempts,
            error: self.error,
            origin: self.origin,
        }
    }
}

/// The name of a variant or type, without what it holds: that may be personal.
fn name_of(value: &impl fmt::Debug) -> String {
    let shown = format!("{value:?}");
    shown.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

// === impl Wanted ===

impl From<Uuid> for Wanted {
    /// Whichever waits in this stream.
    fn from(stream: Uuid) -> Self {
        Self { stream, key: None }
    }
}

// === impl Unmoved ===

impl From<StoreError> for Unmoved {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for Unmoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingWaits => f.write_str("nothing waits there; it may have been done meanwhile"),
            Self::Deadline(_) => f.write_str("it waits for a time and for nothing else: there is no call to make"),
            Self::Running => f.write_str("a run is at it just now; look again in a few seconds"),
            Self::Vital(step) => {
                write!(
                    f,
                    "{step} must not be abandoned: what it is about may have happened, so it is tried until answered"
                )
            }
            Self::Failed(why) => f.write_str(why),
            Self::Store(error) => fmt::Display::fmt(error, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_nothing_of_what_is_held() {
        #[derive(Debug)]
        #[allow(dead_code, reason = "it is printed")]
        enum Step {
            Send(&'static str),
            Ask { whom: &'static str },
            Undo,
        }
        let names = [name_of(&Step::Send("010")), name_of(&Step::Ask { whom: "mina" }), name_of(&Step::Undo)];
        assert_eq!(names, ["Send", "Ask", "Undo"]);
    }
}
