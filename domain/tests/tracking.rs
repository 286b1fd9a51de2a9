//! The rules of tracking.

mod samples;

use highstreet_domain::kernel::{Index, Timestamp, View};
use highstreet_domain::tracking::{Fact, Step, Trace};
use highstreet_testkit::laws;
use samples::{MINA, case};
use uuid::Uuid;

/// The `revision`-th event of the aggregate called `number` in `context`.
fn fact(context: &str, number: u128, revision: u64, event: &str, second: i64) -> Fact {
    let step = Step {
        time: Timestamp::from_micros(second * 1_000_000),
        context: context.into(),
        id: Uuid::from_u128(number),
        revision,
        event: event.into(),
        status: String::new(),
    };
    Fact { case: case(), step }
}

/// The facts of an order that was paid, made and delivered.
fn completed() -> Vec<Fact> {
    vec![
        fact("payment", 2, 1, "PaymentRequested", 1),
        fact("ordering", 1, 2, "OrderPlaced", 1),
        fact("payment", 2, 3, "PaymentApproved", 2),
        fact("ordering", 1, 3, "OrderPaid", 3),
        fact("kitchen", 3, 1, "PreparationStarted", 4),
        fact("loyalty", 5, 7, "Earned", 4),
        fact("kitchen", 3, 2, "PreparationReady", 5),
        fact("delivery", 4, 1, "DeliveryScheduled", 6),
        fact("delivery", 4, 2, "Shipped", 7),
        fact("delivery", 4, 3, "Delivered", 8),
        fact("ordering", 1, 4, "OrderCompleted", 9),
    ]
}

fn fold(facts: &[Fact]) -> Trace {
    facts.iter().fold(Trace::default(), Trace::apply)
}

#[test]
fn cafe_f5_cafe_n4_a_trace_follows_the_order_to_its_end() {
    let facts = completed();
    let expected =
        ["", "ORDERED", "PAID", "PAID", "PAID", "PAID", "READY", "READY", "SHIPPED", "DELIVERED", "COMPLETED"];
    for (seen, status) in (1..).zip(expected) {
        assert_eq!(fold(&facts[..seen]).status, status, "after {seen} facts");
    }
    let trace = fold(&facts);
    assert_eq!(trace.steps.len(), facts.len(), "the whole timeline");
    assert!(trace.steps.is_sorted(), "oldest first");
    assert_eq!(Trace::key(&facts[0]), case().root.to_string());
}

#[test]
fn a_late_message_never_takes_a_trace_back() {
    let mut facts = completed();
    facts.reverse();
    assert_eq!(fold(&facts[..1]).status, "COMPLETED");
    assert_eq!(fold(&facts).status, "COMPLETED");
}

#[test]
fn cafe_a2_a_cancelled_order_is_cancelled_whatever_comes_late() {
    let mut facts = vec![fact("ordering", 1, 4, "OrderCancelled", 4)];
    facts.extend(completed());
    assert_eq!(fold(&facts).status, "CANCELLED");
}

#[test]
fn cafe_n1_an_order_that_never_came_about_is_not_listed() {
    let trace = fold(&[fact("payment", 2, 1, "PaymentRequested", 1), fact("payment", 2, 3, "PaymentApproved", 2)]);
    assert_eq!((trace.status.as_str(), trace.index()), ("", Index::default()));
    assert_eq!(fold(&completed()[..2]).index().owner, "+821012345678", "{MINA} in E.164 form");
}

// === Laws ===

#[test]
fn any_order_and_repetition_of_facts_gives_the_same_trace() {
    laws::view::<Trace>(&completed());
    let mut cancelled = completed();
    cancelled.truncate(8);
    cancelled.push(fact("ordering", 1, 4, "OrderCancelled", 7));
    cancelled.push(fact("payment", 2, 4, "PaymentCancelled", 8));
    laws::view::<Trace>(&cancelled);
}
