//! What every bus promises.

use highstreet_domain::kernel::ports::{DeadLetter, Deliveries, Delivery, Subscription, Verdict};
use highstreet_domain::kernel::{Message, Origin, Timestamp};
use uuid::Uuid;

use super::writing::store_works;
use super::{BusPorts, Buses, MOMENT, soon, within};

/// Holds a bus to its promises.
pub async fn bus(buses: &dyn Buses) {
    messages_arrive_as_they_were_published(&buses.bus().await).await;
    a_consumer_gets_what_it_asked_for(&buses.bus().await).await;
    a_consumer_that_joins_late_is_given_what_was_before(&buses.bus().await).await;
    what_was_not_settled_comes_again(&buses.bus().await).await;
    what_is_for_later_comes_again_and_counts_nothing(&buses.bus().await).await;
    replicas_share(&buses.bus().await).await;
    what_keeps_failing_stops_nobody(&buses.bus().await).await;
    dead_letters_are_read_in_pages_replayed_and_discarded(&buses.bus().await).await;
    a_dead_letter_is_its_listeners_own(&buses.bus().await).await;
    how_far_a_consumer_has_come_is_known(&buses.bus().await).await;
    a_consumer_that_is_forgotten_begins_anew(&buses.bus().await).await;
}

async fn messages_arrive_as_they_were_published(ports: &BusPorts) {
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    let messages: Vec<_> = (1..=5).map(|number| message("ordering", "Paid", number)).collect();
    store_works(ports.bus.publish(messages.clone()).await);
    let got = receive(ports, &mut *deliveries, 5).await;
    let contents: Vec<_> = got.iter().map(|delivery| (*delivery.message).clone()).collect();
    assert_eq!(contents, messages, "all of them, whole, in the order they were published");
    assert!(got.iter().all(|delivery| delivery.failures == 0), "nobody failed yet");
    settle(&mut *deliveries, &got, &Verdict::Done).await;
    store_works(ports.bus.publish(messages[..1].to_vec()).await);
    store_works(ports.bus.publish(vec![message("ordering", "Paid", 6)]).await);
    let next = until(ports, &mut *deliveries, 6).await;
    assert!(next.contains(&6), "what was published twice may come twice, and holds up nothing");
}

async fn a_consumer_gets_what_it_asked_for(ports: &BusPorts) {
    let mut deliveries = join(ports, "loyalty", &["Paid", "Cancelled"]).await;
    let mut other = join(ports, "kitchen", &["Paid"]).await;
    let messages = vec![
        message("ordering", "Placed", 1),
        message("ordering", "Paid", 2),
        message("payment", "Paid", 3),
        message("ordering", "Cancelled", 4),
    ];
    store_works(ports.bus.publish(messages).await);
    let got = receive(ports, &mut *deliveries, 2).await;
    assert_eq!(numbers(&got), [2, 4], "the names it asked for, from the context it listens to");
    assert_eq!(numbers(&receive(ports, &mut *other, 1).await), [2], "every context gets its own");
    settle(&mut *deliveries, &got, &Verdict::Done).await;
    nothing_more(ports, &mut *deliveries).await;
}

async fn a_consumer_that_joins_late_is_given_what_was_before(ports: &BusPorts) {
    store_works(ports.bus.publish(vec![message("ordering", "Paid", 1)]).await);
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    assert_eq!(numbers(&receive(ports, &mut *deliveries, 1).await), [1], "contexts start in any order");
}

async fn what_was_not_settled_comes_again(ports: &BusPorts) {
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    store_works(ports.bus.publish((1..=3).map(|number| message("ordering", "Paid", number)).collect()).await);
    let got = receive(ports, &mut *deliveries, 3).await;
    settle(&mut *deliveries, &got[..1], &Verdict::Done).await;
    drop(deliveries);
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    let got = receive(ports, &mut *deliveries, 2).await;
    assert_eq!(numbers(&got), [2, 3], "whoever had it is gone, and it counts nothing against it");
    assert!(got.iter().all(|delivery| delivery.failures == 0));
    settle(&mut *deliveries, &got, &Verdict::Done).await;
    drop(deliveries);
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    nothing_more(ports, &mut *deliveries).await;
}

