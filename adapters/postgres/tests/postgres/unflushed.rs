//! Rows of views, which wait for no disk.

use std::sync::Arc;

use highstreet_domain::kernel::View;
use highstreet_domain::kernel::ports::{Filter, Renewal, Save, Views};
use highstreet_postgres::PostgresViews;
use highstreet_testkit::counter::{Tally, Told};
use highstreet_testkit::servers::{PostgresServer, eventually};

use crate::counting::{Replica, now};

/// Adds one more to a row; `None` if that did not work.
async fn fold(views: &PostgresViews<Tally>, key: &str) -> Option<()> {
    let found = views.load(&[key.to_owned()]).await.ok()?.remove(0);
    let (view, version) = found.map_or_else(Default::default, |row| (row.view, row.version));
    let view: Tally = view.apply(&Told { row: key.into(), source: "a".into(), revision: version + 1, number: 1 });
    let save = Save { key: key.into(), version, index: view.index(), view, time: now() };
    (views.save(vec![save]).await.ok()? == [true]).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_that_dies_may_have_lost_is_not_flushed_and_no_number_is_seen_twice() {
    let mut server = PostgresServer::start_with(&["fsync=on"]).await;
    let replica = Replica::open(&server, "dying").await;
    let [saving, finding, idle] = [replica.views(), replica.views(), replica.views()];
    fold(&saving, "row").await.unwrap();
    saving.flush().await.unwrap();
    assert!(!saving.is_unflushed());
    for _ in 0..3 {
        fold(&saving, "row").await.unwrap();
        let told = replica.views().changes(&Filter::default(), 0, 10).await.unwrap().remove(0);
        assert!(finding.load(&["row".into()]).await.unwrap()[0].is_some());
        server.kill();
        server.restart().await;

        assert!(saving.is_unflushed());
        saving.flush().await.expect_err("whoever saved it is to make it anew");
        finding.flush().await.expect_err("whoever relied on it, too");
        idle.flush().await.expect("who did neither has nothing to make anew");
        let version = async |views: &PostgresViews<Tally>| {
            let row = || async { Some(views.load(&["row".into()]).await.ok()?.remove(0)?.version) };
            eventually("the server answers", row).await
        };
        assert_eq!(version(&saving).await, version(&replica.views()).await, "what was lost is not remembered either");
        eventually("rows are saved again", || fold(&saving, "row")).await;
        saving.flush().await.unwrap();
        let next = replica.views().changes(&Filter::default(), told.cursor, 10).await.unwrap();
        assert!(next[0].cursor > told.cursor, "whoever was told of the lost change is told of the next one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_flushed_outlives_the_server() {
    let mut server = PostgresServer::start_with(&["fsync=on"]).await;
    let replica = Replica::open(&server, "kept").await;
    let views = replica.views();
    for version in 1..=5 {
        eventually("a row is saved", || fold(&views, "row")).await;
        views.flush().await.unwrap();
        server.kill();
        server.restart().await;
        let kept = eventually("the server answers", || async { views.load(&["row".into()]).await.ok() }).await;
        assert_eq!(kept[0].as_ref().map(|row| row.version), Some(version));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_held_rows_holds_up_none_beside_them() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "held").await;
    let views = Arc::new(replica.views());
    fold(&views, "row").await.unwrap();
    let held = views.hold().await.unwrap();
    let waiting = tokio::spawn({
        let views = views.clone();
        async move { fold(&views, "row").await }
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    eventually("a save waits", || async { (server.run_in("highstreet", waits) == "1").then_some(()) }).await;
    let [one, other] = ["one", "other"].map(|key| (views.beside("new"), key));
    for (beside, key) in [one, other] {
        let view = Tally::default().apply(&Told { row: key.into(), source: "a".into(), revision: 1, number: 1 });
        let save = Save { key: key.into(), version: 0, index: view.index(), view, time: now() };
        assert_eq!(beside.save(vec![save]).await.unwrap(), [true]);
        beside.flush().await.unwrap();
    }
    assert!(!waiting.is_finished());
    assert_eq!(held.adopt("new").await.unwrap(), 2);
    assert_eq!(waiting.await.unwrap(), None, "its row is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_had_nothing_to_flush_when_the_server_died_goes_on_saving() {
    let mut server = PostgresServer::start_with(&["fsync=on"]).await;
    let replica = Replica::open(&server, "on").await;
    let views = replica.views();
    // Found, and never saved.
    views.load(&["row".into()]).await.unwrap();
    server.kill();
    server.restart().await;
    eventually("rows are saved again", || fold(&views, "row")).await;
    views.flush().await.expect_err("what was found before may be lost");
    fold(&views, "row").await.unwrap();
    views.flush().await.unwrap();
}
