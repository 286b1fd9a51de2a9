//! Rows of views, which wait for no disk.

use highstreet_domain::kernel::View;
use highstreet_domain::kernel::ports::{Filter, Save, Views};
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
