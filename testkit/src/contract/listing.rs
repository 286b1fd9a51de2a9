//! What every listing promises.

use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::{Filter, Page};
use uuid::Uuid;

use super::writing::{Writing, id, store_works};
use super::{StorePorts, Stores};
use crate::counter::Event;

/// Holds a listing to its promises.
pub async fn listing(stores: &dyn Stores) {
    pages_are_newest_first_and_stable_under_inserts(&stores.store().await).await;
    filters_narrow_a_list(&stores.store().await).await;
    what_is_not_there_for_others_is_not_listed(&stores.store().await).await;
    entries_are_listed_newest_first(&stores.store().await).await;
}

async fn pages_are_newest_first_and_stable_under_inserts(ports: &StorePorts) {
    // Two of each instant: the id tells them apart.
    for number in 0..10 {
        label(ports, number, i64::try_from(number / 2).unwrap_or(0), ["skanu", "mina", "NEW"]).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store_works(ports.listing.page(&Filter::default(), &Page { size: 3, after }).await);
        let Some((last, standing)) = page.last() else { break };
        after = Some((standing.created, last.uuid()));
        seen.extend(page.iter().map(|(id, _)| *id));
        let newer = 1000 + u128::try_from(seen.len()).unwrap_or(0);
        label(ports, newer, 99, ["skanu", "mina", "NEW"]).await;
    }
    let expected: Vec<_> = (0..10).rev().map(id).collect();
    assert_eq!(seen, expected, "newest first, each once, whatever is inserted meanwhile");
}

async fn filters_narrow_a_list(ports: &StorePorts) {
    let labels =
        [["skanu", "mina", "NEW"], ["skanu", "mina", "OLD"], ["skanu", "joon", "NEW"], ["other", "mina", "NEW"]];
    for (number, labels) in (0..).zip(labels) {
        label(ports, number, i64::try_from(number).unwrap_or(0), labels).await;
    }
    let only = |shop: &str, owner: &str, status: &str| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Filter { shop: some(shop), owner: some(owner), reference: None, status: some(status) }
    };
    assert_eq!(numbers(ports, &only("skanu", "", "")).await, [2, 1, 0]);
    assert_eq!(numbers(ports, &only("skanu", "mina", "")).await, [1, 0]);
    assert_eq!(numbers(ports, &only("skanu", "mina", "NEW")).await, [0]);
    assert_eq!(numbers(ports, &only("", "", "NEW")).await, [3, 2, 0]);
    let reference = Filter { reference: Some("counting/1".into()), ..only("other", "", "") };
    assert_eq!(numbers(ports, &reference).await, [3]);
    let nowhere = Filter { reference: Some("counting/2".into()), ..Filter::default() };
    assert_eq!(numbers(ports, &nowhere).await, [0u128; 0]);
}

async fn what_is_not_there_for_others_is_not_listed(ports: &StorePorts) {
    let stream = Writing::new(id(1)).add(1).append(&*ports.journal).await;
    assert_eq!(numbers(ports, &Filter::default()).await, [0u128; 0], "it has no labels yet");
    let labelled = Event::Labelled("skanu".into(), "mina".into(), "NEW".into());
    let stream = stream.event(labelled, None).append(&*ports.journal).await;
    let page = store_works(ports.listing.page(&Filter::default(), &Page { size: 10, after: None }).await);
    assert_eq!(page, vec![(stream.id, stream.standing)], "as it stands");
}

async fn entries_are_listed_newest_first(ports: &StorePorts) {
    let time = Timestamp::from_micros(1_000_001);
    let mut stream = Writing::new(id(1));
    for (key, entry) in ["a", "b", "c", "d", "e"].into_iter().zip(1..) {
        stream = stream.add(1).at(time).entry(key, entry).append(&*ports.journal).await;
    }
    let _other = Writing::new(id(2)).add(1).entry("z", 9).append(&*ports.journal).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store_works(ports.listing.entries(id(1), &Page { size: 2, after }).await);
        let Some(last) = page.last() else { break };
        after = Some(last.place);
        seen.extend(page.iter().map(|kept| (kept.key.clone(), kept.entry, kept.updated)));
    }
    let expected = [("e", 5), ("d", 4), ("c", 3), ("b", 2), ("a", 1)].map(|(key, entry)| (key.into(), entry, time));
    assert_eq!(seen, expected, "newest first, each once");
}

// === Small things ===

async fn label(ports: &StorePorts, number: u128, second: i64, [shop, owner, status]: [&str; 3]) {
    let labelled = Event::Labelled(shop.into(), owner.into(), status.into());
    let time = Timestamp::from_micros(second * 1_000_000 + 1);
    Writing::new(id(number)).event(labelled, None).at(time).append(&*ports.journal).await;
}

async fn numbers(ports: &StorePorts, filter: &Filter) -> Vec<u128> {
    let page = store_works(ports.listing.page(filter, &Page { size: 100, after: None }).await);
    let base = id(0).uuid().as_u128();
    page.into_iter().map(|(id, _)| Uuid::as_u128(&id.uuid()) - base).collect()
}
