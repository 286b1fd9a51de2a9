//! Replicas that write to the same streams.

use futures_util::future::join_all;
use highstreet_domain::kernel::ports::{AppendError, Journal};
use highstreet_testkit::servers::PostgresServer;

use crate::counting::{Answers, Replica, append, claim, first, id};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_appended_to_hot_streams_by_two_replicas_is_there_once() {
    const STREAMS: u128 = 5;
    let server = PostgresServer::start().await;
    let replicas = [Replica::open(&server, "hot").await, Replica::open(&server, "hot").await];
    let tasks = (0..32_u8).map(|task| {
        let replica = replicas[usize::from(task % 2)].clone();
        tokio::spawn(async move {
            let mut answers = Answers::default();
            for turn in 0..20 {
                let number = i64::from(task) * 1000 + turn;
                let stream = id(u128::try_from(number).unwrap() % STREAMS);
                answers.hear(stream, number, replica.add(stream, number).await);
            }
            answers
        })
    });
    let mut all = Answers::default();
    for answers in join_all(tasks).await {
        all.join(answers.unwrap());
    }
    assert!(all.unsure.is_empty(), "nothing fails: {:?}", all.unsure);
    assert_eq!(all.done.len(), 640);
    all.hold(&replicas[0]).await;
    assert!(!server.log().contains("deadlock"), "no group waits in a circle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_raced_by_two_replicas_has_one_holder() {
    let server = PostgresServer::start().await;
    let replicas = [Replica::open(&server, "claims").await, Replica::open(&server, "claims").await];
    for round in 0..10_u128 {
        let tasks = (0..16_u128).map(|task| {
            let replica = replicas[usize::try_from(task % 2).unwrap()].clone();
            tokio::spawn(async move {
                let mut append = first(id(round * 100 + task), 1);
                append.claims = vec![(claim(round), 1)];
                (append.id, replica.append(append).await)
            })
        });
        let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        let holders: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id).collect();
        assert_eq!(holders.len(), 1, "one of them holds it: {answers:?}");
        assert_eq!(replicas[1].claimed(claim(round).key).await.map(|claimed| claimed.id), Some(holders[0]));
        for (id, answer) in answers {
            if id != holders[0] {
                assert_eq!(answer, Err(AppendError::Claimed(claim(round).key)));
                let nothing = replicas[0].journal.load(id, &[]).await.unwrap().standing.revision;
                assert_eq!(nothing, 0, "who does not hold it has done nothing");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_taken_crosswise_do_not_wait_in_a_circle() {
    const CLAIMS: u128 = 500;
    let server = PostgresServer::start_with(&["fsync=off", "deadlock_timeout=50ms"]).await;
    let replicas = [Replica::open(&server, "crossing").await, Replica::open(&server, "crossing").await];
    for round in 0..20_u128 {
        let mut wanted: Vec<_> = (0..CLAIMS).map(|number| (claim(round * CLAIMS + number), 1)).collect();
        let mut append = first(id(round * 2), 1);
        append.claims.clone_from(&wanted);
        // The second replica asks in the opposite order.
        wanted.reverse();
        let mut other = first(id(round * 2 + 1), 1);
        other.claims = wanted;
        let answers = tokio::join!(replicas[0].append(append), replicas[1].append(other));
        let won = [&answers.0, &answers.1].into_iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(won, 1, "one of them holds all of them: {answers:?}");
    }
    assert!(!server.log().contains("deadlock detected"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_stream_raced_by_two_replicas_is_made_once() {
    let server = PostgresServer::start().await;
    let replicas = [Replica::open(&server, "new").await, Replica::open(&server, "new").await];
    for round in 0..20 {
        let tasks = (0..8).map(|task: i64| {
            let replica = replicas[usize::try_from(task % 2).unwrap()].clone();
            tokio::spawn(async move { (task, replica.append(first(id(round), task + 1)).await) })
        });
        let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        let winners: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(task, _)| task + 1).collect();
        assert_eq!(replicas[0].numbers(id(round)).await, winners, "only what was answered Ok is there");
        assert_eq!(winners.len(), 1);
        let losers = answers.iter().filter(|(_, answer)| *answer == Err(AppendError::Conflict)).count();
        assert_eq!(losers, 7, "the others hear that it has moved on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_claim_the_same_in_one_group_one_gets_it() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "same_group").await;
    // Of one writer, as the byte that picks it is the same.
    let streams: Vec<_> = (0..2000).map(id).filter(|id| id.uuid().as_bytes()[14] == 7).take(4).collect();
    let appends = streams.iter().map(|stream| {
        let mut append = first(*stream, 1);
        append.claims = vec![(claim(1), 1)];
        replica.append(append)
    });
    let answers = join_all(appends).await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_claim_is_free_for_the_next_and_for_nobody_twice() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "released").await;
    let mut holder = first(id(1), 1);
    holder.claims = vec![(claim(1), 1)];
    let after = holder.standing.clone();
    replica.append(holder).await.unwrap();
    let release = || {
        let mut release = append(id(1), &after, &[]);
        release.release = true;
        release
    };
    replica.append(release()).await.unwrap();
    let mut next = first(id(2), 1);
    next.claims = vec![(claim(1), 1)];
    replica.append(next).await.unwrap();
    replica.append(release()).await.unwrap();
    let now_holds = replica.claimed(claim(1).key).await.map(|claimed| claimed.id);
    assert_eq!(now_holds, Some(id(2)), "the first let go of what was its own, and not of what is another's");
}
