//! Commits appends of many callers in groups: a few writers, each with the streams that fall to it.
//!
//! Sharded by stream, so that no two groups of a process wait for the same row.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use highstreet_domain::kernel::ports::{AppendError, StoreError};
use highstreet_foundation::encoded::EncodedAppend;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;

use crate::append::{self, COMMIT};
use crate::connect::{no_connection, unavailable};
use crate::store::gate;

/// The most appends in one group: bounds how long the first of them waits for the last.
const MOST_IN_GROUP: usize = 256;
/// How often a group is repeated that clashed with what others committed meanwhile.
const MOST_CLASHES: usize = 16;
/// How long a group whose connection broke waits for another one: what became of it is to be found out.
const PATIENCE: Duration = Duration::from_secs(8);
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// The writers of one schema.
pub(crate) struct Writers {
    lanes: Vec<UnboundedSender<Job>>,
}

struct Job {
    append: EncodedAppend,
    done: oneshot::Sender<Result<(), AppendError>>,
    /// Whether it was sent on a connection that broke, and may have been committed.
    unsure: bool,
}

struct Writer {
    pool: Pool,
    gate: i64,
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
    pub(crate) fn start(pool: &Pool, writers: usize, schema: &str) -> Self {
        let lanes = (0..writers.max(1)).map(|_| {
            let (sender, jobs) = unbounded_channel();
            let writer = Writer { pool: pool.clone(), gate: gate(schema) };
            tokio::spawn(writer.run(jobs));
            sender
        });
        Self { lanes: lanes.collect() }
    }

    /// Commits an append in the next group of its writer. Returns once it is durable.
    pub(crate) async fn commit(&self, append: EncodedAppend) -> Result<(), AppendError> {
        let (done, outcome) = oneshot::channel();
        // The last bytes of a UUID are random in version 7 and hashed in version 5.
        let lane = usize::from(append.id.as_bytes()[14]) % self.lanes.len();
        let stopped = || AppendError::Store(StoreError::Unavailable("it is shutting down".into()));
        self.lanes[lane].send(Job { append, done, unsure: false }).map_err(|_| stopped())?;
        outcome.await.unwrap_or_else(|_| Err(stopped()))
    }
}

// === impl Writer ===

impl Writer {
    async fn run(self, mut jobs: UnboundedReceiver<Job>) {
        let mut waiting = Vec::new();
        while !waiting.is_empty() || jobs.recv_many(&mut waiting, MOST_IN_GROUP).await > 0 {
            let (group, later) = one_of_each_stream(std::mem::take(&mut waiting));
            waiting = later;
            self.commit(group).await;
        }
    }

    async fn commit(&self, mut group: Vec<Job>) {
        let (mut clashes, mut until) = (0, None);
        while !group.is_empty() {
            match self.try_commit(&group).await {
                Ok(refused) => return self.answer(group, refused).await,
                Err(Failed::Clash) if clashes < MOST_CLASHES => clashes += 1,
                Err(Failed::Clash) => return fail(group, &AppendError::Conflict),
                Err(Failed::Refused(error)) => return self.each_for_itself(group, error).await,
                Err(Failed::Away(error)) if group.iter().all(|job| !job.unsure) => {
                    return fail(group, &AppendError::Store(error));
                }
                Err(Failed::Away(error) | Failed::Broken(error)) => {
                    // What may have been committed is found out on the next connection.
                    for job in &mut group {
                        job.unsure = true;
                    }
                    if Instant::now() > *until.get_or_insert_with(|| Instant::now() + PATIENCE) {
                        return fail(group, &AppendError::Store(error));
                    }
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    async fn try_commit(&self, group: &[Job]) -> Result<Vec<(usize, AppendError)>, Failed> {
        let connection = self.pool.get().await.map_err(|error| Failed::Away(no_connection(&error)))?;
        let statement = connection.prepare_cached(COMMIT).await.map_err(|error| Failed::Away(unavailable(&error)))?;
        let appends: Vec<_> = group.iter().map(|job| &job.append).collect();
        let committed = append::commit(&connection, &statement, self.gate, &appends).await;
        committed.map_err(|error| {
            let broken = error.is_closed() || error.as_db_error().is_none();
            match error.code() {
                Some(&SqlState::UNIQUE_VIOLATION | &SqlState::T_R_DEADLOCK_DETECTED) => Failed::Clash,
                Some(&SqlState::T_R_SERIALIZATION_FAILURE) => Failed::Clash,
                // The server goes down, and may have committed before it said so.
                Some(code) if code.code().starts_with("57P") => Failed::Broken(unavailable(&error)),
                _ if broken => {
                    // What is on its way on this connection must not meet others.
                    drop(Object::take(connection));
                    Failed::Broken(unavailable(&error))
                }
                _ => Failed::Refused(unavailable(&error)),
            }
        })
    }

    async fn answer(&self, group: Vec<Job>, refused: Vec<(usize, AppendError)>) {
        let mut outcomes: Vec<Result<(), AppendError>> = group.iter().map(|_| Ok(())).collect();
        for (place, error) in refused {
            let committed_before = group[place].unsure && self.is_committed(&group[place].append).await;
            outcomes[place] = if committed_before { Ok(()) } else { Err(error) };
        }
        for (job, outcome) in group.into_iter().zip(outcomes) {
            // Whoever waited may have gone.
            let _ = job.done.send(outcome);
        }
    }

    /// Whether an append that is refused now is what it is refused for: it was committed before its connection broke.
    async fn is_committed(&self, append: &EncodedAppend) -> bool {
        let Ok(connection) = self.pool.get().await else { return false };
        let found = match (append.events.first(), append.claims.first()) {
            (Some(event), _) => {
                let same = "SELECT 1 FROM events JOIN streams USING (stream) \
                            WHERE id = $1 AND events.revision = $2 AND cause = $3 AND data = $4";
                let data = String::from_utf8_lossy(&event.data).into_owned();
                connection.query_opt(same, &[&append.id, &event.revision, &event.cause, &data]).await
            }
            (None, Some(claim)) => {
                let same = "SELECT 1 FROM claims JOIN streams USING (stream) WHERE key = $1 AND id = $2";
                connection.query_opt(same, &[&claim.key, &append.id]).await
            }
            // It only let go of something.
            (None, None) => return true,
        };
        found.is_ok_and(|row| row.is_some())
    }

    /// One of them spoilt it for all, or the server cannot do any: each on its own, so that only the culprit fails.
    async fn each_for_itself(&self, group: Vec<Job>, error: StoreError) {
        if group.len() == 1 {
            return fail(group, &AppendError::Store(error));
        }
        for job in group {
            let group = vec![job];
            match self.try_commit(&group).await {
                Ok(refused) => self.answer(group, refused).await,
                Err(Failed::Clash) => fail(group, &AppendError::Conflict),
                Err(Failed::Away(error) | Failed::Broken(error) | Failed::Refused(error)) => {
                    fail(group, &AppendError::Store(error));
                }
            }
        }
    }
}

/// A group in which no stream is changed twice, and what is left for the next: the second would not see the first.
fn one_of_each_stream(waiting: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
    let mut streams = std::collections::HashSet::new();
    waiting.into_iter().partition(|job| streams.insert(job.append.id))
}

fn fail(group: Vec<Job>, error: &AppendError) {
    for job in group {
        let _ = job.done.send(Err(error.clone()));
    }
}
