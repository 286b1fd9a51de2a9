//! How much of a context's work waits.

use std::time::Duration;

use highstreet_domain::kernel::ports::{Agenda, Outbox, Task, Wake};
use highstreet_foundation::Backlog;
use highstreet_postgres::PostgresOutbox;
use highstreet_testkit::counter::Counter;
use highstreet_testkit::servers::{PostgresServer, eventually};

use crate::counting::{Replica, first, id, now};

const LEASE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);

fn depths(backlog: Backlog) -> [u64; 3] {
    [backlog.outbox.depth, backlog.due.depth, backlog.failing.depth]
}

/// CAP-17: what waits is counted, with the age of the oldest: what is not published, what nobody has taken up, and what
/// was tried in vain.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_counted() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "waiting").await;
    assert_eq!(replica.store.backlog().await.unwrap(), Backlog::default());

    let mut late = first(id(1), 1);
    late.wake = Wake::At { at: now(), since: 1 };
    let mut later = first(id(2), 1);
    later.wake = Wake::At { at: now().after(HOUR), since: 1 };
    replica.append(late).await.unwrap();
    replica.append(later).await.unwrap();
    let backlog = replica.store.backlog().await.unwrap();
    assert_eq!(depths(backlog), [2, 1, 0], "{backlog:?}");
    eventually("it grows old", async || {
        let backlog = replica.store.backlog().await.unwrap();
        (backlog.outbox.age > Duration::ZERO && backlog.due.age > Duration::ZERO).then_some(())
    })
    .await;

    let taken: Vec<Task<Counter>> = replica.agenda().take(10, LEASE).await.unwrap();
    assert_eq!(depths(replica.store.backlog().await.unwrap()), [2, 0, 0], "somebody is at it");
    Agenda::<Counter>::put_off(&replica.agenda(), taken[0].id, taken[0].since, now().after(HOUR), "no").await.unwrap();
    assert_eq!(depths(replica.store.backlog().await.unwrap()), [2, 0, 1], "it was in vain");

    let outbox = PostgresOutbox::new(replica.store.clone(), "counting");
    let outgoing = outbox.next(10).await.unwrap();
    outbox.published(outgoing.last().unwrap().position).await.unwrap();
    // What is published is deleted with the next look for more.
    tokio::select! {
        more = outbox.next(10) => panic!("nothing is left: {more:?}"),
        () = eventually("nothing is left to publish", async || {
            let backlog = replica.store.backlog().await.unwrap();
            (backlog.outbox == highstreet_foundation::Queue::default()).then_some(())
        }) => {}
    }
}

/// CAP-17: how many connections are used is no secret.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "pooled").await;
    replica.store.backlog().await.unwrap();
    let used = replica.store.connections();
    assert_eq!((used.lent, used.waiting), (0, 0), "{used:?}");
    assert!(used.idle >= 1 && used.most >= used.idle, "{used:?}");
}
