//! Commits appends of many callers in groups.
//!
//! A group is whatever came while the one before was being committed. Several are under way at once only where a commit
//! takes long: on a fast disk, one large group after the other is faster than several small ones beside each other.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::StreamExt;
use futures_util::stream;
use highstreet_domain::kernel::Cause;
use highstreet_domain::kernel::ports::{AppendError, StoreError};
use highstreet_foundation::encoded::EncodedAppend;
use highstreet_foundation::tally::Tally;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_postgres::error::SqlState;

use crate::append::{self, COMMIT, Committed};
use crate::bells::Bells;
use crate::change::{self, CHANGE, is_change};
use crate::connect::{ended, no_answer, unavailable};
use crate::create::{self, CREATE, is_creation};
use crate::pool::Connections;

/// The most appends in one group: bounds how long the first of them waits for the last.
const MOST_IN_GROUP: usize = 256;
/// How often a group is repeated that clashed with what others committed meanwhile.
const MOST_CLASHES: usize = 16;
/// How long a group whose connection broke waits for another one: what became of it is to be found out.
const PATIENCE: Duration = Duration::from_secs(8);
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// How many of a group that was refused are tried at once, each on its own.
const SIDE_BY_SIDE: usize = 4;

/// A group that takes longer than this does not hold up the next.
const ALONE: Duration = Duration::from_millis(2);

/// The writers of one schema.
pub(crate) struct Writers {
    jobs: UnboundedSender<Job>,
}

struct Job {
    append: EncodedAppend,
    done: oneshot::Sender<Result<(), AppendError>>,
    /// Whether it was sent on a connection that broke, and may have been committed.
    unsure: bool,
}

/// What a writer works with.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) connections: Connections,
    /// The lock that is held, shared, while positions are drawn and committed.
    pub(crate) gate: i64,
    pub(crate) bells: Arc<Bells>,
    pub(crate) tally: Arc<Tally>,
}

/// What a group consists of.
#[derive(Clone, Copy)]
enum Manner {
    /// One change of a stream.
    Change,
    /// New streams.
    Creations,
    /// Anything.
    Any,
}

/// Why a group was not committed.
enum Failed {
    /// Others committed something meanwhile that it clashes with.
    Clash,
    /// There is no connection: nothing was sent.
    Away(StoreError),
    /// The connection broke: it may have been committed.
    Broken(StoreError),
    /// The server says no.
    Refused(StoreError),
}

// === impl Writers ===

impl Writers {
    pub(crate) fn start(writers: usize, writer: &Writer) -> Self {
        let (jobs, waiting) = unbounded_channel();
        tokio::spawn(writer.clone().run(waiting, writers.max(1)));
        Self { jobs }
    }

    /// Commits an append in the next group. Returns once it is durable.
    pub(crate) async fn commit(&self, append: EncodedAppend) -> Result<(), AppendError> {
        let (done, outcome) = oneshot::channel();
        let stopped = || AppendError::Store(StoreError::Unavailable("it is shutting down".into()));
        self.jobs.send(Job { append, done, unsure: false }).map_err(|_| stopped())?;
        outcome.await.unwrap_or_else(|_| Err(stopped()))
    }
}

// === impl Writer ===

