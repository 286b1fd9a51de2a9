//! What every agenda promises.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::{join, join_all};
use highstreet_domain::kernel::Timestamp;
use highstreet_domain::kernel::ports::{Agenda, Clock, Journal, Pending, Sought, Task, Wake};

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
    what_waits_can_be_looked_at(&stores.store().await).await;
    what_waits_is_seized_unless_a_run_is_at_it(&stores.store().await).await;
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

async fn what_waits_can_be_looked_at(ports: &StorePorts) {
    let begun = ports.clock.now();
    for number in [1, 2, 3] {
        ring_at(ports, number, begun.after(LONG)).await;
    }
    let done = ring_at(ports, 4, begun).await;
    done.event(Event::Rang, None).wake(Wake::Nothing).append(&*ports.journal).await;
    let asked = Writing::new(id(5)).event(Event::Asked("?".into()), None).leased(ports.clock.now().after(LONG));
    let asked = asked.append(&*ports.journal).await;
    let all = pending(ports, Sought::default()).await;
    let ids: Vec<_> = all.iter().map(|pending| pending.id).collect();
    assert_eq!(ids, [1, 2, 3, 5].map(id), "all that waits, in the order of ids, and nothing that is done");
    assert_eq!((all[0].since, all[0].attempts, all[0].error.as_str(), all[0].running), (2, 0, "", false));
    assert_eq!((all[3].since, all[3].running), (1, true), "a call that was made due is being made");
    assert_eq!(all[0].origin.actor, "mina");
    let loaded = store_works(ports.journal.load(id(1), &[]).await);
    assert_eq!(all[0].became_due, loaded.standing.updated, "when it became due is when that event happened");
    assert!(all[0].wake >= begun.after(LONG) && all[0].wake < ports.clock.now().after(LONG * 2));

    store_works(ports.agenda.put_off(asked.id, 1, ports.clock.now().after(LONG), "nobody there").await);
    let tried = pending(ports, Sought { tried: true, ..Sought::default() }).await;
    assert_eq!(tried.len(), 1, "only what was tried in vain");
    assert_eq!((tried[0].attempts, tried[0].error.as_str(), tried[0].running), (1, "nobody there", false));
    let page = pending(ports, Sought { after: Some(id(1).uuid()), limit: 2, ..Sought::default() }).await;
    assert_eq!(page, all[1..3], "a page of two behind the first");
    let only = pending(ports, Sought { only: Some(id(3).uuid()), ..Sought::default() }).await;
    assert_eq!(only, all[2..3]);
}

async fn what_waits_is_seized_unless_a_run_is_at_it(ports: &StorePorts) {
    let asked = Writing::new(id(1)).event(Event::Asked("?".into()), None).leased(ports.clock.now().after(LONG));
    let asked = asked.append(&*ports.journal).await;
    assert_eq!(seize(ports, 1, 1, LONG).await, None, "whoever committed it is at it");
    store_works(ports.agenda.put_off(asked.id, 1, ports.clock.now().after(LONG), "nobody there").await);
    assert_eq!(seize(ports, 1, 7, LONG).await, None, "that is not what waits");
    assert_eq!(seize(ports, 9, 1, LONG).await, None, "nothing waits there");
    let (one, other) = join(seize(ports, 1, 1, MOMENT * 3), seize(ports, 1, 1, MOMENT * 3)).await;
    assert_eq!(one.xor(other), Some((id(1).uuid().as_u128(), 1)), "one of two gets it");
    nothing_for_now(ports, "it is leased").await;
    assert_eq!(attempts(ports, &asked).await, 1, "to lease it is no attempt in vain");
    assert_eq!(
        names(&take(ports, 10, LONG).await),
        vec![(id(1).uuid().as_u128(), 1)],
        "a lease that ends without an outcome brings it back"
    );
    assert_eq!(seize(ports, 1, 1, LONG).await, None, "it is leased to whoever took it");
    asked.event(Event::Answered, None).wake(Wake::Nothing).append(&*ports.journal).await;
    assert_eq!(seize(ports, 1, 1, LONG).await, None, "it is done");
}

// === Small things ===

async fn pending(ports: &StorePorts, sought: Sought) -> Vec<Pending<Counter>> {
    let limit = if sought.limit == 0 { 100 } else { sought.limit };
    store_works(ports.agenda.pending(&Sought { limit, ..sought }).await)
}

/// The stream and the revision of what was seized.
async fn seize(ports: &StorePorts, number: u128, since: u64, lease: Duration) -> Option<(u128, u64)> {
    let task = store_works(ports.agenda.seize(id(number), since, lease).await)?;
    assert_eq!(task.origin.actor, "mina", "on whose behalf it became due");
    Some((task.id.uuid().as_u128(), task.since))
}

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
