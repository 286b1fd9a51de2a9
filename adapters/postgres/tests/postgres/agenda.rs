//! An agenda shared by replicas.

use std::collections::BTreeSet;
use std::time::Duration;

use highstreet_domain::kernel::ports::{Agenda, Task, Wake};
use highstreet_testkit::counter::Counter;
use highstreet_testkit::servers::PostgresServer;
use tokio::time::{Instant, timeout};

use crate::counting::{Replica, Stranger, first, id, now};

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn each_due_task_is_leased_to_one_replica() {
    const TASKS: usize = 300;
    let server = PostgresServer::start().await;
    let replicas = [Replica::open(&server, "due").await, Replica::open(&server, "due").await];
    for number in 0..TASKS {
        let mut append = first(id(number as u128), 1);
        append.wake = Wake::At { at: now(), since: 1 };
        replicas[number % 2].append(append).await.unwrap();
    }
    let (sender, mut taken) = tokio::sync::mpsc::unbounded_channel();
    let takers: Vec<_> = replicas
        .iter()
        .chain(&replicas)
        .map(|replica| {
            let (agenda, sender) = (replica.agenda(), sender.clone());
            tokio::spawn(async move {
                loop {
                    let tasks: Vec<Task<Counter>> = agenda.take(7, LEASE).await.unwrap();
                    assert!(tasks.len() <= 7, "no more than asked for");
                    for task in tasks {
                        sender.send(task.id).unwrap_or_default();
                    }
                }
            })
        })
        .collect();
    let mut seen = BTreeSet::new();
    while seen.len() < TASKS {
        let task = timeout(Duration::from_secs(10), taken.recv()).await.expect("all of them are due").unwrap();
        assert!(seen.insert(task), "leased twice: {task:?}");
    }
    let more = timeout(Duration::from_millis(300), taken.recv()).await;
    assert!(more.is_err(), "and none again: {more:?}");
    takers.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ends_comes_back_to_the_other_replica() {
    let server = PostgresServer::start().await;
    let (first_taker, second) = (Replica::open(&server, "ends").await, Replica::open(&server, "ends").await);
    let mut append = first(id(1), 1);
    append.wake = Wake::At { at: now(), since: 1 };
    first_taker.append(append).await.unwrap();
    let lease = Duration::from_millis(500);
    let leased: Vec<Task<Counter>> = first_taker.agenda().take(10, lease).await.unwrap();
    assert_eq!(leased.len(), 1);
    drop(first_taker);
    let until = Instant::now() + lease;
    let again: Vec<Task<Counter>> =
        timeout(Duration::from_secs(5), second.agenda().take(10, LEASE)).await.unwrap().unwrap();
    assert_eq!((again[0].id, again[0].since), (id(1), 1));
    assert!(Instant::now() + Duration::from_millis(50) > until, "not before the lease ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn takers_wake_when_something_becomes_due_here_or_there() {
    let server = PostgresServer::start().await;
    let (taking, other) = (Replica::open(&server, "wakes").await, Replica::open(&server, "wakes").await);
    for (number, replica, bound) in [(1, &taking, 1), (2, &other, 4)] {
        let agenda = taking.agenda();
        let take = tokio::spawn(async move { Agenda::<Counter>::take(&agenda, 10, LEASE).await });
        let mut append = first(id(number), 1);
        append.wake = Wake::At { at: now(), since: 1 };
        replica.append(append).await.unwrap();
        let tasks = timeout(Duration::from_secs(bound), take).await.expect("it wakes").unwrap().unwrap();
        assert_eq!(tasks[0].id, id(number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_holds_is_waited_for_without_haste() {
    let server = PostgresServer::start_with(&["fsync=off", "log_statement=all"]).await;
    let replica = Replica::open(&server, "held").await;
    let mut append = first(id(1), 1);
    append.wake = Wake::At { at: now(), since: 1 };
    replica.append(append).await.unwrap();
    let stranger = Stranger::lock(&server, "held", id(1)).await;
    let agenda = replica.agenda();
    let take = tokio::spawn(async move { Agenda::<Counter>::take(&agenda, 10, LEASE).await });
    tokio::task::block_in_place(|| server.run("SELECT pg_sleep(1)"));
    let looks = looks(&server);
    assert!(looks > 1, "it looks again: {looks}");
    assert!(looks < 100, "{looks} looks in a second");
    stranger.go().await;
    assert_eq!(take.await.unwrap().unwrap().len(), 1);
}

fn looks(server: &PostgresServer) -> usize {
    server.log().matches("SELECT wake FROM streams").count()
}
