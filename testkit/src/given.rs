//! `given(events).when(command).then(events)`: one rule, told as a story.

use highstreet_domain::kernel::{Aggregate, Due, Timestamp};

/// An aggregate to which `events` have happened.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let state = events.into_iter().fold(A::default(), |state, event| state.evolve(&event));
    Given { state, now: Timestamp::default() }
}

/// An aggregate with a past.
#[derive(Clone, Debug)]
pub struct Given<A> {
    state: A,
    now: Timestamp,
}

/// An aggregate that was asked to do something.
#[derive(Debug)]
pub struct When<A: Aggregate> {
    before: A,
    command: A::Command,
    decided: Result<Vec<A::Event>, A::Rejection>,
}

// === impl Given ===

impl<A: Aggregate> Given<A> {
    /// At this time.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// With this entry kept under `key`.
    #[must_use]
    pub fn with_entry(mut self, key: &str, entry: Option<A::Entry>) -> Self {
        self.state = self.state.open(key, entry);
        self
    }

    /// Asks it to do something.
    pub fn when(self, command: A::Command) -> When<A> {
        let decided = self.state.decide(&command, self.now);
        When { before: self.state, command, decided }
    }

    /// It waits for nothing.
    #[track_caller]
    pub fn waits_for_nothing(self) {
        assert_eq!(self.state.due(), None);
    }

    /// It has to make this call.
    #[track_caller]
    pub fn calls(self, step: A::Step) {
        assert_eq!(self.state.due(), Some(Due::Call(step)));
    }

    /// It waits for this time, to do this.
    #[track_caller]
    pub fn waits_until(self, at: Timestamp, command: A::Command) {
        assert_eq!(self.state.due(), Some(Due::Deadline { at, command }));
    }

    /// Its state.
    pub fn state(self) -> A {
        self.state
    }
}

// === impl When ===

impl<A: Aggregate> When<A> {
    /// Exactly these events follow. Returns the story so far, to go on from.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let events: Vec<A::Event> = events.into_iter().collect();
        assert_eq!(self.decided, Ok(events.clone()), "{:?} in {:?}", self.command, self.before);
        let state = events.iter().fold(self.before, A::evolve);
        Given { state, now: Timestamp::default() }
    }

    /// Nothing happens, and that is no error.
    #[track_caller]
    pub fn then_nothing(self) -> Given<A> {
        self.then([])
    }

    /// It is refused, and why.
    #[track_caller]
    pub fn then_refused(self, rejection: A::Rejection) {
        assert_eq!(self.decided, Err(rejection), "{:?} in {:?}", self.command, self.before);
    }
}
