//! Appends, written by hand: the contracts know no handler.

use std::sync::Arc;

use highstreet_domain::kernel::ports::{Append, AppendError, Journal, Loaded, Recorded, StoreError, Wake};
use highstreet_domain::kernel::{Aggregate, Cause, Claim, ClaimKey, Fingerprint, Id, Origin, Standing, Timestamp};
use uuid::Uuid;

use crate::counter::{Counter, Event};

/// A stream as the test knows it, and what it is going to append.
#[derive(Clone)]
pub(super) struct Writing {
    pub(super) id: Id<Counter>,
    pub(super) standing: Standing<Counter>,
    append: Append<Counter>,
}

/// The nth id of the contract; later ones sort after earlier ones.
pub(super) fn id(number: u128) -> Id<Counter> {
    Id::new(Uuid::from_u128((7 << 76) | (0b10 << 62) | number))
}

/// One that may come again.
pub(super) fn cause(number: u128) -> Cause {
    Cause::of_message(Uuid::from_u128(number), 0)
}

pub(super) fn claim(number: u128) -> Claim {
    let key = ClaimKey::new("mina", "Contract", Uuid::from_u128(number));
    Claim { key, fingerprint: Fingerprint::of(&number.to_be_bytes()) }
}

pub(super) fn store_works<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("the store failed: {error}"))
}

// === impl Writing ===

impl Writing {
    /// A stream to which nothing has happened.
    pub(super) fn new(id: Id<Counter>) -> Self {
        let beginning = Timestamp::default();
        let standing = Standing { state: Counter::default(), revision: 0, created: beginning, updated: beginning };
        let append = Append {
            id,
            after: 0,
            era: 0,
            events: vec![],
            standing: standing.clone(),
            index: None,
            wake: Wake::Keep,
            origin: Arc::new(Origin::default()),
            claims: vec![],
            release: false,
            entries: vec![],
        };
        Self { id, standing, append }
    }

    /// The same, on another stream.
    pub(super) fn on(mut self, id: Id<Counter>) -> Self {
        self.id = id;
        self.append.id = id;
        self
    }

    /// What happens next.
    pub(super) fn event(mut self, event: Event, cause: Option<Cause>) -> Self {
        self.standing.state = self.standing.state.evolve(&event);
        self.standing.revision += 1;
        let origin = Arc::new(Origin { actor: "mina".into(), ..Origin::default() });
        self.append.origin = origin.clone();
        self.append.events.push(Recorded { event, state: self.standing.state.clone(), cause, origin });
        self
    }

    pub(super) fn add(self, number: i64) -> Self {
        self.event(Event::Added(number), None)
    }

    pub(super) fn at(mut self, time: Timestamp) -> Self {
        if self.append.after == 0 {
            self.standing.created = time;
        }
        self.standing.updated = time;
        self
    }

    pub(super) fn claim(mut self, claim: Claim) -> Self {
        self.append.claims.push((claim, self.standing.revision));
        self
    }

    pub(super) fn release(mut self) -> Self {
        self.append.release = true;
        self
    }

    pub(super) fn entry(mut self, key: &str, entry: i64) -> Self {
        self.append.entries.push((key.into(), entry));
        self
    }

    pub(super) fn wake(mut self, wake: Wake) -> Self {
        self.append.wake = wake;
        self
    }

    /// A call became due, leased until `until`.
    pub(super) fn leased(self, until: Timestamp) -> Self {
        let since = self.standing.revision;
        self.wake(Wake::Leased { until, since })
    }

    /// A deadline was set.
    pub(super) fn deadline(self, at: Timestamp) -> Self {
        let since = self.standing.revision;
        self.wake(Wake::At { at, since })
    }

    /// Appends; the stream as it is then, to go on from.
    pub(super) async fn append(self, journal: &dyn Journal<Counter>) -> Self {
        let next = Self::after(self.id, self.standing.clone());
        self.try_append(journal).await.unwrap_or_else(|error| panic!("an append failed: {error:?}"));
        next
    }

    pub(super) async fn try_append(self, journal: &dyn Journal<Counter>) -> Result<(), AppendError> {
        let index = self.standing.state.index();
        journal.append(Append { standing: self.standing, index, ..self.append }).await
    }

    /// What happens next to what was loaded.
    pub(super) fn go_on(id: Id<Counter>, loaded: &Loaded<Counter>) -> Self {
        let mut next = Self::after(id, loaded.standing.clone());
        next.append.era = loaded.era;
        next
    }

    fn after(id: Id<Counter>, standing: Standing<Counter>) -> Self {
        let mut next = Self::new(id);
        next.append.after = standing.revision;
        next.standing = standing;
        next
    }
}
