//! A server that goes away, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use highstreet_domain::kernel::View;
use highstreet_domain::kernel::ports::{Agenda, Feed, Filter, Journal, Outbox, Save, StoreError, Task, Views};
use highstreet_postgres::{OpenError, PostgresSettings, Store};
use highstreet_testkit::counter::{Counter, Tally};
use highstreet_testkit::servers::{PostgresServer, eventually, free_port};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::counting::{Answers, Replica, id, now};

const TASKS: i64 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_has_kept_what_was_answered() {
    // With a disk that is waited for: what is lost at a loss of power was not answered.
    let mut server = PostgresServer::start_with(&["fsync=on"]).await;
    let replicas = [Replica::open(&server, "killed").await, Replica::open(&server, "killed").await];
    let running = Arc::new(AtomicBool::new(true));
    let tasks = add_until(&replicas, &running);
    let mut restarted = Instant::now();
    for _ in 0..2 {
        let looking = &replicas[0];
        let begun = looking.journal.load(id(0), &[]).await.unwrap().standing.revision;
        eventually("some are appended", || async {
            (looking.journal.load(id(0), &[]).await.ok()?.standing.revision > begun + 10).then_some(())
        })
        .await;
        server.kill();
        server.restart().await;
        restarted = Instant::now();
        eventually("appends work again", || async { looking.add(id(1000), 0).await.ok() }).await;
    }
    println!("works again after {:?}", restarted.elapsed());
    assert!(restarted.elapsed() < Duration::from_secs(5));
    running.store(false, Ordering::SeqCst);
    let answers = collect(tasks).await;
    println!("{} answered, {} unsure", answers.done.len(), answers.unsure.len());
    assert!(!answers.done.is_empty());
    answers.hold(&replicas[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_ended_at_random_lose_and_repeat_nothing() {
    let server = PostgresServer::start().await;
    let replicas = [Replica::open(&server, "ended").await, Replica::open(&server, "ended").await];
    let running = Arc::new(AtomicBool::new(true));
    let tasks = add_until(&replicas, &running);
    let ending = "DO $$ BEGIN FOR turn IN 1..150 LOOP \
                  PERFORM pg_stat_clear_snapshot(); \
                  PERFORM pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity \
                  WHERE application_name LIKE 'highstreet%' ORDER BY random() LIMIT 1) AS one; \
                  PERFORM pg_sleep(0.01); END LOOP; END $$";
    tokio::task::block_in_place(|| server.run(ending));
    running.store(false, Ordering::SeqCst);
    let answers = collect(tasks).await;
    println!("{} answered, {} unsure", answers.done.len(), answers.unsure.len());
    assert!(answers.unsure.is_empty(), "the server was there all the time: {:?}", answers.unsure);
    answers.hold(&replicas[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_after_a_restart_sees_no_error() {
    let mut server = PostgresServer::start().await;
    let replica = Replica::open(&server, "restarted").await;
    replica.add(id(1), 1).await.unwrap();
    for turn in 2..5 {
        // So that many connections are made, and all are cut.
        let loads = join_all((0..64).map(|_| replica.journal.load(id(1), &[]))).await;
        assert!(loads.iter().all(Result::is_ok));
        server.restart().await;
        let loads = join_all((0..64).map(|_| replica.journal.load(id(1), &[]))).await;
        let failed: Vec<_> = loads.into_iter().filter_map(Result::err).collect();
        assert_eq!(failed, [], "loads");
        assert_eq!(replica.add(id(1), turn).await, Ok(()));
    }
    server.restart().await;
    let adds = join_all((0..64).map(|stream| replica.add(id(stream), 100))).await;
    assert!(adds.iter().all(Result::is_ok), "{adds:?}");
    server.restart().await;
    let view = Tally::default();
    let save = Save { key: "row".into(), version: 0, index: view.index(), view, time: now() };
    assert_eq!(replica.views().save(vec![save]).await, Ok(vec![true]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_whose_server_is_down_says_so_at_once() {
    let settings = PostgresSettings::new(format!("postgres://postgres@127.0.0.1:{}/highstreet", free_port()), "down");
    let opened = Store::open(&settings).await.map(drop);
    let Err(OpenError::Away(why)) = opened else { panic!("{opened:?}") };
    assert!(why.contains("refused"), "{why}");
    let mut server = PostgresServer::start().await;
    let replica = Replica::open(&server, "down").await;
    server.kill();
    let asked = Instant::now();
    let Err(StoreError::Unavailable(why)) = replica.store.reachable().await else { panic!("it is down") };
    assert!(why.contains("refused"), "{why}");
    assert!(replica.add(id(1), 1).await.is_err());
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_connections_do_for_two_hundred_loads_and_appends() {
    let server = PostgresServer::start().await;
    let settings = PostgresSettings { connections: 2, ..PostgresSettings::new(server.url(), "few") };
    let replica = Replica::with(&settings).await;
    let adds = join_all((0..200).map(|stream| replica.add(id(stream), 1))).await;
    assert!(adds.iter().all(Result::is_ok), "{adds:?}");
    let loads = join_all((0..200).map(|stream| replica.journal.load(id(stream), &[]))).await;
    assert!(loads.iter().all(|load| load.as_ref().is_ok_and(|loaded| loaded.standing.revision == 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_store_leaves_the_server_alone_and_a_dropped_one_leaves() {
    let server = PostgresServer::start_with(&["fsync=off", "log_statement=all"]).await;
    let replicas = [Replica::open(&server, "idle").await, Replica::open(&server, "idle").await];
    let waiting: Vec<_> = replicas
        .iter()
        .flat_map(|replica| {
            let (outbox, agenda, journal) = (replica.outbox(), replica.agenda(), replica.journal.clone());
            let relay = tokio::spawn(async move { drop(outbox.next(9).await) });
            let worker = tokio::spawn(async move {
                let due: Result<Vec<Task<Counter>>, _> = agenda.take(9, Duration::from_secs(9)).await;
                drop(due);
            });
            let watcher = tokio::spawn(async move { drop(journal.changes(&Filter::default(), 0, 9).await) });
            [relay, worker, watcher]
        })
        .collect();
    let asked = || ["LOG:  execute ", "LOG:  statement: "].map(|word| server.log().matches(word).count()).iter().sum();
    // As they are once they have begun.
    tokio::task::block_in_place(|| server.run("SELECT pg_sleep(2)"));
    let before: usize = asked();
    tokio::task::block_in_place(|| server.run("SELECT pg_sleep(4)"));
    let queries = asked() - before - 1;
    println!("{queries} queries of two stores in four seconds");
    assert!(queries < 2 * 3 * 4, "{queries}");
    waiting.iter().for_each(JoinHandle::abort);
    join_all(waiting).await;
    drop(replicas);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'highstreet%'";
    eventually("nobody is left", || async { (server.run(sessions) == "0").then_some(()) }).await;
}

/// Adds numbers through both replicas, each to a few streams that no other task adds to, until told to stop.
fn add_until(replicas: &[Replica; 2], running: &Arc<AtomicBool>) -> Vec<JoinHandle<Answers>> {
    let add = |task: i64| {
        let (replica, running) = (replicas[usize::try_from(task % 2).unwrap()].clone(), running.clone());
        tokio::spawn(async move {
            let mut answers = Answers::default();
            let mut number = task * 1_000_000;
            while running.load(Ordering::SeqCst) {
                number += 1;
                // Shared with the other replica.
                let stream = id(u128::try_from(task / 2).unwrap());
                let answer = replica.add(stream, number).await;
                let away = answer.is_err();
                answers.hear(stream, number, answer);
                if away {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            answers
        })
    };
    (0..TASKS).map(add).collect()
}

async fn collect(tasks: Vec<JoinHandle<Answers>>) -> Answers {
    let mut all = Answers::default();
    for answers in join_all(tasks).await {
        all.join(answers.unwrap());
    }
    all
}
