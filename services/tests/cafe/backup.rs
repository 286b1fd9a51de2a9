//! A backup of a data folder, taken while people order.

use tempfile::tempdir;
use tokio::task::{JoinSet, spawn_blocking};

use crate::binary::{Server, run};
use crate::kill::{Answered, channel, check, order_and_pay};
use crate::shop::eventually;

const CALLERS: usize = 4;

/// CAP-20: what was answered before the backup is in it, whole: orders with their payments, and what follows from them.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_taken_while_people_order_and_works_as_the_shop_did() {
    let (data, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let copy = elsewhere.path().join("backup");
    let server = Server::start(data.path()).await;
    let answered = Answered::default();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(order_and_pay(channel(&server).await, answered.clone()));
    }
    let more = |than: usize| {
        let answered = answered.clone();
        async move { eventually("more answers", || async { (answered.lock().unwrap().len() > than).then_some(()) }).await }
    };
    more(100).await;
    let before = answered.lock().unwrap().clone();
    let (from, to) = (data.path().display().to_string(), copy.display().to_string());
    let done = spawn_blocking(move || run(&["ops", "backup", &to, "--data", &from])).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains(&format!("serve --data {}", copy.display())), "{said}");
    let meanwhile = answered.lock().unwrap().len();
    more(meanwhile + 20).await;
    server.kill();
    while callers.join_next().await.is_some() {}
    drop(data);

    let restored = Server::start(&copy).await;
    let channel = channel(&restored).await;
    for (order, approved) in before.into_values() {
        check(&channel, &order, approved).await;
    }
}

#[test]
fn a_backup_of_nothing_and_over_something_is_refused() {
    let (data, there) = (tempdir().unwrap(), tempdir().unwrap());
    let new = there.path().join("new").display().to_string();
    let refused = run(&["ops", "backup", &new, "--data", &data.path().display().to_string()]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("there is nothing to back up"), "{why}");
    std::fs::write(data.path().join("ordering.db"), "").unwrap();
    let there = there.path().display().to_string();
    let refused = run(&["ops", "backup", &there, "--data", &data.path().display().to_string()]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("is there already"), "{why}");
}