async fn what_is_for_later_comes_again_and_counts_nothing(ports: &BusPorts) {
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    store_works(ports.bus.publish((1..=2).map(|number| message("ordering", "Paid", number)).collect()).await);
    for _ in 0..8 {
        let got = receive(ports, &mut *deliveries, 2).await;
        assert_eq!(numbers(&got), [1, 2]);
        assert!(got.iter().all(|delivery| delivery.failures == 0), "an outage is not a message's fault");
        settle(&mut *deliveries, &got, &Verdict::Later).await;
    }
    let got = receive(ports, &mut *deliveries, 2).await;
    settle(&mut *deliveries, &got, &Verdict::Done).await;
    nothing_more(ports, &mut *deliveries).await;
}

async fn replicas_share(ports: &BusPorts) {
    let mut one = join(ports, "loyalty", &["Paid"]).await;
    let mut other = join(ports, "loyalty", &["Paid"]).await;
    store_works(ports.bus.publish((1..=6).map(|number| message("ordering", "Paid", number)).collect()).await);
    let first = store_works(soon(&*ports.clock, "a message", one.next(2)).await);
    let second = store_works(soon(&*ports.clock, "a message", other.next(100)).await);
    let mut all = [numbers(&first), numbers(&second)].concat();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4, 5, 6], "each message to one of them");
    settle(&mut *other, &second, &Verdict::Done).await;
    drop(one);
    let got = until(ports, &mut *other, numbers(&first)[0]).await;
    assert!(got.iter().all(|number| numbers(&first).contains(number)), "one takes over what the other had");
}

async fn what_keeps_failing_stops_nobody(ports: &BusPorts) {
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    store_works(ports.bus.publish((1..=3).map(|number| message("ordering", "Paid", number)).collect()).await);
    let (mut failures, mut done) = (Vec::new(), Vec::new());
    while failures.len() < 5 || done.len() < 2 {
        for delivery in store_works(soon(&*ports.clock, "a message", deliveries.next(10)).await) {
            let number = numbers(std::slice::from_ref(&delivery))[0];
            let verdict = if number == 1 {
                failures.push(delivery.failures);
                Verdict::Failed(format!("no use, {}", failures.len()))
            } else {
                done.push(number);
                Verdict::Done
            };
            settle(&mut *deliveries, &[delivery], &verdict).await;
        }
    }
    assert_eq!(failures, [0, 1, 2, 3, 4], "its failures are counted");
    assert_eq!(done, [2, 3], "the next ones go on, in order");
    nothing_more(ports, &mut *deliveries).await;
    let letters = letters(ports, "loyalty").await;
    let [letter] = letters.as_slice() else { panic!("one dead letter, and not {letters:?}") };
    assert_eq!(
        letter.message.as_deref(),
        Some(&message("ordering", "Paid", 1)),
        "after five failures it is laid aside"
    );
    assert_eq!((letter.listener.as_str(), letter.source.as_str()), ("loyalty", "ordering"));
    assert_eq!((letter.error.as_str(), letter.failures), ("no use, 5", 5), "with its last error");
}

