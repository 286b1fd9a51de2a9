//! Rolling restarts under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use highstreet_testkit::servers::eventually;

use crate::replica::Replica;
use crate::{channel_to, list};

const CALLERS: usize = 32;
const ROUNDS: usize = 3;

/// CAP-16: replicas are restarted one after another, and no caller notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cap_16_a_rolling_restart_loses_no_call() {
    let mut replicas = vec![Replica::start().await, Replica::start().await];
    let channel = channel_to(&replicas);
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (channel, over, answered) = (channel.clone(), over.clone(), answered.clone());
            tokio::spawn(async move {
                let shop = format!("shop-{caller}");
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(list(&channel, &shop).await.unwrap(), shop);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        for _ in 0..replicas.len() {
            let replica = replicas.remove(0);
            eventually("it has work", || async { (replica.calls() > 300).then_some(()) }).await;
            let address = replica.address;
            replica.stop().await;
            replicas.push(Replica::start_at(address).await);
        }
    }
    for replica in &replicas {
        eventually("it has work again", || async { (replica.calls() > 300).then_some(()) }).await;
    }
    over.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(answered.load(Ordering::SeqCst) > 2000, "{answered:?}");
}
