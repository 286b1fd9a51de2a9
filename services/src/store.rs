//! A context's store, whatever the product.

use std::sync::Arc;

use highstreet_domain::kernel::ports::{
    Agenda, Bus, Feed, Forgets, Journal, Listing, Outbox, Renewal, StoreError, Views,
};
use highstreet_domain::kernel::{Aggregate, Publish, View};
use highstreet_foundation::Backlog;
use highstreet_postgres::{PostgresAgenda, PostgresJournal, PostgresOutbox, PostgresViews};
use highstreet_sqlite::{SqliteAgenda, SqliteJournal, SqliteOutbox, SqliteViews};

/// Where one context keeps what it knows. Cheap to clone; clones are the same store.
#[derive(Clone)]
pub(crate) enum ContextStore {
    /// A file.
    Sqlite(Arc<highstreet_sqlite::Store>),
    /// A schema.
    Postgres(Arc<highstreet_postgres::Store>),
}

/// The ports of one kind of aggregate.
pub(crate) struct Streams<A: Aggregate> {
    pub(crate) journal: Arc<dyn Journal<A>>,
    pub(crate) listing: Arc<dyn Listing<A>>,
    pub(crate) feed: Arc<dyn Feed<A>>,
    pub(crate) agenda: Arc<dyn Agenda<A>>,
}

/// The rows of one view.
pub(crate) struct Rows<V: View> {
    pub(crate) views: Arc<dyn Views<V>>,
    pub(crate) renewal: Arc<dyn Renewal<V>>,
    /// The rows for one projector.
    pub(crate) projected: Box<dyn Fn() -> Arc<dyn Views<V>>>,
}

// === impl ContextStore ===

impl ContextStore {
    /// The streams of `A`, whose events are published as `publish` says.
    pub(crate) fn streams<A: Aggregate>(&self, publish: Publish<A>) -> Streams<A> {
        match self {
            Self::Sqlite(store) => {
                let journal = Arc::new(SqliteJournal::new(store.clone(), publish));
                let agenda = Arc::new(SqliteAgenda::new(store.clone()));
                Streams { journal: journal.clone(), listing: journal.clone(), feed: journal, agenda }
            }
            Self::Postgres(store) => {
                let journal = Arc::new(PostgresJournal::new(store.clone(), publish));
                let agenda = Arc::new(PostgresAgenda::new(store.clone()));
                Streams { journal: journal.clone(), listing: journal.clone(), feed: journal, agenda }
            }
        }
    }

    /// What the context called `source` has committed and not yet published on `bus`.
    pub(crate) fn outbox(&self, source: &str, bus: &Arc<dyn Bus>) -> Result<Arc<dyn Outbox>, StoreError> {
        Ok(match self {
            Self::Sqlite(store) => Arc::new(SqliteOutbox::new(store.clone(), source, bus.clone())?),
            Self::Postgres(store) => Arc::new(PostgresOutbox::new(store.clone(), source)),
        })
    }

    /// The rows of `V`.
    pub(crate) fn rows<V: View>(&self) -> Rows<V> {
        match self {
            Self::Sqlite(store) => {
                let views = Arc::new(SqliteViews::new(store.clone()));
                let projected = views.clone();
                Rows { views: views.clone(), renewal: views, projected: Box::new(move || projected.clone()) }
            }
            Self::Postgres(store) => {
                let views = Arc::new(PostgresViews::new(store.clone()));
                let projected = views.clone();
                // Each flushes what went through its own.
                let projected = Box::new(move || -> Arc<dyn Views<V>> { Arc::new(projected.for_another()) });
                Rows { views: views.clone(), renewal: views, projected }
            }
        }
    }

    /// How much of the context's work waits.
    pub(crate) async fn backlog(&self) -> Result<Backlog, StoreError> {
        match self {
            Self::Sqlite(store) => store.backlog(),
            Self::Postgres(store) => store.backlog().await,
        }
    }

    /// What forgets people in it.
    pub(crate) fn forgets(&self) -> Arc<dyn Forgets> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
        }
    }

    /// Whether it answers.
    pub(crate) async fn reachable(&self) -> Result<(), StoreError> {
        match self {
            // A file is there as long as this process is.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(store) => store.reachable().await,
        }
    }
}
