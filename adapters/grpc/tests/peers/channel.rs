//! Which replica is called, and what is known when none is.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use highstreet_grpc::{Channel, ChannelSettings, Names, PeerFailure};
use highstreet_testkit::servers::{eventually, free_port};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::replica::{HANGS, Replica};
use crate::{channel_to, failure, list, settings};

#[tokio::test]
async fn replicas_share_the_calls() {
    let replicas = [Replica::start().await, Replica::start().await, Replica::start().await];
    let channel = channel_to(&replicas);
    eventually("all are connected", || async {
        list(&channel, "skanu").await.unwrap();
        replicas.iter().all(|replica| replica.calls() > 0).then_some(())
    })
    .await;
    let before = replicas.each_ref().map(Replica::calls);
    for _ in 0..600 {
        list(&channel, "skanu").await.unwrap();
    }
    for (replica, before) in replicas.iter().zip(before) {
        assert!(replica.calls() - before > 130, "{} of 600", replica.calls() - before);
    }
}

#[tokio::test]
async fn a_busy_replica_gets_less() {
    let replicas = [Replica::start().await, Replica::start().await];
    let channel = channel_to(&replicas);
    eventually("both are connected", || async {
        list(&channel, "skanu").await.unwrap();
        replicas.iter().all(|replica| replica.calls() > 0).then_some(())
    })
    .await;
    let stuck = tokio::spawn({
        let channel = channel.clone();
        async move { list(&channel, HANGS).await }
    });
    let hangs = |replica: &Replica| replica.hanging() == 1;
    eventually("one hangs", || async { replicas.iter().any(hangs).then_some(()) }).await;
    let free = replicas.iter().find(|replica| !hangs(replica)).unwrap();
    let before = free.calls();
    for _ in 0..100 {
        list(&channel, "skanu").await.unwrap();
    }
    assert_eq!(free.calls() - before, 100);
    stuck.abort();
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_not_called_while_another_is_fine() {
    let replica = Replica::start().await;
    let nobody = free_port();
    let addresses = format!("http://127.0.0.1:{nobody},http://{}", replica.address);
    let channel = Channel::new(addresses.parse().unwrap(), settings());
    for _ in 0..200 {
        list(&channel, "skanu").await.unwrap();
    }
}

#[tokio::test]
async fn a_callee_that_is_not_there_is_known_at_once_and_called_again_when_it_is() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let channel = Channel::new(format!("http://{address}").parse().unwrap(), settings());
    let mut took = Vec::new();
    for _ in 0..51 {
        let begun = Instant::now();
        let status = list(&channel, "skanu").await.unwrap_err();
        took.push(begun.elapsed());
        assert!(matches!(failure(&status), PeerFailure::Away(why) if why.contains("refused")), "{status:?}");
    }
    took.sort_unstable();
    assert!(took[25] < Duration::from_millis(5), "median {:?}", took[25]);
    let _replica = Replica::start_at(address).await;
    let begun = Instant::now();
    eventually("it is called again", || async { list(&channel, "skanu").await.ok() }).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_name_that_nobody_has_is_known_at_once() {
    let channel = Channel::new("http://nobody.invalid:8088".parse().unwrap(), settings());
    let status = list(&channel, "skanu").await.unwrap_err();
    assert!(matches!(failure(&status), PeerFailure::Away(why) if why.contains("nobody.invalid:8088")), "{status:?}");
}

#[tokio::test]
async fn replicas_that_join_are_called_and_those_that_leave_are_not() {
    let (first, second) = (Replica::start().await, Replica::start().await);
    let known = Arc::new(Mutex::new(vec![first.address]));
    let names: Names = {
        let known = known.clone();
        Arc::new(move |_, _| {
            let known = known.lock().unwrap().clone();
            Box::pin(async move { Ok(known) })
        })
    };
    let channel = Channel::with_names("http://payment:8088".parse().unwrap(), settings(), names);
    list(&channel, "skanu").await.unwrap();
    known.lock().unwrap().push(second.address);
    eventually("the second is called", || async {
        list(&channel, "skanu").await.unwrap();
        (second.calls() > 0).then_some(())
    })
    .await;
    known.lock().unwrap().remove(0);
    eventually("the first is not called any more", || async {
        let before = first.calls();
        for _ in 0..20 {
            list(&channel, "skanu").await.unwrap();
        }
        (first.calls() == before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_lost_on_the_way_may_have_been_carried_out() {
    let replica = Replica::start().await;
    let channel = channel_to([&replica]);
    let call = tokio::spawn({
        let channel = channel.clone();
        async move { list(&channel, HANGS).await }
    });
    eventually("it hangs", || async { (replica.hanging() == 1).then_some(()) }).await;
    replica.kill();
    let status = call.await.unwrap().unwrap_err();
    assert!(matches!(failure(&status), PeerFailure::Broken(_)), "{status:?}");
}

#[tokio::test]
async fn a_cut_network_is_noticed_though_nobody_says_so() {
    let cut = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = cut.local_addr().unwrap();
    let (keep_alive, keep_alive_timeout) = (Duration::from_millis(50), Duration::from_millis(50));
    let settings = ChannelSettings { keep_alive, keep_alive_timeout, ..settings() };
    let channel = Channel::new(format!("http://{address}").parse().unwrap(), settings);
    let accepting = tokio::spawn(async move {
        let mut taken = Vec::new();
        loop {
            let mut connection = h2::server::handshake(cut.accept().await.unwrap().0).await.unwrap();
            // From the first call on nothing is read or said any more.
            let call = connection.accept().await;
            taken.push((connection, call));
        }
    });
    let begun = Instant::now();
    let status = list(&channel, "skanu").await.unwrap_err();
    assert!(matches!(failure(&status), PeerFailure::Broken(_)), "{status:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    accepting.abort();
}

/// The system takes connections for a process that is going, which serves nobody any more.
#[tokio::test]
async fn whoever_takes_connections_and_says_nothing_is_not_called() {
    let going = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = going.local_addr().unwrap();
    let patience = Duration::from_millis(100);
    let alone = ChannelSettings { keep_alive_timeout: patience, ..settings() };
    let alone = Channel::new(format!("http://{address}").parse().unwrap(), alone);
    let status = list(&alone, "skanu").await.unwrap_err();
    assert!(matches!(failure(&status), PeerFailure::Away(why) if why.contains("no answer within")), "{status:?}");
    drop(alone);

    let closing = tokio::spawn(async move {
        loop {
            let (mut socket, _) = going.accept().await.unwrap();
            // Closed with something left to read, which resets the connection.
            let _ = socket.read(&mut [0; 8]).await;
        }
    });
    let replica = Replica::start().await;
    let addresses = format!("http://{address},http://{}", replica.address);
    let channel = Channel::new(addresses.parse().unwrap(), settings());
    for _ in 0..200 {
        list(&channel, "skanu").await.unwrap();
    }
    assert_eq!(replica.calls(), 200);
    closing.abort();
}

#[tokio::test]
async fn a_replica_that_refuses_a_call_did_not_look_at_it_and_another_is_asked() {
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = refusing.local_addr().unwrap();
    let refusals = tokio::spawn(async move {
        loop {
            let (socket, _) = refusing.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((_, mut answer))) = connection.accept().await {
                    answer.send_reset(h2::Reason::REFUSED_STREAM);
                }
            });
        }
    });
    let replica = Replica::start().await;
    let addresses = format!("http://{address},http://{}", replica.address);
    let channel = Channel::new(addresses.parse().unwrap(), settings());
    for call in 0..20 {
        let shop = format!("shop-{call}");
        // The message arrives whole though it was sent before.
        assert_eq!(eventually("answered", || async { list(&channel, &shop).await.ok() }).await, shop);
    }
    assert_eq!(replica.calls(), 20);
    refusals.abort();
}
