//! What every outbox promises.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all};
use highstreet_domain::kernel::ports::Outgoing;
use highstreet_domain::kernel::{Message, Timestamp};
use uuid::Uuid;

use super::writing::{Writing, id, store_works};
use super::{MOMENT, StorePorts, Stores, soon, within};
use crate::counter::Event;

/// Holds an outbox to its promises.
pub async fn outbox(stores: &dyn Stores) {
    what_is_committed_is_given_as_it_happened(&stores.store().await).await;
    what_is_published_is_not_given_again(&stores.store().await).await;
    nothing_is_skipped_however_late_it_is_committed(&stores.store().await).await;
    whoever_waits_is_woken(&stores.store().await).await;
}

async fn what_is_committed_is_given_as_it_happened(ports: &StorePorts) {
    let time = Timestamp::from_micros(1_000_001);
    let stream = Writing::new(id(1)).add(1).event(Event::Whispered, None).add(2).at(time);
    let stream = stream.append(&*ports.journal).await;
    let outgoing = next(ports, 10).await;
    let revisions: Vec<_> = outgoing.iter().map(|outgoing| outgoing.message.id).collect();
    let expected = [1, 3].map(|revision| Message::id_of(stream.id.uuid(), revision));
    assert_eq!(revisions, expected, "what is published, under the ids it always has");
    let message = &outgoing[0].message;
    assert_eq!((message.name.as_str(), message.subject, message.time), ("Added", stream.id.uuid(), time));
    assert_eq!(message.origin.actor, "mina", "where it came from");
    assert_eq!(serde_json::from_slice::<Event>(&message.body).ok(), Some(Event::Added(1)), "what happened");
    assert!(outgoing[0].position < outgoing[1].position, "positions grow");
}

async fn what_is_published_is_not_given_again(ports: &StorePorts) {
    let stream = Writing::new(id(2)).add(1).add(2).add(3).append(&*ports.journal).await;
    let first = next(ports, 2).await;
    assert_eq!(first.len(), 2, "no more than asked for");
    assert_eq!(next(ports, 2).await, first, "the same again until it is published");
    store_works(ports.outbox.published(first[0].position).await);
    let rest = next(ports, 10).await;
    let numbers: Vec<_> = rest.iter().map(|outgoing| outgoing.message.id).collect();
    assert_eq!(numbers, [2, 3].map(|revision| Message::id_of(stream.id.uuid(), revision)), "what comes after");
    store_works(ports.outbox.published(rest[1].position).await);
    assert!(within(&*ports.clock, MOMENT, ports.outbox.next(10)).await.is_none(), "nothing is left");
}

async fn nothing_is_skipped_however_late_it_is_committed(ports: &StorePorts) {
    const STREAMS: u128 = 20;
    const APPENDS: usize = 10;
    let write = join_all((0..STREAMS).map(|number| async move {
        let mut stream = Writing::new(id(100 + number));
        for _ in 0..APPENDS {
            stream = stream.add(1).add(1).append(&*ports.journal).await;
        }
    }));
    let read = async {
        let mut given: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        let mut count = 0;
        while count < 20 * APPENDS * 2 {
            let outgoing = next(ports, 7).await;
            count += outgoing.len();
            for Outgoing { message, .. } in &outgoing {
                given.entry(message.subject).or_default().push(message.id);
            }
            if let Some(last) = outgoing.last() {
                store_works(ports.outbox.published(last.position).await);
            }
        }
        given
    };
    let (_, given) = join(write, read).await;
    for (subject, ids) in given {
        let expected: Vec<_> = (1..=20).map(|revision| Message::id_of(subject, revision)).collect();
        assert_eq!(ids, expected, "every event of an aggregate, once, in its order");
    }
}

async fn whoever_waits_is_woken(ports: &StorePorts) {
    let soon_written = async {
        ports.clock.until(ports.clock.now().after(MOMENT)).await;
        Writing::new(id(300)).add(1).append(&*ports.journal).await
    };
    let (outgoing, _) = join(next(ports, 10), soon_written).await;
    assert_eq!(outgoing.len(), 1, "it waits until there is something");
}

async fn next(ports: &StorePorts, limit: usize) -> Vec<Outgoing> {
    store_works(soon(&*ports.clock, "something to publish", ports.outbox.next(limit)).await)
}
