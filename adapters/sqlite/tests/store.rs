//! What SQLite promises beyond the ports: durability, versions, and that one bad job spoils nothing for others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::{Agenda, Append, Clock, Journal, Recorded, Wake};
use highstreet_domain::kernel::{Aggregate, Cause, Id, Origin, Standing};
use highstreet_foundation::SystemClock;
use highstreet_sqlite::{OpenError, SqliteAgenda, SqliteJournal, Store};
use highstreet_testkit::counter::{self, Counter, Event};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

const ONE: u128 = 1;

fn journal(folder: &TempDir) -> SqliteJournal<Counter> {
    let store = Store::open_context(&folder.path().join("counting.db")).unwrap();
    SqliteJournal::new(Arc::new(store), counter::publish)
}

/// An append of one event to a new stream.
fn first(id: u128, event: Event, wake: Wake) -> Append<Counter> {
    let now = SystemClock.now();
    let origin = Arc::new(Origin::default());
    let state = Counter::default().evolve(&event);
    let cause = Some(Cause::unique(Uuid::from_u128(id + 1000)));
    Append {
        id: Id::new(Uuid::from_u128(id)),
        after: 0,
        era: 0,
        index: state.index(),
        events: vec![Recorded { event, state: state.clone(), cause, origin: origin.clone() }],
        standing: Standing { state, revision: 1, created: now, updated: now },
        wake,
        origin,
        claims: vec![],
        release: false,
        entries: vec![],
    }
}

#[tokio::test]
async fn what_was_appended_is_there_after_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    journal(&folder).append(first(ONE, Event::Added(1), Wake::Nothing)).await.unwrap();
    let loaded = journal(&folder).load(Id::new(Uuid::from_u128(ONE)), &[]).await.unwrap();
    assert_eq!(loaded.standing.revision, 1);
}

/// A state that another version wrote is folded from its events, not misread.
#[tokio::test]
async fn a_state_of_another_version_is_folded_again() {
    let folder = tempfile::tempdir().unwrap();
    journal(&folder).append(first(ONE, Event::Added(1), Wake::Nothing)).await.unwrap();
    let expected = journal(&folder).load(Id::new(Uuid::from_u128(ONE)), &[]).await.unwrap();
    let file = Connection::open(folder.path().join("counting.db")).unwrap();
    file.execute("UPDATE streams SET version = version + 1, state = x'00'", []).unwrap();
    let loaded = journal(&folder).load(Id::new(Uuid::from_u128(ONE)), &[]).await.unwrap();
    assert_eq!(loaded.standing, expected.standing);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counting.db");
    drop(Store::open_context(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open_context(&path), Err(OpenError::Newer { found: 99, .. })));
}

/// The process that held a lease is gone: what it was at is taken up at once.
#[tokio::test]
async fn leases_end_with_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let until = SystemClock.now().after(Duration::from_hours(1));
    journal(&folder).append(first(ONE, Event::Added(1), Wake::Leased { until, since: 1 })).await.unwrap();
    let store = Arc::new(Store::open_context(&folder.path().join("counting.db")).unwrap());
    let agenda: Arc<dyn Agenda<Counter>> = Arc::new(SqliteAgenda::new(store));
    let taken = tokio::time::timeout(Duration::from_secs(10), agenda.take(8, Duration::from_secs(15))).await;
    assert_eq!(taken.unwrap().unwrap().len(), 1);
}

/// One job of a group fails: the others are committed all the same.
#[tokio::test(flavor = "multi_thread")]
async fn one_bad_job_spoils_nothing_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(journal(&folder));
    let file = Connection::open(folder.path().join("counting.db")).unwrap();
    file.execute_batch(
        "CREATE TRIGGER poison BEFORE INSERT ON events 
         WHEN (SELECT id FROM streams WHERE stream = NEW.stream) = x'00000000000000000000000000000007'
         BEGIN SELECT RAISE(ABORT, 'poisoned'); END",
    )
    .unwrap();
    let mut appends = tokio::task::JoinSet::new();
    for id in 1..=64 {
        let journal = journal.clone();
        appends.spawn(async move { journal.append(first(id, Event::Added(1), Wake::Nothing)).await });
    }
    let done = appends.join_all().await;
    assert_eq!(done.iter().filter(|done| done.is_err()).count(), 1);
}