impl Writer {
    async fn run(self, mut jobs: UnboundedReceiver<Job>, most: usize) {
        let (mut waiting, mut under_way) = (Vec::new(), JoinSet::new());
        while !waiting.is_empty() || jobs.recv_many(&mut waiting, MOST_IN_GROUP).await > 0 {
            let room = if under_way.len() < most { ALONE } else { Duration::MAX };
            if !under_way.is_empty() {
                // Neither matters which one is done, nor whether one is.
                let _ = timeout(room, under_way.join_next()).await;
            }
            while waiting.len() < MOST_IN_GROUP
                && let Ok(job) = jobs.try_recv()
            {
                waiting.push(job);
            }
            let (group, later) = one_of_each_stream(std::mem::take(&mut waiting));
            waiting = later;
            let writer = self.clone();
            under_way.spawn(async move { writer.commit(group).await });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn commit(&self, mut group: Vec<Job>) {
        let (mut clashes, mut until) = (0, None);
        loop {
            // What clashed is judged, one by one.
            let manner = if clashes == 0 { Manner::of(&group) } else { Manner::Any };
            match self.try_commit(&group, manner).await {
                Ok(committed) => return self.answer(group, committed).await,
                Err(Failed::Clash) if clashes < MOST_CLASHES => clashes += 1,
                Err(Failed::Clash | Failed::Refused(_)) if group.len() > 1 => return self.each_for_itself(group).await,
                Err(Failed::Clash) => {
                    return self
                        .answer(group, Committed { refused: vec![(0, AppendError::Conflict)], ..Committed::default() })
                        .await;
                }
                Err(Failed::Refused(error)) => return self.fail(group, &error),
                Err(Failed::Away(error)) if group.iter().all(|job| !job.unsure) => return self.fail(group, &error),
                Err(Failed::Away(error) | Failed::Broken(error)) => {
                    // What may have been committed is found out on the next connection.
                    for job in &mut group {
                        job.unsure = true;
                    }
                    if Instant::now() > *until.get_or_insert_with(|| Instant::now() + PATIENCE) {
                        return self.fail(group, &error);
                    }
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    async fn try_commit(&self, group: &[Job], manner: Manner) -> Result<Committed, Failed> {
        let (connection, statement) = self.connections.prepared(manner.statement()).await.map_err(Failed::Away)?;
        let appends: Vec<_> = group.iter().map(|job| &job.append).collect();
        let commit = async {
            match (manner, &*appends) {
                (Manner::Change, [append]) => change::commit(&connection, &statement, self.gate, append).await,
                (Manner::Creations, _) => create::commit(&connection, &statement, self.gate, &appends).await,
                _ => append::commit(&connection, &statement, self.gate, &appends).await,
            }
        };
        let failed = match timeout(self.connections.patience, commit).await {
            Ok(Ok(committed)) => return Ok(committed),
            Ok(Err(error)) => Failed::of(&error),
            Err(_) => Failed::Broken(no_answer()),
        };
        if let Failed::Broken(_) = failed {
            // What is on its way on this connection must not meet others.
            drop(Object::take(connection));
        }
        Err(failed)
    }

    async fn answer(&self, group: Vec<Job>, Committed { refused, positions }: Committed) {
        if refused.len() < group.len() {
            let is_refused = |place: usize| refused.iter().any(|(refused, _)| *refused == place);
            let done = group.iter().enumerate().filter(|(place, _)| !is_refused(*place)).map(|(_, job)| &job.append);
            self.bells.appended(done, &positions);
        }
        let mut outcomes: Vec<Result<(), AppendError>> = group.iter().map(|_| Ok(())).collect();
        for (place, error) in refused {
            outcomes[place] = if group[place].unsure {
                match self.is_committed(&group[place].append).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(error),
                    Err(unknown) => Err(AppendError::Store(unknown)),
                }
            } else {
                Err(error)
            };
        }
        for (job, outcome) in group.into_iter().zip(outcomes) {
            if outcome.is_ok() {
                self.tally.count(&job.append);
            }
            // Whoever waited may have gone.
            let _ = job.done.send(outcome);
        }
    }

    /// Whether an append that is refused now is what it is refused for: it was committed before its connection broke.
    async fn is_committed(&self, append: &EncodedAppend) -> Result<bool, StoreError> {
        // Nobody was told of it then.
        self.bells.perhaps_appended([append].into_iter());
        let found = match (append.events.first(), append.claims.first()) {
            (Some(event), _) => {
                let same = "SELECT 1 FROM events WHERE stream = (SELECT stream FROM streams WHERE id = $1) \
                            AND revision = $2 AND cause IS NOT DISTINCT FROM $3 AND data = $4 AND origin = $5";
                let data = String::from_utf8_lossy(&event.data);
                let event = (&event.revision, &event.cause.map(Cause::uuid), &data, &event.origin);
                self.connections.query(same, &[&append.id, event.0, event.1, event.2, event.3]).await
            }
            (None, Some(claim)) => {
                let same = "SELECT 1 FROM claims JOIN streams USING (stream) WHERE key = $1 AND id = $2";
                self.connections.query(same, &[&claim.key, &append.id]).await
            }
            (None, None) => {
                let let_go = "SELECT 1 WHERE NOT EXISTS (SELECT FROM streams JOIN claims ON claims.key = claim \
                              AND claims.stream = streams.stream WHERE id = $1)";
                self.connections.query(let_go, &[&append.id]).await
            }
        };
        Ok(!found?.is_empty())
    }

    /// One of them spoilt it for all, or the server cannot do any: each on its own, so that only the culprit fails.
    fn each_for_itself(&self, group: Vec<Job>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let each = stream::iter(group).for_each_concurrent(SIDE_BY_SIDE, |job| self.commit(vec![job]));
        Box::pin(each)
    }

    fn fail(&self, group: Vec<Job>, error: &StoreError) {
        if group.iter().any(|job| job.unsure) {
            self.bells.perhaps_appended(group.iter().map(|job| &job.append));
        }
        for job in group {
            let _ = job.done.send(Err(AppendError::Store(error.clone())));
        }
    }
}

/// A group in which no stream is changed twice, and what is left for the next: the second would not see the first.
fn one_of_each_stream(waiting: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
    let mut streams = std::collections::HashSet::new();
    waiting.into_iter().partition(|job| streams.insert(job.append.id))
}

// === impl Manner ===

impl Manner {
    fn of(group: &[Job]) -> Self {
        match group {
            [job] if is_change(&job.append) => Self::Change,
            group if group.iter().all(|job| is_creation(&job.append)) => Self::Creations,
            _ => Self::Any,
        }
    }

    fn statement(self) -> &'static str {
        match self {
            Self::Change => CHANGE,
            Self::Creations => CREATE,
            Self::Any => COMMIT,
        }
    }
}

// === impl Failed ===

impl Failed {
    fn of(error: &tokio_postgres::Error) -> Self {
        match error.code() {
            // Whoever ends a session may have committed before saying so.
            _ if ended(error) => Self::Broken(unavailable(error)),
            Some(
                &(SqlState::UNIQUE_VIOLATION | SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE),
            ) => Self::Clash,
            Some(_) => Self::Refused(unavailable(error)),
            None => Self::Broken(unavailable(error)),
        }
    }
}
