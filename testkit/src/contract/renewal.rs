//! What everybody promises who makes rows of views anew.

use futures_util::future::join;
use highstreet_domain::kernel::ports::{Filter, Page, Row, Views};

use super::views::{load, save_in, tally, time};
use super::writing::store_works;
use super::{MOMENT, StorePorts, Stores, soon, within};
use crate::counter::Tally;

/// Holds renewals to their promises.
pub async fn renewal(stores: &dyn Stores) {
    rows_beside_are_seen_by_nobody(&stores.store().await).await;
    new_rows_take_the_place_of_old_ones(&stores.store().await).await;
    what_is_held_is_not_written_and_answers(&stores.store().await).await;
    nothing_takes_the_place_of_nothing(&stores.store().await).await;
}

async fn rows_beside_are_seen_by_nobody(ports: &StorePorts) {
    let beside = ports.renewal.beside("one");
    assert_eq!(save_in(&*beside, &[("a", 0, 1)]).await, [true]);
    assert_eq!(load(ports, "a").await, None);
    assert_eq!(all(ports).await, []);
    assert_eq!(store_works(beside.load(&["a".into()]).await)[0].as_ref().map(|row| &row.view), Some(&tally(1)));
    assert_eq!(save_in(&*ports.renewal.beside("two"), &[("a", 0, 2)]).await, [true], "each name has its own");
    let mut names = store_works(ports.renewal.beside_names().await);
    names.sort();
    assert_eq!(names, ["one", "two"]);
    store_works(ports.renewal.clear("one").await);
    assert_eq!(store_works(ports.renewal.beside_names().await), ["two"]);
    assert_eq!(store_works(ports.renewal.beside("one").load(&["a".into()]).await), vec![None]);
}

async fn new_rows_take_the_place_of_old_ones(ports: &StorePorts) {
    let own = &*ports.views;
    assert_eq!(save_in(own, &[("same", 0, 1), ("changed", 0, 2), ("gone", 0, 3)]).await, [true; 3]);
    let (same, changed) = (load(ports, "same").await, load(ports, "changed").await.expect("it was written"));
    let latest = store_works(ports.views.latest().await);
    let beside = ports.renewal.beside("one");
    assert_eq!(save_in(&*beside, &[("same", 0, 1), ("changed", 0, 200), ("new", 0, 5)]).await, [true; 3]);
    let held = store_works(ports.renewal.hold().await);
    assert_eq!(store_works(held.adopt("one").await), 3);

    assert_eq!(load(ports, "same").await, same, "what is the same is no change");
    let row = load(ports, "changed").await.expect("it is there");
    assert_eq!((&row.view, row.created, row.place), (&tally(200), changed.created, changed.place), "in its old place");
    assert!(row.version > changed.version && row.cursor > latest, "whoever follows the view is told");
    assert_eq!(load(ports, "gone").await, None);
    let new = load(ports, "new").await.expect("it is there");
    assert_eq!((&new.view, new.created), (&tally(5), time(5)));
    assert!(new.cursor > latest && new.cursor != row.cursor);
    let large = Filter { status: Some("LARGE".into()), ..Filter::default() };
    let rows = store_works(ports.views.page(&large, &Page { size: 10, after: None }).await);
    assert_eq!(rows, vec![row.clone()], "it is found as it is indexed now");
    let any = Filter::default();
    let changes = ports.views.changes(&any, latest, 10);
    assert_eq!(store_works(soon(&*ports.clock, "changes", changes).await).len(), 2);
    assert_eq!(store_works(ports.renewal.beside_names().await), Vec::<String>::new(), "nothing is left beside");

    assert_eq!(save_in(own, &[("changed", changed.version, 9)]).await, [false], "whoever read the old one is told");
    assert_eq!(save_in(own, &[("changed", row.version, 9), ("gone", 0, 4), ("new", new.version, 6)]).await, [true; 3]);
}

async fn what_is_held_is_not_written_and_answers(ports: &StorePorts) {
    assert_eq!(save_in(&*ports.views, &[("a", 0, 1)]).await, [true]);
    let held = store_works(ports.renewal.hold().await);
    assert!(load(ports, "a").await.is_some(), "it answers");
    assert_eq!(save_in(&*ports.renewal.beside("one"), &[("a", 0, 2)]).await, [true], "what is beside is not held");
    let nobody = within(&*ports.clock, MOMENT, save_in(&*ports.views, &[("b", 0, 1)])).await;
    assert_eq!(nobody, None, "nobody writes");
    let let_go = async {
        ports.clock.until(ports.clock.now().after(MOMENT)).await;
        drop(held);
    };
    let (written, ()) = join(soon(&*ports.clock, "it is let go", save_in(&*ports.views, &[("c", 0, 1)])), let_go).await;
    assert_eq!(written, [true]);
    assert_eq!(load(ports, "a").await.map(|row| row.view), Some(tally(1)), "dropped, it changes nothing");
}

async fn nothing_takes_the_place_of_nothing(ports: &StorePorts) {
    assert_eq!(save_in(&*ports.views, &[("a", 0, 1)]).await, [true]);
    let held = store_works(ports.renewal.hold().await);
    assert_eq!(store_works(held.adopt("nobody").await), 1);
    assert!(load(ports, "a").await.is_some(), "what was never made replaces nothing");
    assert_eq!(save_in(&*ports.views, &[("b", 0, 1)]).await, [true], "and it lets go");
}

async fn all(ports: &StorePorts) -> Vec<Row<Tally>> {
    let views: &dyn Views<Tally> = &*ports.views;
    store_works(views.page(&Filter::default(), &Page { size: 10, after: None }).await)
}
