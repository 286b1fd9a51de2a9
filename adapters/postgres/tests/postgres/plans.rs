//! Plans that were made while the tables were empty, and must stay good.

use std::time::Duration;

use futures_util::future::join_all;
use highstreet_domain::kernel::ports::{
    Agenda, Feed, Filter, Journal, Listing, Lookup, Outbox, Page, Save, Task, Views, Wake,
};
use highstreet_domain::kernel::{Cause, Index, View};
use highstreet_postgres::PostgresSettings;
use highstreet_testkit::counter::{Counter, Event, Tally, Told};
use highstreet_testkit::servers::{PostgresServer, eventually};
use uuid::Uuid;

use crate::counting::{Replica, append, claim, first, id, now};

const STREAMS: u128 = 20_000;
const TURNS: u128 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_for_empty_tables_reads_no_more_than_it_must_of_full_ones() {
    let server = PostgresServer::start_with(&["fsync=off", "autovacuum=off"]).await;
    // As few as can be, so that every statement is planned while the tables are empty.
    let settings = PostgresSettings { connections: 1, writers: 1, ..PostgresSettings::new(server.url(), "plans") };
    let replica = Replica::with(&settings).await;
    let outbox = replica.outbox();
    everything(&replica, &outbox, 0).await;
    fill(&replica).await;
    server.run_in("highstreet", "SELECT pg_stat_reset()");
    let read_before = read(&server);
    assert_eq!(read_before, 0);
    for turn in 1..=TURNS {
        everything(&replica, &outbox, turn).await;
    }
    drop((outbox, replica));
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'highstreet%'";
    eventually("what was read is counted", || async { (server.run(sessions) == "0").then_some(()) }).await;
    let each = "SELECT relname, indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes ORDER BY 4 DESC LIMIT 8";
    println!("{}", server.run_in("highstreet", each));
    let whole = "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_user_tables WHERE schemaname = 'plans'";
    assert_eq!(server.run_in("highstreet", whole), "0", "no table is read as a whole");
    let most = "SELECT max(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'plans'";
    let most: u128 = server.run_in("highstreet", most).parse().unwrap();
    // Reading an index as a whole, in any one kind of statement, comes to more.
    assert!(most < TURNS * STREAMS / 4, "{most} entries of one index were read");
}

fn read(server: &PostgresServer) -> u128 {
    let read = "SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE schemaname = 'plans'";
    server.run_in("highstreet", read).parse().unwrap()
}

/// Many streams, with claims, entries, labels and deadlines far away; and rows of a view.
async fn fill(replica: &Replica) {
    for chunk in (0..STREAMS).collect::<Vec<_>>().chunks(500) {
        let made = chunk.iter().map(|number| {
            let stream = id(1_000_000 + number);
            let mut append = first(stream, 1);
            append.claims = vec![(claim(1_000_000 + number), 1)];
            append.entries = vec![("key".into(), 1)];
            append.wake = Wake::At { at: now().after(Duration::from_hours(1)), since: 1 };
            append.index = Some(Index {
                shop: "skanu".into(),
                owner: format!("owner {}", number % 1000),
                reference: "counting/1".into(),
                status: "OPEN".into(),
            });
            replica.append(append)
        });
        assert!(join_all(made).await.iter().all(Result::is_ok));
        let views = replica.views();
        let rows = chunk.iter().map(|number| save(&format!("filled {number}"), None)).collect();
        assert!(views.save(rows).await.unwrap().iter().all(|saved| *saved));
    }
}

/// One of everything that a store is asked.
async fn everything(replica: &Replica, outbox: &impl Outbox, turn: u128) {
    let (journal, stream) = (&replica.journal, id(turn));
    let mut begin = first(stream, 1);
    begin.claims = vec![(claim(turn), 1)];
    begin.entries = vec![("key".into(), 1)];
    begin.wake = Wake::At { at: now(), since: 1 };
    replica.append(begin).await.unwrap();
    let tasks: Vec<Task<Counter>> = replica.agenda().take(10, Duration::from_mins(10)).await.unwrap();
    assert_eq!(tasks.len(), 1);
    Agenda::<Counter>::put_off(&replica.agenda(), stream, 1, now().after(Duration::from_mins(10)), "no").await.unwrap();
    let lookup = Lookup { cause: Some(Cause::unique(Uuid::from_u128(turn))), key: Some("key".into()) };
    let loaded = journal.load(stream, &[lookup]).await.unwrap();
    assert_eq!(loaded.entries, [Some(1)]);
    assert!(replica.claimed(claim(turn).key).await.is_some());
    let mut next = append(stream, &loaded.standing, &[Event::Added(1)]);
    next.entries = vec![("key".into(), 2), ("other".into(), 3)];
    next.release = true;
    next.claims = vec![(claim(5_000_000 + turn), 2)];
    replica.append(next).await.unwrap();
    assert_eq!(replica.numbers(stream).await, [1, 1]);
    replica.add(stream, 1).await.unwrap();
    let page = Page { size: 5, after: None };
    assert_eq!(journal.entries(stream, &page).await.unwrap().len(), 2);
    let shop = Filter { shop: Some("skanu".into()), ..Filter::default() };
    let owner = Filter { shop: Some("skanu".into()), owner: Some("owner 7".into()), ..Filter::default() };
    let status = Filter { shop: Some("skanu".into()), status: Some("OPEN".into()), ..Filter::default() };
    for filter in [owner, status, Filter { shop: Some("skanu".into()), ..Filter::default() }] {
        let found = journal.page(&filter, &page).await.unwrap();
        if let Some((last, standing)) = found.last() {
            let after = Some((standing.created, last.uuid()));
            journal.page(&filter, &Page { size: 5, after }).await.unwrap();
        }
        // All rows of the view are of one owner, and of one status.
        let status = filter.status.as_ref().map(|_| "SMALL".into());
        let filter = Filter { status, ..filter };
        let rows = replica.views().page(&filter, &page).await.unwrap();
        if let Some(last) = rows.last() {
            let after = Some((last.created, last.place));
            replica.views().page(&filter, &Page { size: 5, after }).await.unwrap();
        }
    }
    let latest = Feed::<Counter>::latest(&**journal).await.unwrap();
    let changes = journal.changes(&Filter::default(), latest.saturating_sub(2), 5).await.unwrap();
    assert!(!changes.is_empty());
    let none = tokio::time::timeout(Duration::ZERO, journal.changes(&shop, latest - 1, 5)).await;
    assert!(none.is_err(), "none of that shop: {none:?}");
    let views = replica.views();
    views.save(vec![save(&format!("row {turn}"), None)]).await.unwrap();
    let row = views.load(&[format!("row {turn}")]).await.unwrap().remove(0).unwrap();
    assert_eq!(views.save(vec![save(&row.key, Some(row.version))]).await.unwrap(), [true]);
    let latest = views.latest().await.unwrap();
    for filter in [Filter::default(), shop] {
        assert_eq!(views.changes(&filter, latest - 1, 5).await.unwrap().len(), 1);
    }
    let given = outbox.next(20).await.unwrap();
    outbox.published(given.last().unwrap().position).await.unwrap();
}

fn save(key: &str, version: Option<u64>) -> Save<Tally> {
    let told = Told { row: key.into(), source: "a".into(), revision: version.unwrap_or(0), number: 1 };
    let view = Tally::default().apply(&told);
    Save { key: key.into(), version: version.unwrap_or(0), index: view.index(), view, time: now() }
}
