//! What every agenda promises.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::{join, join_all};
use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::{Agenda, Clock, Journal, Task, Wake};

use super::writing::{Writing, id, store_works};
use super::{MOMENT, StorePorts, Stores, soon, within};
use crate::counter::{Counter, Event};

/// Longer than a test takes.
const LONG: Duration = Duration::from_hours(1);

/// Holds an agenda to its promises.
pub async fn agenda(stores: &dyn Stores) {
    what_is_due_is_leased_once_and_comes_back(&stores.store().await).await;
    a_call_is_born_leased(&stores.store().await).await;
    what_is_put_off_waits(&stores.store().await).await;
    what_is_no_longer_due_is_not_put_off(&stores.store().await).await;
    what_stays_due_keeps_its_attempts(&stores.store().await).await;
    what_is_done_is_gone(&stores.store().await).await;
    takers_share(&stores.store().await).await;
    whoever_waits_is_woken(&stores.store().await).await;
}

async fn what_is_due_is_leased_once_and_comes_back(ports: &StorePorts) {
    let now = ports.clock.now();
    let stream = ring_at(ports, 1, now).await;
    let tasks = take(ports, 10, MOMENT * 3).await;
    assert_eq!(names(&tasks), vec![(stream.id.uuid().as_u128(), 2)], "what is due, and since which revision");
    assert_eq!(tasks[0].origin.actor, "mina", "on whose behalf it became due");
    nothing_for_now(ports, "it is leased").await;
    let again = take(ports, 10, LONG).await;
    assert_eq!(names(&again), names(&tasks), "a lease that ends without an outcome brings it back");
    nothing_for_now(ports, "it is leased for long").await;
}

async fn a_call_is_born_leased(ports: &StorePorts) {
    let until = ports.clock.now().after(MOMENT * 3);
    let asked = Writing::new(id(2)).event(Event::Asked("?".into()), None).leased(until);
    let asked = asked.append(&*ports.journal).await;
    nothing_for_now(ports, "whoever committed it is at it").await;
    let tasks = take(ports, 10, LONG).await;
    assert!(ports.clock.now() >= until, "not before the lease ends");
    assert_eq!(names(&tasks), vec![(asked.id.uuid().as_u128(), 1)]);
}

async fn what_is_put_off_waits(ports: &StorePorts) {
    let stream = ring_at(ports, 3, ports.clock.now()).await;
    let _tasks = take(ports, 10, LONG).await;
    let later = ports.clock.now().after(MOMENT * 3);
    store_works(ports.agenda.put_off(stream.id, 2, later, "nobody there").await);
    assert_eq!(attempts(ports, &stream).await, 1, "an attempt in vain");
    nothing_for_now(ports, "it was put off").await;
    assert_eq!(take(ports, 10, LONG).await.len(), 1, "a shorter time ends a longer lease");
    assert!(ports.clock.now() >= later, "not before that");
    store_works(ports.agenda.put_off(stream.id, 2, ports.clock.now().after(LONG), "nobody there").await);
    assert_eq!(attempts(ports, &stream).await, 2, "and another");
}

async fn what_is_no_longer_due_is_not_put_off(ports: &StorePorts) {
    let stream = ring_at(ports, 4, ports.clock.now()).await;
    let (journal, long) = (&*ports.journal, ports.clock.now().after(LONG));
    store_works(ports.agenda.put_off(stream.id, 1, long, "an earlier step").await);
    assert_eq!(attempts(ports, &stream).await, 0, "that step is over");
    assert_eq!(take(ports, 10, LONG).await.len(), 1, "what is due now is not put off by it");
    let since = stream.standing.revision;
    let stream = stream.event(Event::Rang, None).wake(Wake::Nothing).append(journal).await;
    store_works(ports.agenda.put_off(stream.id, since, ports.clock.now(), "too late").await);
    store_works(ports.agenda.put_off(id(999), 1, ports.clock.now(), "nobody").await);
    nothing_for_now(ports, "a late failure does not bring back what is done").await;
}

