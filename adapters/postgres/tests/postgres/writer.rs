//! Groups that fail: by the fault of one of them, or by a connection that breaks at the worst moment.

use std::time::Duration;

use futures_util::future::join_all;
use highstreet_domain::kernel::Id;
use highstreet_domain::kernel::ports::{AppendError, Feed, Journal, Outbox, StoreError, Wake};
use highstreet_postgres::PostgresSettings;
use highstreet_testkit::counter::{Counter, Event};
use highstreet_testkit::servers::{PostgresServer, eventually};
use tokio::time::Instant;

use crate::counting::{Replica, Stranger, append, claim, first, id, now};
use crate::proxy::{Proxy, Trap};

/// As it stands in an event's data, and nowhere else.
const MARKED: i64 = 424_242;

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_was_lost_is_answered_ok_and_is_there_once() {
    for trap in [Trap::LoseAnswer, Trap::LoseRequest, Trap::Silence] {
        let server = PostgresServer::start().await;
        let (proxy, replica) = behind_proxy(&server).await;
        replica.add(id(1), 1).await.unwrap();
        proxy.set(trap, &MARKED.to_string());
        let standing = replica.journal.load(id(1), &[]).await.unwrap().standing;
        let answer = replica.append(append(id(1), &standing, &[Event::Added(MARKED)])).await;
        assert!(proxy.is_sprung(), "the connection was cut");
        assert_eq!(answer, Ok(()));
        assert_eq!(replica.numbers(id(1)).await, [1, MARKED]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_stream_with_a_claim_whose_answer_was_lost_is_answered_ok() {
    let server = PostgresServer::start().await;
    let (proxy, replica) = behind_proxy(&server).await;
    let mut wanted = first(id(1), MARKED);
    wanted.claims = vec![(claim(1), 1)];
    proxy.set(Trap::LoseAnswer, &MARKED.to_string());
    assert_eq!(replica.append(wanted).await, Ok(()));
    assert_eq!(replica.claimed(claim(1).key).await.map(|claimed| claimed.id), Some(id(1)));
    assert_eq!(replica.numbers(id(1)).await, [MARKED]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_a_cause_whose_answer_was_lost_is_answered_ok() {
    let server = PostgresServer::start().await;
    let (proxy, replica) = behind_proxy(&server).await;
    let mut wanted = first(id(1), MARKED);
    wanted.events[0].cause = None;
    proxy.set(Trap::LoseAnswer, &MARKED.to_string());
    assert_eq!(replica.append(wanted).await, Ok(()));
    assert_eq!(replica.numbers(id(1)).await, [MARKED]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_another_replica_beat_while_its_request_was_lost_is_a_conflict() {
    let server = PostgresServer::start().await;
    let (proxy, replica) = behind_proxy(&server).await;
    let other = Replica::open(&server, "lost").await;
    replica.add(id(1), 1).await.unwrap();
    let standing = replica.journal.load(id(1), &[]).await.unwrap().standing;
    proxy.set(Trap::LoseRequest, &MARKED.to_string());
    other.add(id(1), 2).await.unwrap();
    let answer = replica.append(append(id(1), &standing, &[Event::Added(MARKED)])).await;
    assert!(proxy.is_sprung(), "the connection was cut");
    assert_eq!(answer, Err(AppendError::Conflict));
    assert_eq!(replica.numbers(id(1)).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_group_whose_answer_was_lost_are_there_once() {
    let server = PostgresServer::start().await;
    let (proxy, replica) = behind_proxy(&server).await;
    for turn in 0..5_u8 {
        proxy.set(Trap::LoseAnswer, &format!("{}", MARKED + i64::from(turn)));
        let adds = (0..40).map(|stream| {
            let number = if stream == 20 { MARKED + i64::from(turn) } else { i64::from(turn) };
            let replica = replica.clone();
            async move { replica.add(id(stream), number).await }
        });
        assert!(join_all(adds).await.iter().all(Result::is_ok), "each is answered Ok");
        assert!(proxy.is_sprung(), "a connection was cut");
    }
    for stream in 0..40 {
        assert_eq!(replica.numbers(id(stream)).await.len(), 5, "and is there once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_a_stranger_has_locked_fails_in_time_and_alone() {
    let server = PostgresServer::start().await;
    let timeout = Duration::from_secs(1);
    let replica = Replica::impatient(&server, "locked", timeout).await;
    let streams = of_one_writer(12);
    for stream in &streams {
        replica.add(*stream, 1).await.unwrap();
    }
    let stranger = Stranger::lock(&server, "locked", streams[5]).await;
    let asked = Instant::now();
    let adds = streams.iter().map(|stream| {
        let replica = replica.clone();
        async move { (replica.add(*stream, 2).await, asked.elapsed()) }
    });
    let answers = join_all(adds).await;
    for (place, (answer, after)) in answers.iter().enumerate() {
        if place == 5 {
            let Err(AppendError::Store(StoreError::Unavailable(why))) = answer else { panic!("{answer:?}") };
            assert!(why.contains("lock timeout"), "it says why: {why}");
        } else {
            assert_eq!(*answer, Ok(()), "the others are not lost");
        }
        assert!(*after < timeout * 2, "answered after {after:?}");
    }
    stranger.go().await;
    replica.add(streams[5], 3).await.unwrap();
    assert_eq!(replica.numbers(streams[5]).await, [1, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_stream_and_a_watcher_do_not_hold_up_everybody_else() {
    let server = PostgresServer::start().await;
    let replica = Replica::impatient(&server, "gate", Duration::from_secs(4)).await;
    let locked = of_one_writer(1)[0];
    let elsewhere = (0..1000).map(id).find(|id| id.uuid().as_bytes()[14] % 4 == 1).unwrap();
    for stream in [locked, elsewhere] {
        replica.add(stream, 1).await.unwrap();
    }
    let stranger = Stranger::lock(&server, "gate", locked).await;
    let blocked = tokio::spawn({
        let replica = replica.clone();
        async move { replica.add(locked, 2).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    eventually("it waits", || async { (server.run(waits) == "1").then_some(()) }).await;
    let asked = Instant::now();
    for number in 2..20 {
        replica.add(elsewhere, number).await.unwrap();
        let watcher = replica.journal.as_ref();
        Feed::<Counter>::latest(watcher).await.unwrap();
    }
    assert!(asked.elapsed() < Duration::from_secs(1), "others go on meanwhile: {:?}", asked.elapsed());
    stranger.go().await;
    blocked.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_for_one_stream_is_committed_for_its_neighbours() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "full").await;
    let streams = of_one_writer(30);
    let culprit = streams[13].uuid();
    server.run_in(
        "highstreet",
        &format!(
            "SET search_path = \"full\"; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE disk_full USING MESSAGE = 'could not extend file'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON streams FOR EACH ROW WHEN (NEW.id = '{culprit}') \
             EXECUTE FUNCTION refuse()"
        ),
    );
    let answers = join_all(streams.iter().map(|stream| replica.append(first(*stream, 1)))).await;
    for (stream, answer) in streams.iter().zip(answers) {
        if stream.uuid() == culprit {
            let Err(AppendError::Store(StoreError::Unavailable(why))) = answer else { panic!("{answer:?}") };
            assert!(why.contains("could not extend file"), "{why}");
            assert!(replica.numbers(*stream).await.is_empty());
        } else {
            assert_eq!(answer, Ok(()));
            assert_eq!(replica.numbers(*stream).await, [1]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_a_commit_that_others_hear_of() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "gone").await;
    replica.add(id(0), 1).await.unwrap();
    let outbox = replica.outbox();
    let given = outbox.next(10).await.unwrap();
    outbox.published(given[0].position).await.unwrap();
    let relay = tokio::spawn(async move { outbox.next(10).await });
    let left = "SELECT count(*) FROM gone.outbox";
    let waits = || async { (server.run_in("highstreet", left) == "0").then_some(()) };
    eventually("the relay waits for the next", waits).await;
    let mut wanted = first(id(1), 1);
    wanted.wake = Wake::At { at: now(), since: 1 };
    // Handed over to the writer, and no longer waited for.
    tokio::select! {
        biased;
        done = replica.append(wanted) => panic!("no commit is that fast: {done:?}"),
        () = std::future::ready(()) => {}
    }
    let given = tokio::time::timeout(Duration::from_secs(1), relay).await.expect("at once").unwrap().unwrap();
    assert_eq!(given.len(), 1);
}

async fn behind_proxy(server: &PostgresServer) -> (Proxy, Replica) {
    let proxy = Proxy::start(server.port()).await;
    let settings = PostgresSettings {
        statement_timeout: Duration::from_millis(500),
        ..PostgresSettings::new(proxy.url(), "lost")
    };
    let replica = Replica::with(&settings).await;
    (proxy, replica)
}

/// Streams that fall to the same one of four writers.
fn of_one_writer(count: usize) -> Vec<Id<Counter>> {
    (0..1000).map(id).filter(|id| id.uuid().as_bytes()[14] % 4 == 2).take(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_kept_alike_on_its_own_and_in_a_group() {
    const STREAMS: u128 = 40;
    let server = PostgresServer::start().await;
    let settings = PostgresSettings { writers: 1, ..PostgresSettings::new(server.url(), "alike") };
    let replica = Replica::with(&settings).await;
    for stream in 0..STREAMS {
        replica.append(first(id(stream), 1)).await.unwrap();
    }
    let standing = replica.journal.load(id(0), &[]).await.unwrap().standing;
    let change = |stream| {
        let mut change = append(id(stream), &standing, &[Event::Added(2), Event::Added(3)]);
        change.wake = Wake::At { at: standing.updated.after(Duration::from_hours(1)), since: 2 };
        change
    };
    assert_eq!(replica.append(change(0)).await, Ok(()));
    let outcomes = join_all((1..STREAMS).map(|stream| replica.append(change(stream)))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let streams = "SELECT count(*), count(DISTINCT (aggregate, revision, version, state, shop, owner, reference, status, \
                   created, updated, since, wake > 0, leased, origin, attempts, error)) FROM alike.streams";
    assert_eq!(server.run_in("highstreet", streams), format!("{STREAMS}|1"));
    let events = "SELECT count(*), count(DISTINCT (time, cause IS NULL, origin, data, name, length(body))), \
                  count(outbox.position) FROM alike.events LEFT JOIN alike.outbox USING (position) \
                  WHERE revision > 1 GROUP BY revision";
    assert_eq!(server.run_in("highstreet", events), format!("{STREAMS}|1|{STREAMS}\n{STREAMS}|1|{STREAMS}"));
    assert_eq!(replica.append(change(0)).await, Err(AppendError::Conflict), "it is another by now");
}
