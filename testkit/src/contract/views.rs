//! What every keeper of views promises.

use std::time::Duration;

use futures_util::future::join;
use highstreet_domain::kernel::ports::{Filter, Page, Row, Save, Views};
use highstreet_domain::kernel::{Timestamp, View};

use super::writing::store_works;
use super::{MOMENT, StorePorts, Stores, soon, within};
use crate::counter::{Tally, Told};

/// Holds rows to their promises.
pub async fn views(stores: &dyn Stores) {
    a_row_is_as_it_was_written(&stores.store().await).await;
    whoever_writes_second_is_told(&stores.store().await).await;
    pages_are_newest_first(&stores.store().await).await;
    changes_come_in_their_order(&stores.store().await).await;
    whoever_waits_for_a_change_is_woken(&stores.store().await).await;
    what_was_saved_can_be_flushed(&stores.store().await).await;
}

async fn a_row_is_as_it_was_written(ports: &StorePorts) {
    assert_eq!(load(ports, "a").await, None, "a row nobody wrote");
    assert_eq!(store_works(ports.views.latest().await), 0, "nothing has changed yet");
    assert_eq!(save(ports, &[("a", 0, 1)]).await, [true]);
    let first = load(ports, "a").await.expect("a row that was written");
    assert_eq!((first.key.as_str(), &first.view, first.version), ("a", &tally(1), 1));
    assert_eq!((first.created, first.updated), (time(1), time(1)));
    assert_eq!(save(ports, &[("a", 1, 2)]).await, [true]);
    let second = load(ports, "a").await.expect("a row that was written");
    assert_eq!((&second.view, second.created, second.updated), (&tally(2), time(1), time(2)));
    assert!(second.version > first.version && second.cursor > first.cursor, "every write counts");
    assert_eq!(store_works(ports.views.latest().await), second.cursor);
    let keys = ["b", "a", "c"].map(Into::into);
    let rows = store_works(ports.views.load(&keys).await);
    assert_eq!(rows, vec![None, Some(second), None], "in the order asked");
}

async fn whoever_writes_second_is_told(ports: &StorePorts) {
    assert_eq!(save(ports, &[("a", 0, 1), ("b", 0, 1)]).await, [true, true]);
    let written = save(ports, &[("a", 0, 9), ("b", 1, 2), ("c", 7, 9), ("d", 0, 1)]).await;
    assert_eq!(written, [false, true, false, true], "each row by itself");
    assert_eq!(load(ports, "a").await.map(|row| row.view), Some(tally(1)), "what was refused is not written");
    assert_eq!(load(ports, "c").await, None, "nor made");
}

async fn pages_are_newest_first(ports: &StorePorts) {
    for (key, number) in [("a", 1), ("b", 200), ("c", 3)] {
        assert_eq!(save(ports, &[(key, 0, number)]).await, [true]);
    }
    assert_eq!(save(ports, &[("a", 1, 4)]).await, [true]);
    let keys = async |status: Option<&str>, size| {
        let filter = Filter { shop: Some("skanu".into()), status: status.map(Into::into), ..Filter::default() };
        let rows = store_works(ports.views.page(&filter, &Page { size, after: None }).await);
        rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(None, 10).await, ["b", "c", "a"], "by when they were first written");
    assert_eq!(keys(None, 2).await, ["b", "c"], "no more than asked for");
    assert_eq!(keys(Some("SMALL"), 10).await, ["c", "a"], "as the row is indexed now");
    let first = store_works(ports.views.page(&Filter::default(), &Page { size: 1, after: None }).await);
    let after = Some((first[0].created, first[0].place));
    assert_eq!(save(ports, &[("d", 0, 300)]).await, [true]);
    let rest = store_works(ports.views.page(&Filter::default(), &Page { size: 10, after }).await);
    assert_eq!(rest.into_iter().map(|row| row.key).collect::<Vec<_>>(), ["c", "a"], "stable under inserts");
    let nowhere = Filter { shop: Some("other".into()), ..Filter::default() };
    assert_eq!(store_works(ports.views.page(&nowhere, &Page { size: 9, after: None }).await), vec![]);
}

