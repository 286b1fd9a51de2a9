//! How much of a context's work waits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::sync::Arc;
use std::time::Duration;

use highstreet_domain::kernel::ports::{Agenda, Append, Bus, Clock, Journal, Outbox, Recorded, Task, Verdict, Wake};
use highstreet_domain::kernel::{Aggregate, Id, Origin, Standing};
use highstreet_foundation::{Backlog, SystemClock};
use highstreet_sqlite::{EmbeddedBus, SqliteAgenda, SqliteJournal, SqliteOutbox, Store};
use highstreet_testkit::counter::{self, Counter, Event};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);

fn first(id: u128, wake: Wake) -> Append<Counter> {
    let now = SystemClock.now();
    let origin = Arc::new(Origin::default());
    let event = Event::Added(1);
    let state = Counter::default().evolve(&event);
    Append {
        era: 0,
        id: Id::new(Uuid::from_u128(id)),
        after: 0,
        index: state.index(),
        events: vec![Recorded { event, state: state.clone(), cause: None, origin: origin.clone() }],
        standing: Standing { state, revision: 1, created: now, updated: now },
        wake,
        origin,
        claims: vec![],
        release: false,
        entries: vec![],
    }
}

fn depths(backlog: Backlog) -> [u64; 3] {
    [backlog.outbox.depth, backlog.due.depth, backlog.failing.depth]
}

/// CAP-17: what waits is counted, with the age of the oldest: what is not published, what nobody has taken up, and what
/// was tried in vain; and what a listener has before it.
#[tokio::test]
async fn what_waits_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open_context(&folder.path().join("counting.db")).unwrap());
    let journal = SqliteJournal::new(store.clone(), counter::publish);
    assert_eq!(store.backlog().unwrap(), Backlog::default());

    let now = SystemClock.now();
    journal.append(first(1, Wake::At { at: now, since: 1 })).await.unwrap();
    journal.append(first(2, Wake::At { at: now.after(HOUR), since: 1 })).await.unwrap();
    assert_eq!(depths(store.backlog().unwrap()), [0, 1, 0], "nobody publishes it");
    let bus = Arc::new(EmbeddedBus::open(&folder.path().join("bus.db")).unwrap());
    let outbox = SqliteOutbox::new(store.clone(), "counting", bus.clone()).unwrap();
    let backlog = store.backlog().unwrap();
    assert_eq!(depths(backlog), [2, 1, 0]);
    assert!(backlog.due.age > Duration::ZERO && backlog.outbox.age > Duration::ZERO, "{backlog:?}");

    let agenda = SqliteAgenda::new(store.clone());
    let taken: Vec<Task<Counter>> = agenda.take(10, LEASE).await.unwrap();
    assert_eq!(depths(store.backlog().unwrap()), [2, 0, 0], "somebody is at it");
    Agenda::<Counter>::put_off(&agenda, taken[0].id, taken[0].since, now.after(HOUR), "no").await.unwrap();
    assert_eq!(depths(store.backlog().unwrap()), [2, 0, 1], "it was in vain");

    let outgoing = outbox.next(10).await.unwrap();
    let name = outgoing[0].message.name.clone();
    let last = outgoing.last().unwrap().position;
    bus.publish(outgoing.into_iter().map(|outgoing| outgoing.message).collect()).await.unwrap();
    outbox.published(last).await.unwrap();
    assert_eq!(depths(store.backlog().unwrap()), [0, 0, 1]);

    let subscription = highstreet_domain::kernel::ports::Subscription {
        consumer: "listening".into(),
        source: "counting".into(),
        names: vec![name],
    };
    let mut deliveries = bus.subscribe(&subscription).await.unwrap();
    assert_eq!(bus.lag(&subscription).unwrap(), 2);
    let given = deliveries.next(10).await.unwrap();
    deliveries.settle(given.iter().map(|delivery| (delivery.tag, Verdict::Done)).collect()).await.unwrap();
    assert_eq!((bus.lag(&subscription).unwrap(), bus.dead_letter_count("listening").unwrap()), (0, 0));
}
