//! Goldens are handled by everybody who listens.

use std::collections::BTreeSet;

use highstreet::config::{GroundArgs, ShopArgs};
use highstreet_domain::kernel::ports::{Bus, DeadLetter, DeadLetters};
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use highstreet_sqlite::EmbeddedBus;
use highstreet_wire::{
    Hears, booking, delivery, inventory, kitchen, lending, loyalty, notification, ordering, payment, replenishment,
    sales, seating, ticketing, tracking,
};
use uuid::Uuid;

use crate::common::{HighStreet, eventually};
use crate::golden::{self, Golden};

/// Everybody who listens, policies and views, under the name of their durable consumers.
const LISTENERS: [(&str, Hears); 18] = [
    ("booking", booking::HEARS),
    ("delivery", delivery::HEARS),
    ("inventory", inventory::HEARS),
    ("kitchen", kitchen::HEARS),
    ("lending", lending::HEARS),
    ("lending-books", lending::BOOKS),
    ("loyalty", loyalty::HEARS),
    ("notification", notification::HEARS),
    ("ordering", ordering::HEARS),
    ("payment", payment::HEARS),
    ("replenishment", replenishment::HEARS),
    ("sales", sales::HEARS),
    ("seating", seating::HEARS),
    ("ticketing", ticketing::HEARS),
    ("tracking", tracking::HEARS),
    ("tracking-orders", tracking::ORDERS),
    ("tracking-goods", tracking::GOODS),
    ("tracking-takings", tracking::TAKINGS),
];

fn message(context: &str, name: &str, body: Vec<u8>) -> Message {
    Message {
        id: Uuid::now_v7(),
        source: context.into(),
        name: name.into(),
        subject: Uuid::parse_str("01950000-0000-7000-8000-000000000001").unwrap(),
        time: Timestamp::from_micros(1_767_225_600_000_000),
        origin: Origin::default(),
        body,
    }
}

/// What each listener has laid aside.
async fn letters(bus: &EmbeddedBus) -> Vec<Vec<DeadLetter>> {
    let mut all = Vec::new();
    for (listener, _) in LISTENERS {
        all.push(bus.behind(listener, 0, 1000).await.unwrap());
    }
    all
}

/// CAP-18: what every version published, twice over, is handled by every policy and view that listens for it, and by
/// none of them laid aside. Behind it comes what nobody can read: once that is laid aside, all before it is done.
#[tokio::test(flavor = "multi_thread")]
async fn cap_18_what_was_published_once_is_heard_by_everybody() {
    let data = tempfile::tempdir().unwrap();
    let goldens = golden::all();
    let golden = |golden: &Golden| message(&golden.context, &golden.name, golden.body.clone());
    let heard: BTreeSet<_> = LISTENERS
        .iter()
        .flat_map(|(_, hears)| *hears)
        .flat_map(|(source, names)| names.iter().map(|name| (*source, *name)))
        .collect();
    let unreadable: Vec<_> = heard.iter().map(|(source, name)| message(source, name, vec![0xff; 8])).collect();
    for (source, name) in &heard {
        assert!(
            goldens.iter().any(|it| (it.context.as_str(), it.name.as_str()) == (*source, *name)),
            "{source}.{name}"
        );
    }
    let last: BTreeSet<_> = unreadable.iter().map(|message| message.id).collect();
    let bus = EmbeddedBus::open(&data.path().join("bus.db")).unwrap();
    bus.publish(goldens.iter().chain(&goldens).map(golden).chain(unreadable).collect()).await.unwrap();

    let _street = HighStreet::on(GroundArgs::embedded(data.path()), ShopArgs::standard()).await;
    let expected = LISTENERS.map(|(_, hears)| hears.iter().map(|(_, names)| names.len()).sum::<usize>());
    let is_golden = |letter: &&DeadLetter| !letter.message.as_ref().is_some_and(|message| last.contains(&message.id));
    let all = eventually("what nobody can read is laid aside by everybody", || async {
        let letters = letters(&bus).await;
        let done = letters.iter().zip(expected).all(|(letters, expected)| letters.len() >= expected);
        (done || letters.iter().flatten().any(|letter| is_golden(&letter))).then_some(letters)
    });
    let all = all.await;
    let wrong: Vec<_> = all.iter().flatten().filter(is_golden).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
