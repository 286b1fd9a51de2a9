//! The writer: one thread that commits what is waiting as a group.

use std::sync::mpsc::Receiver;

use highstreet_domain::kernel::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::log::Log;
use crate::store::{stopped, unavailable};
use crate::unflushed::Flushing;

/// The most jobs in one commit: bounds how long the first of them waits for the last.
const MOST_IN_GROUP: usize = 512;

/// How work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With what waits beside it, and it is kept as the file's schema says.
    Kept,
    /// The same, but nobody waits for the disk: a loss of power may take it, with everything behind it.
    Unflushed,
    /// By itself, without a transaction around it.
    Alone,
}

/// A piece of work for the writer.
pub(crate) trait Job: Send {
    /// Does the work inside the group's transaction; may be called again if the group is rolled back.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    /// How it wants to be done.
    fn manner(&self) -> Manner;
    /// Tells whoever waits.
    fn done(self: Box<Self>, committed: Result<(), StoreError>);
}

pub(crate) struct Work<T, F, G> {
    run: F,
    manner: Manner,
    result: Option<T>,
    after: G,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

/// Does what comes, until nobody is left who could hand it over.
pub(crate) fn write_groups(
    connection: &Connection,
    waiting: &Receiver<Box<dyn Job>>,
    mut log: Log,
    mut flushing: Flushing,
) {
    while let Ok(first) = waiting.recv() {
        let (mut group, mut alone) = (Vec::new(), None);
        let mut next = Some(first);
        while let Some(job) = next {
            if job.manner() == Manner::Alone {
                alone = Some(job);
                break;
            }
            group.push(job);
            next = if group.len() < MOST_IN_GROUP { waiting.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            match flushing.suit(connection, &group) {
                Ok(()) => commit(connection, group, &flushing),
                Err(error) => refuse(group, &error),
            }
            log.grown(connection);
        }
        if let Some(mut job) = alone {
            let _rests = log.rests();
            let done = job.run(connection).map_err(|error| unavailable(&error));
            job.done(done);
        }
    }
}

fn commit(connection: &Connection, mut group: Vec<Box<dyn Job>>, flushing: &Flushing) {
    match transact(connection, &mut group, flushing) {
        Ok(()) => group.into_iter().for_each(|job| job.done(Ok(()))),
        // One of them spoilt it for all, or the disk did: each for itself, so that only the culprit fails.
        Err(_) if group.len() > 1 => group.into_iter().for_each(|job| commit(connection, vec![job], flushing)),
        Err(error) => refuse(group, &error),
    }
}

fn refuse(group: Vec<Box<dyn Job>>, error: &rusqlite::Error) {
    for job in group {
        job.done(Err(unavailable(error)));
    }
}

fn transact(connection: &Connection, group: &mut [Box<dyn Job>], flushing: &Flushing) -> rusqlite::Result<()> {
    flushing.mend(connection)?;
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = group.iter_mut().try_for_each(|job| job.run(connection));
    let done = done.and_then(|()| connection.prepare_cached("COMMIT")?.execute([]).map(drop));
    if let Err(error) = &done {
        flushing.note(error);
    }
    if done.is_err() && !connection.is_autocommit() {
        // If this fails too, SQLite has rolled back by itself.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

// === impl Work ===

impl<T, F, G> Work<T, F, G> {
    pub(crate) fn new(manner: Manner, run: F, after: G, answer: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { run, manner, result: None, after, answer }
    }
}

impl<T, F, G> Job for Work<T, F, G>
where
    T: Send,
    F: FnMut(&Connection) -> rusqlite::Result<T> + Send,
    G: FnOnce(&T) + Send,
{
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.result = Some((self.run)(connection)?);
        Ok(())
    }

    fn manner(&self) -> Manner {
        self.manner
    }

    fn done(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { run, result, after, answer, .. } = *self;
        // Before anybody is told, so that what is shared with them is theirs to give back.
        drop(run);
        if let (Ok(()), Some(result)) = (&committed, &result) {
            after(result);
        }
        // Whoever waited may have gone.
        let _ = answer.send(committed.and_then(|()| result.ok_or_else(stopped)));
    }
}
