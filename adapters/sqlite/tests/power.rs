//! The power fails: of views, what was not flushed is gone, and nobody misses anything for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use highstreet_domain::kernel::View;
use highstreet_domain::kernel::ports::{Clock, Filter, Renewal, Row, Save, Views};
use highstreet_foundation::SystemClock;
use highstreet_sqlite::{SqliteViews, Store};
use highstreet_testkit::counter::Tally;
use tempfile::TempDir;

fn open(folder: &Path) -> SqliteViews<Tally> {
    SqliteViews::new(Arc::new(Store::open_context(&folder.join("tallies.db")).unwrap()))
}

/// What is on the disk now.
fn image(folder: &Path) -> TempDir {
    let image = tempfile::tempdir().unwrap();
    for file in ["tallies.db", "tallies.db-wal"] {
        fs::copy(folder.join(file), image.path().join(file)).unwrap();
    }
    image
}

async fn save(views: &dyn Views<Tally>, key: &str) {
    let view = Tally::default();
    let save = Save { key: key.into(), version: 0, index: view.index(), view, time: SystemClock.now() };
    assert_eq!(views.save(vec![save]).await.unwrap(), [true]);
}

async fn load(views: &dyn Views<Tally>, key: &str) -> Option<Row<Tally>> {
    views.load(&[key.into()]).await.unwrap().pop().unwrap()
}

/// Whoever watched before the loss goes on behind the last change it was told of, and is told of all that is made anew.
#[tokio::test]
async fn changes_made_anew_come_behind_those_that_were_lost() {
    let folder = tempfile::tempdir().unwrap();
    let views = open(folder.path());
    save(&views, "a").await;
    let image = image(folder.path());
    for lost in ["b", "c"] {
        save(&views, lost).await;
    }
    assert!(views.is_unflushed());
    let told_of = views.latest().await.unwrap();

    let views = open(image.path());
    assert_eq!(load(&views, "b").await, None);
    for anew in ["c", "b"] {
        save(&views, anew).await;
    }
    let changes = views.changes(&Filter::default(), told_of, 10).await.unwrap();
    assert_eq!(changes.iter().map(|row| &*row.key).collect::<Vec<_>>(), ["c", "b"]);
}

/// The same for rows that are put in the place of others before anything else is written.
#[tokio::test]
async fn so_do_those_of_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let views = open(folder.path());
    save(&*views.beside("anew"), "a").await;
    save(&views, "b").await;
    let image = image(folder.path());
    save(&views, "c").await;
    let told_of = views.latest().await.unwrap();

    let views = open(image.path());
    assert_eq!(views.hold().await.unwrap().adopt("anew").await.unwrap(), 1);
    let changes = views.changes(&Filter::default(), told_of, 10).await.unwrap();
    assert_eq!(changes.iter().map(|row| &*row.key).collect::<Vec<_>>(), ["a"]);
}

/// A process that is killed loses nothing, but what it left is no more flushed than before.
#[tokio::test]
async fn what_a_killed_process_left_is_flushed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let views = open(folder.path());
    save(&views, "a").await;
    let left = image(folder.path());
    let views = open(left.path());
    assert!(load(&views, "a").await.is_some());
    assert!(views.is_unflushed(), "the power may still fail");
    views.flush().await.unwrap();
    assert!(!views.is_unflushed());
}

/// The last change may be that of a row that goes.
#[tokio::test]
async fn a_rebuild_that_takes_the_last_row_away_goes_on_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let views = open(folder.path());
    for key in ["a", "b"] {
        save(&views, key).await;
    }
    let told_of = views.latest().await.unwrap();
    save(&*views.beside("anew"), "a").await;
    assert_eq!(views.hold().await.unwrap().adopt("anew").await.unwrap(), 1);
    assert_eq!(load(&views, "b").await, None);
    save(&views, "c").await;
    let changes = views.changes(&Filter::default(), told_of, 10).await.unwrap();
    assert_eq!(changes.iter().map(|row| &*row.key).collect::<Vec<_>>(), ["c"]);
}
