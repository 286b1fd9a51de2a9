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

/// A replica whose clock is an hour off neither takes what others are at, nor waits an hour for what is due.
#[tokio::test(flavor = "multi_thread")]
async fn leases_go_by_the_servers_clock() {
    for off in ["+1h", "-1h"] {
        let server = PostgresServer::start_at(off).await;
        let here = now().as_micros() / 1_000_000;
        let apart = server.run(&format!("SELECT abs(extract(epoch FROM clock_timestamp()) - {here}) > 3000"));
        assert_eq!(apart, "t", "its clock is off");
        let replica = Replica::open(&server, "off").await;
        let mut asked = first(id(1), 1);
        asked.wake = Wake::Leased { until: now().after(Duration::from_secs(2)), since: 1 };
        replica.append(asked).await.unwrap();
        let mut soon = first(id(2), 1);
        soon.wake = Wake::At { at: now().after(Duration::from_millis(300)), since: 1 };
        replica.append(soon).await.unwrap();

        let begun = Instant::now();
        let take = async |lease| -> Vec<Task<Counter>> {
            timeout(Duration::from_secs(10), replica.agenda().take(10, lease)).await.expect(off).unwrap()
        };
        let taken = take(Duration::from_secs(30)).await;
        assert_eq!(taken.iter().map(|task| task.id).collect::<Vec<_>>(), [id(2)], "{off}: only what is due");
        assert!(begun.elapsed() > Duration::from_millis(250), "{off}: not before its time");
        let agenda: &dyn Agenda<Counter> = &replica.agenda();
        assert_eq!(agenda.seize(id(1), 1, LEASE).await.unwrap().map(|task| task.id), None, "{off}: it is leased");
        let taken = take(Duration::from_millis(500)).await;
        assert_eq!(taken[0].id, id(1), "{off}: when the lease ends, and not an hour later");
        assert!(begun.elapsed() > Duration::from_millis(1800), "{off}: not before the lease ends");
        let again = take(LEASE).await;
        assert_eq!(again[0].id, id(1), "{off}: and so do leases that were taken");
        let agenda: &dyn Agenda<Counter> = &replica.agenda();
        agenda.put_off(id(1), 1, now().after(Duration::from_millis(300)), "nobody there").await.unwrap();
        let put_off = Instant::now();
        assert_eq!(take(LEASE).await[0].id, id(1));
        assert!(put_off.elapsed() > Duration::from_millis(250), "{off}: and what is put off");
    }
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