async fn what_stays_due_keeps_its_attempts(ports: &StorePorts) {
    let journal = &*ports.journal;
    let stream = ring_at(ports, 5, ports.clock.now()).await;
    let later = ports.clock.now().after(MOMENT * 3);
    store_works(ports.agenda.put_off(stream.id, 2, later, "nobody there").await);
    let stream = stream.add(1).append(journal).await;
    assert_eq!(attempts(ports, &stream).await, 1, "an unrelated append keeps the attempts");
    nothing_for_now(ports, "and the back-off").await;
    assert_eq!(names(&take(ports, 10, LONG).await), vec![(stream.id.uuid().as_u128(), 2)], "and the revision");
    let stream = stream.event(Event::Set(later), None).deadline(ports.clock.now()).append(journal).await;
    assert_eq!(attempts(ports, &stream).await, 0, "what is new starts afresh");
    assert_eq!(names(&take(ports, 10, LONG).await), vec![(stream.id.uuid().as_u128(), 4)], "at its own time");
}

async fn what_is_done_is_gone(ports: &StorePorts) {
    let stream = ring_at(ports, 6, ports.clock.now().after(MOMENT)).await;
    let stream = stream.event(Event::Rang, None).wake(Wake::Nothing).append(&*ports.journal).await;
    assert_eq!(
        within(&*ports.clock, MOMENT * 3, ports.agenda.take(10, LONG)).await.map(|tasks| count(&store_works(tasks))),
        None
    );
    assert_eq!(attempts(ports, &stream).await, 0);
}

async fn takers_share(ports: &StorePorts) {
    for number in 0..20 {
        ring_at(ports, 100 + number, ports.clock.now()).await;
    }
    let most = take(ports, 7, LONG).await;
    assert_eq!(most.len(), 7, "no more than asked for");
    let (one, other) = join(take(ports, 10, LONG), take(ports, 3, LONG)).await;
    let all: BTreeSet<_> = [&most, &one, &other].into_iter().flat_map(|tasks| names(tasks)).collect();
    assert_eq!((one.len() + other.len(), all.len()), (13, 20), "each to one of them, and none left out");
    nothing_for_now(ports, "all of it is leased").await;
}

async fn whoever_waits_is_woken(ports: &StorePorts) {
    let soon_due = async {
        ports.clock.until(ports.clock.now().after(MOMENT)).await;
        join_all([200, 201].map(|number| ring_at(ports, number, ports.clock.now()))).await;
    };
    let (tasks, ()) = join(take(ports, 1, LONG), soon_due).await;
    assert_eq!(tasks.len(), 1, "it waits until something is due");
}

// === Small things ===

/// A stream that wants to be woken at `at` since its second event.
async fn ring_at(ports: &StorePorts, number: u128, at: Timestamp) -> Writing {
    let journal: &dyn Journal<Counter> = &*ports.journal;
    Writing::new(id(number)).add(1).event(Event::Set(at), None).deadline(at).append(journal).await
}

async fn take(ports: &StorePorts, limit: usize, lease: Duration) -> Vec<Task<Counter>> {
    let tasks = soon(&*ports.clock, "something being due", ports.agenda.take(limit, lease)).await;
    let tasks = store_works(tasks);
    // A store may look and find that somebody else was faster.
    assert!(tasks.len() <= limit, "no more than asked for");
    tasks
}

async fn nothing_for_now(ports: &StorePorts, why: &str) {
    let (agenda, clock): (&dyn Agenda<Counter>, &dyn Clock) = (&*ports.agenda, &*ports.clock);
    let taken = within(clock, MOMENT, agenda.take(10, LONG)).await.map(|tasks| count(&store_works(tasks)));
    assert_eq!(taken.unwrap_or(0), 0, "{why}");
}

async fn attempts(ports: &StorePorts, stream: &Writing) -> u32 {
    store_works(ports.journal.load(stream.id, &[]).await).attempts
}

fn names(tasks: &[Task<Counter>]) -> Vec<(u128, u64)> {
    tasks.iter().map(|task| (task.id.uuid().as_u128(), task.since)).collect()
}

fn count(tasks: &[Task<Counter>]) -> usize {
    tasks.len()
}