async fn dead_letters_are_read_in_pages_replayed_and_discarded(ports: &BusPorts) {
    assert_eq!(letters(ports, "loyalty").await, [], "none yet");
    assert!(
        !store_works(ports.letters.replay("loyalty", 1).await)
            && !store_works(ports.letters.discard("loyalty", 1).await)
    );
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    store_works(ports.bus.publish((1..=3).map(|number| message("ordering", "Paid", number)).collect()).await);
    let all = fail_until_dead(ports, &mut *deliveries, 3).await;
    let page = store_works(ports.letters.behind("loyalty", all[0].place, 1).await);
    assert_eq!(page, all[1..2], "one, behind the first");

    assert!(store_works(ports.letters.discard("loyalty", all[0].place).await));
    assert!(!store_works(ports.letters.discard("loyalty", all[0].place).await), "it is gone");
    assert!(store_works(ports.letters.replay("loyalty", all[1].place).await));
    assert!(!store_works(ports.letters.replay("loyalty", all[1].place).await), "it is no dead letter any more");
    assert_eq!(letters(ports, "loyalty").await, all[2..]);
    let again = receive(ports, &mut *deliveries, 1).await;
    assert_eq!(again[0].message, all[1].message.clone().expect("a whole message"));
    assert_eq!(again[0].failures, 0, "as if it had never failed");
    settle(&mut *deliveries, &again, &Verdict::Done).await;
    nothing_more(ports, &mut *deliveries).await;
    drop(deliveries);
    assert!(store_works(ports.letters.replay("loyalty", all[2].place).await), "with nobody there to hear it");
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    let again = fail_until_dead(ports, &mut *deliveries, 1).await;
    assert_eq!(again[0].message, all[2].message, "and what fails again is a dead letter again");
}

async fn a_dead_letter_is_its_listeners_own(ports: &BusPorts) {
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    let mut other = join(ports, "kitchen", &["Paid"]).await;
    store_works(ports.bus.publish(vec![message("ordering", "Paid", 1)]).await);
    let heard = receive(ports, &mut *other, 1).await;
    settle(&mut *other, &heard, &Verdict::Done).await;
    let all = fail_until_dead(ports, &mut *deliveries, 1).await;
    assert_eq!(letters(ports, "kitchen").await, [], "it could handle it");
    assert!(!store_works(ports.letters.replay("kitchen", all[0].place).await));
    assert!(!store_works(ports.letters.discard("kitchen", all[0].place).await));
    assert!(store_works(ports.letters.replay("loyalty", all[0].place).await));
    assert_eq!(receive(ports, &mut *deliveries, 1).await[0].message, all[0].message.clone().expect("a whole message"));
    nothing_more(ports, &mut *other).await;
}

async fn how_far_a_consumer_has_come_is_known(ports: &BusPorts) {
    let durables = &*ports.durables;
    let subscription = subscription("loyalty", &["Paid"]);
    assert_eq!(store_works(durables.head("ordering").await), 0, "nothing was published");
    let messages = [("Paid", 1), ("Paid", 2), ("Placed", 3)].map(|(name, number)| message("ordering", name, number));
    store_works(ports.bus.publish(messages.to_vec()).await);
    let head = store_works(durables.head("ordering").await);
    assert!(head > 0);
    assert!(store_works(durables.settled(&subscription).await) < head, "nobody listened yet");
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    let got = receive(ports, &mut *deliveries, 2).await;
    settle(&mut *deliveries, &got[1..], &Verdict::Done).await;
    assert!(store_works(durables.settled(&subscription).await) < head, "the first is still at work");
    settle(&mut *deliveries, &got[..1], &Verdict::Done).await;
    let all = async {
        while store_works(durables.settled(&subscription).await) < head {
            nothing_more(ports, &mut *deliveries).await;
        }
    };
    soon(&*ports.clock, "all is settled", all).await;
    store_works(ports.bus.publish(vec![message("ordering", "Paid", 4)]).await);
    let later = store_works(durables.head("ordering").await);
    assert!(later > head && store_works(durables.settled(&subscription).await) < later, "and then something new comes");
}

