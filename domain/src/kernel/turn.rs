//! One turn of a stream's queue: decides every request that waits, each on the state the one before left.
//!
//! Pure, so that the rules of causes, claims and steps can be tested without a store.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::ports::{Append, Loaded, Recorded, Wake};
use super::{Aggregate, Due, Failure, Id, Release, Request, Standing, Timestamp};

/// What one request came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word<A: Aggregate> {
    /// It changed the stream, or found nothing to change.
    Decided {
        /// Where that left the stream, to go on from.
        loaded: Loaded<A>,
        /// Whether this request made due what is due now, and so is the one to perform it.
        owns_step: bool,
    },
    /// It was answered before; the stream is now as `Loaded` says.
    Repeated(Loaded<A>),
}

pub(super) type Answer<A> = Result<Word<A>, Failure<<A as Aggregate>::Rejection>>;

/// Decides `requests` in order. The append is `None` where there is nothing to commit.
pub(super) fn turn<A: Aggregate>(
    id: Id<A>,
    loaded: &Loaded<A>,
    requests: &[&Request<A>],
    now: Timestamp,
    lease: Duration,
) -> (Vec<Answer<A>>, Option<Append<A>>) {
    let mut turn = Turn::begin(loaded);
    let answers = requests.iter().enumerate().map(|(at, request)| turn.take(at, request, now)).collect();
    (answers, turn.finish(id, requests, now, lease))
}

struct Turn<'a, A: Aggregate> {
    before: &'a Loaded<A>,
    due: Option<Due<A>>,
    standing: Standing<A>,
    since: u64,
    events: Vec<Recorded<A>>,
    claims: Vec<(super::Claim, u64)>,
    release: bool,
    entries: Vec<(String, A::Entry)>,
    last: Option<usize>,
}

impl<'a, A: Aggregate> Turn<'a, A> {
    fn begin(before: &'a Loaded<A>) -> Self {
        Self {
            before,
            due: before.standing.state.due(),
            standing: before.standing.clone(),
            since: before.since,
            events: Vec::new(),
            claims: Vec::new(),
            release: false,
            entries: Vec::new(),
            last: None,
        }
    }

    fn take(&mut self, at: usize, request: &Request<A>, now: Timestamp) -> Answer<A> {
        match request.claim {
            // The claim is what makes it happen once: let go of, it may happen again under the same cause.
            Some(claim) if self.claims.iter().any(|(taken, _)| taken.key == claim.key) => {
                return Err(Failure::RequestIdReused);
            }
            None if self.answered(at, request) => return Ok(Word::Repeated(self.loaded())),
            _ => {}
        }
        // Most requests come from within, and an index is not made for nothing.
        let beyond = || self.standing.state.index().is_some_and(|index| !request.scope.admits(&index));
        if !request.scope.is_everything() && beyond() {
            return Err(Failure::BeyondScope);
        }
        if let Some(expected) = request.expected_revision.filter(|expected| *expected != self.standing.revision) {
            return Err(Failure::RevisionMismatch { expected, actual: self.standing.revision });
        }
        let key = A::entry_key(&request.command);
        let state = self.opened(at, key.as_deref());
        let events = state.decide(&request.command, now).map_err(Failure::Rejected)?;
        Ok(self.record(at, request, key, state, events, now))
    }

    fn answered(&self, at: usize, request: &Request<A>) -> bool {
        let before = self.before.answers.get(at).copied().flatten().is_some();
        before || self.events.iter().any(|recorded| recorded.cause == Some(request.cause))
    }

    /// The state with the entry that the request is about opened beside it.
    fn opened(&self, at: usize, key: Option<&str>) -> A {
        let state = self.standing.state.clone();
        let Some(key) = key else { return state };
        let written = self.entries.iter().rev().find(|(written, _)| written == key);
        let entry = match written {
            Some((_, entry)) => Some(entry.clone()),
            None => self.before.entries.get(at).cloned().flatten(),
        };
        state.open(key, entry)
    }

    fn record(
        &mut self,
        at: usize,
        request: &Request<A>,
        key: Option<String>,
        mut state: A,
        events: Vec<A::Event>,
        now: Timestamp,
    ) -> Word<A> {
        let changed = !events.is_empty();
        for (index, event) in events.into_iter().enumerate() {
            state = state.evolve(&event);
            self.events.push(Recorded {
                event,
                state: state.clone(),
                cause: (index == 0).then_some(request.cause),
                origin: request.origin.clone(),
            });
            self.standing.revision += 1;
        }
        if changed {
            self.last = Some(at);
            if let (Some(key), Some(entry)) = (key, state.entry()) {
                self.entries.retain(|(written, _)| *written != key);
                self.entries.push((key, entry.clone()));
            }
            if self.before.standing.revision == 0 && self.standing.created == Timestamp::default() {
                self.standing.created = now;
            }
            self.standing.updated = now;
        }
        self.standing.state = state;
        let due = self.standing.state.due();
        let new_step = changed && due != self.due;
        if new_step {
            self.since = self.standing.revision;
            self.due = due;
        }
        if let Some(claim) = request.claim {
            self.claims.push((claim, self.standing.revision));
        }
        self.release |= request.release == Release::Claim || (changed && self.standing.state.refusal().is_some());
        Word::Decided { loaded: self.loaded(), owns_step: new_step }
    }

    fn loaded(&self) -> Loaded<A> {
        let attempts = if self.since == self.before.since { self.before.attempts } else { 0 };
        Loaded {
            standing: self.standing.clone(),
            era: self.before.era,
            since: self.since,
            attempts,
            answers: Vec::new(),
            entries: Vec::new(),
        }
    }

    fn finish(self, id: Id<A>, requests: &[&Request<A>], now: Timestamp, lease: Duration) -> Option<Append<A>> {
        if self.events.is_empty() && self.claims.is_empty() && !self.release {
            return None;
        }
        let wake = match &self.due {
            _ if self.since == self.before.since => Wake::Keep,
            None => Wake::Nothing,
            Some(Due::Call(_)) => Wake::Leased { until: now.after(lease), since: self.since },
            Some(Due::Deadline { at, .. }) => Wake::At { at: *at, since: self.since },
        };
        let origin = requests[self.last.unwrap_or(0)].origin.clone();
        Some(Append {
            id,
            after: self.before.standing.revision,
            era: self.before.era,
            index: self.standing.state.index(),
            events: self.events,
            standing: self.standing,
            wake,
            origin,
            claims: self.claims,
            release: self.release,
            entries: self.entries,
        })
    }
}
