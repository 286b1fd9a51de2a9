//! Files of earlier versions are taken along.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::path::Path;
use std::sync::Arc;

use highstreet_domain::kernel::ports::{Append, Journal, Lookup, Recorded, Wake};
use highstreet_domain::kernel::{Aggregate, Cause, Id, Origin, Timestamp};
use highstreet_foundation::codec::{encode, encode_origin};
use highstreet_sqlite::{SqliteJournal, Store};
use highstreet_testkit::counter::{self, Counter, Event};
use rusqlite::{Connection, params};
use uuid::Uuid;

const STREAMS: u128 = 3;
const EVENTS: i64 = 5;

fn id(number: u128) -> Id<Counter> {
    Id::new(Uuid::from_u128(number))
}

fn cause(number: u128, revision: i64) -> Cause {
    Cause::of_message(Uuid::from_u128(number), usize::try_from(revision).unwrap())
}

/// What the `revision`-th event of a stream added.
fn added(number: u128, revision: i64) -> Event {
    Event::Added(i64::try_from(number).unwrap() * 10 + revision)
}

/// A file as it was before events were chained: streams whose events lie among each other.
fn write_unchained(file: &Path) {
    let file = Connection::open(file).unwrap();
    file.execute_batch(include_str!("../migrations/0001_context.sql")).unwrap();
    file.execute_batch(include_str!("../migrations/0002_erasures.sql")).unwrap();
    file.pragma_update(None, "user_version", 2).unwrap();
    let origin = encode_origin(&Origin::default());
    for number in 1..=STREAMS {
        file.execute(
            "INSERT INTO streams (stream, id, aggregate, revision, version, state, created, updated, since) \
             VALUES (?1, ?2, ?3, ?4, 0, x'00', 0, 0, 0)",
            params![i64::try_from(number).unwrap(), id(number).uuid().as_bytes(), Counter::NAME, EVENTS],
        )
        .unwrap();
    }
    for revision in 1..=EVENTS {
        for number in 1..=STREAMS {
            let data = encode(&added(number, revision)).unwrap();
            file.execute(
                "INSERT INTO events (stream, revision, time, cause, origin, data) VALUES (?1, ?2, ?2, ?3, ?4, ?5)",
                params![
                    i64::try_from(number).unwrap(),
                    revision,
                    cause(number, revision).uuid().as_bytes(),
                    origin,
                    data
                ],
            )
            .unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_not_chained_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counting.db");
    write_unchained(&file);
    let journal = SqliteJournal::new(Arc::new(Store::open_context(&file).unwrap()), counter::publish);
    for number in 1..=STREAMS {
        let before: Vec<_> =
            (1..=EVENTS).map(|revision| (Timestamp::from_micros(revision), added(number, revision))).collect();
        assert_eq!(journal.history(id(number)).await.unwrap(), before);
        // Its state is of another version, and folded.
        let lookups = [Some(cause(number, 3)), Some(cause(number, 9))].map(|cause| Lookup { cause, key: None });
        let loaded = journal.load(id(number), &lookups).await.unwrap();
        assert_eq!(loaded.answers, [Some(3), None]);
        let (event, origin) = (added(number, EVENTS + 1), Arc::new(Origin::default()));
        let mut standing = loaded.standing;
        standing.state = standing.state.evolve(&event);
        standing.revision += 1;
        let recorded =
            Recorded { event: event.clone(), state: standing.state.clone(), cause: None, origin: origin.clone() };
        let append = Append {
            id: id(number),
            after: standing.revision - 1,
            era: 0,
            index: standing.state.index(),
            events: vec![recorded],
            standing,
            wake: Wake::Nothing,
            origin,
            claims: vec![],
            release: false,
            entries: vec![],
        };
        journal.append(append).await.unwrap();
        let events = journal.history(id(number)).await.unwrap().into_iter().map(|(_, event)| event);
        assert!(events.eq(before.into_iter().map(|(_, event)| event).chain([event])), "it goes on behind them");
    }
}
