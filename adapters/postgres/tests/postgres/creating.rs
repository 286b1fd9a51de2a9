//! New streams, which have a statement of their own.

use std::time::Duration;

use futures_util::future::join_all;
use highstreet_domain::kernel::Index;
use highstreet_domain::kernel::ports::{Append, AppendError, Journal, Wake};
use highstreet_postgres::PostgresSettings;
use highstreet_testkit::counter::{Counter, Event};
use highstreet_testkit::servers::PostgresServer;

use crate::counting::{Replica, append, claim, id, now};

const STREAMS: u128 = 40;

/// One whose groups are as large as can be.
async fn open(server: &PostgresServer, schema: &str) -> Replica {
    Replica::with(&PostgresSettings { writers: 1, ..PostgresSettings::new(server.url(), schema) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_stream_is_kept_alike_with_a_claim_and_without() {
    let server = PostgresServer::start().await;
    let replica = open(&server, "new").await;
    let nothing = replica.journal.load(id(0), &[]).await.unwrap().standing;
    let (time, wake) = (now(), now().after(Duration::from_hours(1)));
    let creation = |stream| -> Append<Counter> {
        let mut creation = append(id(stream), &nothing, &[Event::Added(2), Event::Added(3)]);
        (creation.standing.created, creation.standing.updated) = (time, time);
        creation.wake = Wake::At { at: wake, since: 2 };
        creation.index =
            Some(Index { shop: "skanu".into(), owner: "a".into(), reference: "b/c".into(), status: "OPEN".into() });
        creation
    };
    let claiming = |stream| Append { claims: vec![(claim(stream), 1)], ..creation(stream) };
    assert_eq!(replica.append(creation(0)).await, Ok(()), "on its own");
    assert!(join_all((1..STREAMS).map(|stream| replica.append(creation(stream)))).await.iter().all(Result::is_ok));
    assert_eq!(replica.append(claiming(STREAMS)).await, Ok(()), "by the statement for any group");
    let streams = "SELECT count(*), count(DISTINCT (aggregate, revision, version, state, shop, owner, reference, status, \
                   created, updated, since, wake > 0, leased, origin, attempts, error, era)), count(claim) \
                   FROM new.streams";
    assert_eq!(server.run_in("highstreet", streams), format!("{}|1|1", STREAMS + 1));
    let events = "SELECT count(*), count(DISTINCT (time, cause IS NULL, origin, data, name, length(body))), \
                  count(outbox.position) FROM new.events LEFT JOIN new.outbox USING (position) GROUP BY revision";
    let all = STREAMS + 1;
    assert_eq!(server.run_in("highstreet", events), format!("{all}|1|{all}\n{all}|1|{all}"));
    for stream in 0..=STREAMS {
        assert_eq!(replica.numbers(id(stream)).await, [2, 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_new_streams_only_those_are_refused_that_are_there() {
    let server = PostgresServer::start().await;
    let (mine, theirs) = (open(&server, "there").await, open(&server, "there").await);
    let nothing = mine.journal.load(id(0), &[]).await.unwrap().standing;
    let creation = |stream| append(id(stream), &nothing, &[Event::Added(1)]);
    assert_eq!(theirs.append(creation(3)).await, Ok(()));
    let outcomes = join_all((0..STREAMS).map(|stream| mine.append(creation(stream)))).await;
    for (stream, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome, if stream == 3 { Err(AppendError::Conflict) } else { Ok(()) }, "{stream}");
        assert_eq!(mine.numbers(id(stream as u128)).await, [1]);
    }
    // Both make the same ones, group after group.
    let race = |replica: Replica| async move {
        join_all((100..200).map(|stream| replica.append(creation(stream)))).await.into_iter().flatten().count()
    };
    let (first, second) = tokio::join!(race(mine), race(theirs));
    assert_eq!(first + second, 100, "each is made once");
}