async fn changes_come_in_their_order(ports: &StorePorts) {
    for (key, version, number) in [("a", 0, 1), ("b", 0, 2), ("c", 0, 300), ("a", 1, 4)] {
        assert_eq!(save(ports, &[(key, version, number)]).await, [true]);
    }
    let changes = changed(ports, &Filter::default(), 0, 10).await;
    let keys: Vec<_> = changes.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["b", "c", "a"], "each row once, at its latest change");
    let first = changed(ports, &Filter::default(), 0, 1).await;
    assert_eq!(first, changes[..1], "no more than asked for");
    assert_eq!(changed(ports, &Filter::default(), first[0].cursor, 10).await, changes[1..], "on from a cursor");
    let small = Filter { status: Some("SMALL".into()), ..Filter::default() };
    let keys: Vec<_> = changed(ports, &small, 0, 10).await.into_iter().map(|row| row.key).collect();
    assert_eq!(keys, ["b", "a"], "only what is wanted");
    let latest = store_works(ports.views.latest().await);
    let more = within(&*ports.clock, MOMENT, ports.views.changes(&Filter::default(), latest, 10)).await;
    assert!(more.is_none(), "nothing has changed since");
}

async fn whoever_waits_for_a_change_is_woken(ports: &StorePorts) {
    let soon_written = async {
        ports.clock.until(ports.clock.now().after(Duration::from_millis(20))).await;
        save(ports, &[("b", 0, 200)]).await;
        ports.clock.until(ports.clock.now().after(Duration::from_millis(20))).await;
        save(ports, &[("a", 0, 1)]).await
    };
    let small = Filter { status: Some("SMALL".into()), ..Filter::default() };
    let (rows, _) = join(changed(ports, &small, 0, 10), soon_written).await;
    assert_eq!(rows.into_iter().map(|row| row.key).collect::<Vec<_>>(), ["a"], "it waits for what is wanted");
}

// === Small things ===

/// Rows are written at the second their number says.
async fn what_was_saved_can_be_flushed(ports: &StorePorts) {
    assert_eq!(save(ports, &[("a", 0, 1)]).await, [true]);
    assert!(load(ports, "a").await.is_some(), "nobody who reads waits for that");
    store_works(ports.views.flush().await);
    assert!(!ports.views.is_unflushed());
    assert_eq!(save(ports, &[("a", 1, 2)]).await, [true]);
    store_works(ports.views.flush().await);
    assert!(!ports.views.is_unflushed(), "each time");
}

async fn save(ports: &StorePorts, rows: &[(&str, u64, i64)]) -> Vec<bool> {
    save_in(&*ports.views, rows).await
}

/// The same, wherever the rows are kept.
pub(super) async fn save_in(views: &dyn Views<Tally>, rows: &[(&str, u64, i64)]) -> Vec<bool> {
    let saves = rows.iter().map(|(key, version, number)| {
        let view = tally(*number);
        Save { key: (*key).into(), version: *version, index: view.index(), view, time: time(*number) }
    });
    store_works(views.save(saves.collect()).await)
}

pub(super) async fn load(ports: &StorePorts, key: &str) -> Option<Row<Tally>> {
    store_works(ports.views.load(&[key.into()]).await).pop().flatten()
}

async fn changed(ports: &StorePorts, filter: &Filter, cursor: u64, limit: usize) -> Vec<Row<Tally>> {
    store_works(soon(&*ports.clock, "a change", ports.views.changes(filter, cursor, limit)).await)
}

pub(super) fn tally(number: i64) -> Tally {
    Tally::default().apply(&Told { row: "a".into(), source: "mina".into(), revision: 1, number })
}

pub(super) fn time(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000 + 1)
}
