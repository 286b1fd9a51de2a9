//! Watching what other replicas do.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use highstreet_domain::kernel::ports::{Feed, Filter, Save, Views};
use highstreet_domain::kernel::{Id, View};
use highstreet_testkit::counter::{Counter, Event, Tally, Told};
use highstreet_testkit::servers::{PostgresServer, eventually};
use tokio::time::{Instant, timeout};

use crate::counting::{Replica, append, first, id, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_misses_no_stream_that_two_replicas_write_to() {
    const STREAMS: u128 = 12;
    const TURNS: u64 = 40;
    let server = PostgresServer::start().await;
    let replicas = [Replica::open(&server, "feed").await, Replica::open(&server, "feed").await];
    let writers: Vec<_> = (0..STREAMS)
        .map(|stream| {
            let replica = replicas[usize::try_from(stream % 2).unwrap()].clone();
            tokio::spawn(async move {
                for number in 1..=TURNS {
                    replica.add(id(stream), i64::try_from(number).unwrap()).await.unwrap();
                }
            })
        })
        .collect();
    let all = Filter::default();
    let mut seen: BTreeMap<Id<Counter>, u64> = BTreeMap::new();
    let mut cursor = 0;
    // A change comes with the stream as it stands now, so the cursor is the last to arrive.
    while u128::from(cursor) < STREAMS * u128::from(TURNS) {
        let changes = replicas[0].journal.changes(&all, cursor, 5);
        let changes = timeout(Duration::from_secs(10), changes).await;
        for change in changes.unwrap_or_else(|_| panic!("skipped: {seen:?}")).unwrap() {
            assert!(change.cursor > cursor, "cursors grow");
            cursor = change.cursor;
            seen.insert(change.id, change.standing.revision);
        }
    }
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(seen.len(), usize::try_from(STREAMS).unwrap());
    assert!(seen.values().all(|revision| *revision == TURNS), "{seen:?}");
    assert_eq!(Feed::<Counter>::latest(&*replicas[1].journal).await.unwrap(), cursor, "that was the last of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_one_shop_hears_of_it_after_others_changed() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "shops").await;
    let label = |shop: &str| Event::Labelled(shop.into(), "mina".into(), "OPEN".into());
    let nothing = first(id(0), 1);
    let of = |stream, shop| {
        let mut standing = nothing.standing.clone();
        (standing.revision, standing.state) = (0, Counter::default());
        append(id(stream), &standing, &[label(shop)])
    };
    // Known to be settled, and of no concern to the watcher.
    replica.append(of(1, "paul")).await.unwrap();
    assert_eq!(Feed::<Counter>::latest(&*replica.journal).await.unwrap(), 1);
    // Committed before the watcher comes, and after that look.
    replica.append(of(2, "skanu")).await.unwrap();
    let filter = Filter { shop: Some("skanu".into()), ..Filter::default() };
    let changes = timeout(Duration::from_secs(5), replica.journal.changes(&filter, 0, 10)).await;
    let changes = changes.expect("it is there").unwrap();
    assert_eq!(changes.iter().map(|change| change.id).collect::<Vec<_>>(), [id(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_else_is_nobody_is_told() {
    const TURNS: i64 = 200;
    let server = PostgresServer::start_with(&["log_statement=all"]).await;
    let told = || server.log().matches("NOTIFY").count();
    let alone = Replica::open(&server, "alone").await;
    eventually("it has looked about", || async { server.log().contains("pg_locks").then_some(()) }).await;
    let before = told();
    for number in 1..=TURNS {
        alone.add(id(1), number).await.unwrap();
    }
    assert_eq!(told(), before, "nobody is there");
    let other = Replica::open(&server, "alone").await;
    // What was done before, and what comes, is told to whoever joins.
    let (mut cursor, mut number) = (0, TURNS);
    while told() < before + 3 {
        number += 1;
        let change = tokio::spawn({
            let journal = other.journal.clone();
            async move { journal.changes(&Filter::default(), cursor, 10).await }
        });
        alone.add(id(1), number).await.unwrap();
        let changes = timeout(Duration::from_secs(5), change).await.expect("it is told").unwrap().unwrap();
        cursor = changes.last().unwrap().cursor;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_is_woken_by_another_replica() {
    let server = PostgresServer::start().await;
    let (watching, writing) = (Replica::open(&server, "woken").await, Replica::open(&server, "woken").await);
    let mut cursor = 0;
    for number in 1..=10 {
        let journal = watching.journal.clone();
        let watch = tokio::spawn(async move { journal.changes(&Filter::default(), cursor, 10).await });
        writing.add(id(1), number).await.unwrap();
        let committed = Instant::now();
        let changes = timeout(Duration::from_secs(2), watch).await.expect("it is woken").unwrap().unwrap();
        assert!(committed.elapsed() < Duration::from_secs(1), "without waiting for a look: {:?}", committed.elapsed());
        cursor = changes.last().unwrap().cursor;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_killed_before_it_told_is_noticed_all_the_same() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "untold").await;
    replica.add(id(1), 1).await.unwrap();
    let journal = replica.journal.clone();
    let watch = tokio::spawn(async move { journal.changes(&Filter::default(), 1, 10).await });
    // What a commit leaves behind, and nobody told of.
    server.run_in(
        "highstreet",
        "SET search_path = untold; INSERT INTO events (stream, revision, time, origin, data) \
         SELECT stream, 2, 0, '', '{}' FROM streams",
    );
    let changes = timeout(Duration::from_secs(5), watch).await.expect("it is noticed").unwrap().unwrap();
    assert_eq!(changes[0].cursor, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_a_view_misses_no_row_that_two_replicas_write() {
    const ROWS: usize = 8;
    const TURNS: u64 = 30;
    let server = PostgresServer::start().await;
    let replicas = [Replica::open(&server, "viewed").await, Replica::open(&server, "viewed").await];
    let writers: Vec<_> = (0..ROWS)
        .map(|row| {
            let views = replicas[row % 2].views();
            tokio::spawn(async move {
                for revision in 1..=TURNS {
                    fold(&views, &format!("row {row}"), revision).await;
                }
            })
        })
        .collect();
    let views = replicas[0].views();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut cursor = 0;
    while seen.len() < ROWS || seen.values().any(|version| *version < TURNS) {
        let changes = timeout(Duration::from_secs(10), views.changes(&Filter::default(), cursor, 3)).await;
        for row in changes.unwrap_or_else(|_| panic!("skipped: {seen:?}")).unwrap() {
            assert!(row.cursor > cursor, "cursors grow");
            cursor = row.cursor;
            seen.insert(row.key, row.version);
        }
    }
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(views.latest().await.unwrap(), cursor);
}

async fn fold(views: &impl Views<Tally>, key: &str, revision: u64) {
    let found = views.load(&[key.to_owned()]).await.unwrap().remove(0);
    let (view, version) = found.map_or_else(Default::default, |row| (row.view, row.version));
    let view: Tally = view.apply(&Told { row: key.into(), source: "a".into(), revision, number: 1 });
    let save = Save { key: key.into(), version, index: view.index(), view, time: now() };
    assert_eq!(views.save(vec![save]).await.unwrap(), [true], "nobody else writes this row");
}
