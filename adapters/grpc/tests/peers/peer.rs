//! What a caller gets while its callee is unwell.

use std::sync::atomic::Ordering;
use std::time::Duration;

use highstreet_grpc::{Peer, PeerFailure, PeerSettings};
use highstreet_testkit::servers::eventually;
use tokio::time::Instant;
use tonic::Code;

use crate::replica::{HANGS, Replica, hangs_at};
use crate::{channel_to, failure, list};

fn quick() -> PeerSettings {
    PeerSettings { rest: Duration::from_millis(100), ..PeerSettings::default() }
}

#[tokio::test]
async fn a_call_that_broke_is_made_again_elsewhere() {
    let (first, second) = (Replica::start().await, Replica::start().await);
    let peer = Peer::across("ordering", "payment", &channel_to([&first, &second]), quick());
    let shop = hangs_at(first.address);
    // Until one goes to the first; the second answers.
    let call = eventually("the first is called", || {
        let (peer, shop) = (peer.clone(), shop.clone());
        let call = tokio::spawn(async move { list(&peer, &shop).await });
        let first = &first;
        async move {
            while !call.is_finished() && first.hanging() == 0 {
                tokio::task::yield_now().await;
            }
            (first.hanging() > 0).then_some(call)
        }
    })
    .await;
    first.kill();
    assert_eq!(call.await.unwrap().unwrap(), shop);
}

#[tokio::test]
async fn what_may_have_been_carried_out_stays_so_though_the_next_attempt_finds_nobody() {
    let replica = Replica::start().await;
    let peer = Peer::across("ordering", "payment", &channel_to([&replica]), quick());
    let call = tokio::spawn(async move { list(&peer, HANGS).await });
    eventually("it hangs", || async { (replica.hanging() == 1).then_some(()) }).await;
    replica.kill();
    let status = call.await.unwrap().unwrap_err();
    assert!(matches!(failure(&status), PeerFailure::Broken(_)), "{status:?}");
}

#[tokio::test]
async fn a_replica_that_cannot_now_is_asked_again() {
    let replica = Replica::start().await;
    let peer = Peer::across("ordering", "payment", &channel_to([&replica]), quick());
    replica.seen.unavailable.store(2, Ordering::SeqCst);
    assert_eq!(list(&peer, "skanu").await.unwrap(), "skanu");
    assert_eq!(replica.calls(), 3);
    replica.seen.unavailable.store(100, Ordering::SeqCst);
    assert_eq!(list(&peer, "skanu").await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_callee_that_is_away_fails_at_once_and_is_called_again_when_it_is_back() {
    let replica = Replica::start().await;
    let peer = Peer::across("ordering", "payment", &channel_to([&replica]), quick());
    list(&peer, "skanu").await.unwrap();
    let address = replica.address;
    replica.kill();
    eventually("the breaker opens", || async {
        let status = list(&peer, "skanu").await.unwrap_err();
        matches!(failure(&status), PeerFailure::Open).then_some(())
    })
    .await;
    let begun = Instant::now();
    list(&peer, "skanu").await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(20), "{:?}", begun.elapsed());
    let _replica = Replica::start_at(address).await;
    let begun = Instant::now();
    eventually("it is called again", || async { list(&peer, "skanu").await.ok() }).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_callee_that_hangs_opens_the_breaker() {
    let replica = Replica::start().await;
    let settings = PeerSettings { timeout: Duration::from_millis(20), ..PeerSettings::default() };
    let peer = Peer::across("ordering", "payment", &channel_to([&replica]), settings);
    list(&peer, "skanu").await.unwrap();
    let mut timed_out = 0;
    loop {
        let status = list(&peer, HANGS).await.unwrap_err();
        match failure(&status) {
            PeerFailure::TimedOut => timed_out += 1,
            PeerFailure::Open => break,
            other => panic!("{other}"),
        }
        assert!(timed_out < 50, "it never opens");
    }
}