async fn a_consumer_that_is_forgotten_begins_anew(ports: &BusPorts) {
    store_works(ports.bus.publish((1..=3).map(|number| message("ordering", "Paid", number)).collect()).await);
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    let got = receive(ports, &mut *deliveries, 3).await;
    settle(&mut *deliveries, &got[..2], &Verdict::Done).await;
    settle(&mut *deliveries, &got[2..], &Verdict::Failed("a bug".into())).await;
    fail_until_dead(ports, &mut *deliveries, 1).await;
    drop(deliveries);
    store_works(ports.durables.forget(&subscription("loyalty", &["Paid"])).await);
    assert_eq!(letters(ports, "loyalty").await, [], "nothing is left of it");
    store_works(ports.durables.forget(&subscription("loyalty", &["Paid"])).await);
    let mut deliveries = join(ports, "loyalty", &["Paid"]).await;
    let got = receive(ports, &mut *deliveries, 3).await;
    assert_eq!(numbers(&got), [1, 2, 3]);
    assert!(got.iter().all(|delivery| delivery.failures == 0));
}

// === Small things ===

fn message(source: &str, name: &str, number: u8) -> Message {
    let subject = Uuid::from_u128(u128::from(number) + 1000);
    Message {
        id: Message::id_of(subject, 1),
        source: source.into(),
        name: name.into(),
        subject,
        time: Timestamp::from_micros(i64::from(number)),
        origin: Origin { actor: "mina".into(), correlation: "story".into(), causation: "request".into(), trace: None },
        body: vec![number],
    }
}

fn subscription(consumer: &str, names: &[&str]) -> Subscription {
    let names = names.iter().map(|name| (*name).into()).collect();
    Subscription { consumer: consumer.into(), source: "ordering".into(), names }
}

async fn join(ports: &BusPorts, consumer: &str, names: &[&str]) -> Box<dyn Deliveries> {
    store_works(ports.bus.subscribe(&subscription(consumer, names)).await)
}

/// Exactly `count` deliveries, in as many batches as it takes.
async fn receive(ports: &BusPorts, deliveries: &mut dyn Deliveries, count: usize) -> Vec<Delivery> {
    let mut got = Vec::new();
    while got.len() < count {
        let most = count - got.len();
        got.extend(store_works(soon(&*ports.clock, "a message", deliveries.next(most)).await));
    }
    assert_eq!(got.len(), count, "no more than asked for");
    got
}

/// Takes and settles messages until the one with this number has come; the numbers that came.
async fn until(ports: &BusPorts, deliveries: &mut dyn Deliveries, number: u8) -> Vec<u8> {
    let mut seen = Vec::new();
    while !seen.contains(&number) {
        let got = store_works(soon(&*ports.clock, "a message", deliveries.next(10)).await);
        seen.extend(numbers(&got));
        settle(deliveries, &got, &Verdict::Done).await;
    }
    seen
}

async fn nothing_more(ports: &BusPorts, deliveries: &mut dyn Deliveries) {
    let more = within(&*ports.clock, MOMENT, deliveries.next(10)).await.map(|more| numbers(&store_works(more)));
    assert_eq!(more.unwrap_or_default(), [0u8; 0], "nothing more comes");
}

async fn letters(ports: &BusPorts, listener: &str) -> Vec<DeadLetter> {
    store_works(ports.letters.behind(listener, 0, 100).await)
}

/// Fails every delivery until this many are dead letters of loyalty.
async fn fail_until_dead(ports: &BusPorts, deliveries: &mut dyn Deliveries, count: usize) -> Vec<DeadLetter> {
    loop {
        if let Some(got) = within(&*ports.clock, MOMENT, deliveries.next(10)).await {
            settle(deliveries, &store_works(got), &Verdict::Failed("a bug".into())).await;
        }
        let letters = letters(ports, "loyalty").await;
        if letters.len() == count {
            return letters;
        }
    }
}

async fn settle(deliveries: &mut dyn Deliveries, of: &[Delivery], verdict: &Verdict) {
    let verdicts = of.iter().map(|delivery| (delivery.tag, verdict.clone())).collect();
    store_works(deliveries.settle(verdicts).await);
}

fn numbers(deliveries: &[Delivery]) -> Vec<u8> {
    deliveries.iter().filter_map(|delivery| delivery.message.body.first().copied()).collect()
}
