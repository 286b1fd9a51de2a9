//! Replicas of a context that counts, and what they append.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::{Append, AppendError, Claimed, Clock, Journal, Recorded, StoreError, Wake};
use highstreet_domain::kernel::{Aggregate, Cause, Claim, ClaimKey, Fingerprint, Id, Origin, Standing, Timestamp};
use highstreet_foundation::SystemClock;
use highstreet_postgres::{PostgresAgenda, PostgresJournal, PostgresOutbox, PostgresSettings, PostgresViews, Store};
use highstreet_testkit::counter::{self, Counter, Event, Tally};
use highstreet_testkit::servers::PostgresServer;
use uuid::Uuid;

/// One process of a context, as far as its store is concerned.
#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) store: Arc<Store>,
    pub(crate) journal: Arc<PostgresJournal<Counter>>,
}

/// What came of adding numbers, each of which is added once in a test.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) done: Vec<(Id<Counter>, i64)>,
    pub(crate) unsure: Vec<(Id<Counter>, i64)>,
}

/// Somebody else's session, which holds a stream's row until it goes.
pub(crate) struct Stranger {
    client: tokio_postgres::Client,
}

pub(crate) fn id(number: u128) -> Id<Counter> {
    Id::new(Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()))
}

pub(crate) fn claim(number: u128) -> Claim {
    let key = ClaimKey::new("mina", "Test", Uuid::from_u128(number));
    Claim { key, fingerprint: Fingerprint::of(&number.to_be_bytes()) }
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// An append of `events` behind `standing`.
pub(crate) fn append(id: Id<Counter>, standing: &Standing<Counter>, events: &[Event]) -> Append<Counter> {
    let origin = Arc::new(Origin { actor: "mina".into(), ..Origin::default() });
    let mut next = standing.clone();
    let mut recorded = Vec::new();
    for event in events {
        next.state = next.state.evolve(event);
        next.revision += 1;
        let cause = Some(Cause::unique(Uuid::new_v5(&id.uuid(), &next.revision.to_be_bytes())));
        recorded.push(Recorded { event: event.clone(), state: next.state.clone(), cause, origin: origin.clone() });
    }
    Append {
        id,
        after: standing.revision,
        era: 0,
        events: recorded,
        index: next.state.index(),
        standing: next,
        wake: Wake::Keep,
        origin,
        claims: vec![],
        release: false,
        entries: vec![],
    }
}

/// The first append of a stream.
pub(crate) fn first(id: Id<Counter>, number: i64) -> Append<Counter> {
    let nothing = Standing {
        state: Counter::default(),
        revision: 0,
        created: Timestamp::default(),
        updated: Timestamp::default(),
    };
    append(id, &nothing, &[Event::Added(number)])
}

// === impl Replica ===

impl Replica {
    pub(crate) async fn open(server: &PostgresServer, schema: &str) -> Self {
        Self::with(&PostgresSettings::new(server.url(), schema)).await
    }

    pub(crate) async fn with(settings: &PostgresSettings) -> Self {
        let store = Arc::new(Store::open(settings).await.unwrap_or_else(|error| panic!("{error}")));
        Self { journal: Arc::new(PostgresJournal::new(store.clone(), counter::publish)), store }
    }

    /// One that gives up sooner than in production.
    pub(crate) async fn impatient(server: &PostgresServer, schema: &str, statement_timeout: Duration) -> Self {
        Self::with(&PostgresSettings { statement_timeout, ..PostgresSettings::new(server.url(), schema) }).await
    }

    pub(crate) fn outbox(&self) -> PostgresOutbox {
        PostgresOutbox::new(self.store.clone(), "counting")
    }

    pub(crate) fn agenda(&self) -> PostgresAgenda {
        PostgresAgenda::new(self.store.clone())
    }

    pub(crate) fn views(&self) -> PostgresViews<Tally> {
        PostgresViews::new(self.store.clone())
    }

    pub(crate) async fn append(&self, append: Append<Counter>) -> Result<(), AppendError> {
        self.journal.append(append).await
    }

    /// Adds a number, loading the stream anew as long as others are faster.
    pub(crate) async fn add(&self, id: Id<Counter>, number: i64) -> Result<(), AppendError> {
        loop {
            let standing = self.journal.load(id, &[]).await?.standing;
            match self.append(append(id, &standing, &[Event::Added(number)])).await {
                Err(AppendError::Conflict) => {}
                done => return done,
            }
        }
    }

    pub(crate) async fn claimed(&self, key: ClaimKey) -> Option<Claimed<Counter>> {
        Journal::<Counter>::claimed(&*self.journal, key).await.unwrap()
    }

    /// The numbers added to a stream, in their order; panics if its row says something else than its events do.
    pub(crate) async fn numbers(&self, id: Id<Counter>) -> Vec<i64> {
        let history = self.journal.history(id).await.unwrap();
        let standing = self.journal.load(id, &[]).await.unwrap().standing;
        assert_eq!(standing.revision, history.len() as u64, "as many revisions as events");
        let numbers = history.into_iter().filter_map(|(_, event)| match event {
            Event::Added(number) => Some(number),
            _ => None,
        });
        let numbers: Vec<_> = numbers.collect();
        assert_eq!(standing.state.total, numbers.iter().sum::<i64>(), "the state is what the events say");
        numbers
    }
}

// === impl Answers ===

impl Answers {
    pub(crate) fn hear(&mut self, id: Id<Counter>, number: i64, answer: Result<(), AppendError>) {
        match answer {
            Ok(()) => self.done.push((id, number)),
            Err(AppendError::Store(StoreError::Unavailable(why))) => {
                println!("{why}");
                self.unsure.push((id, number));
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.done.extend(other.done);
        self.unsure.extend(other.unsure);
    }

    /// What was done is there once; what may have been done is there at most once.
    pub(crate) async fn hold(&self, replica: &Replica) {
        let mut found: HashMap<(Id<Counter>, i64), usize> = HashMap::new();
        let streams: std::collections::BTreeSet<_> = self.done.iter().chain(&self.unsure).map(|(id, _)| *id).collect();
        for id in streams {
            for number in replica.numbers(id).await {
                *found.entry((id, number)).or_default() += 1;
            }
        }
        for done in &self.done {
            assert_eq!(found.remove(done), Some(1), "{done:?} was answered Ok");
        }
        for unsure in &self.unsure {
            assert!(found.remove(unsure).unwrap_or(0) <= 1, "{unsure:?} was tried once");
        }
        assert!(found.is_empty(), "nobody added {found:?}");
    }
}

// === impl Stranger ===

impl Stranger {
    pub(crate) async fn lock(server: &PostgresServer, schema: &str, stream: Id<Counter>) -> Self {
        let (client, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let lock = format!("BEGIN; SELECT FROM {schema}.streams WHERE id = '{}' FOR UPDATE", stream.uuid());
        client.batch_execute(&lock).await.unwrap();
        Self { client }
    }

    pub(crate) async fn go(self) {
        self.client.batch_execute("ROLLBACK").await.unwrap();
    }
}
