//! The rules of steps: what keeps a call from being made twice, lost, or left half undone.

mod bench;
mod samples;

use std::time::Duration;

use futures_util::future::{join, select};
use highstreet_domain::kernel::{Callee, Failure, Outage, Rejection, Unanswered};
use highstreet_domain::notification::{self, Notification};
use highstreet_domain::ordering::{self, Order};
use highstreet_domain::payment::{self, Authorisation, Payment};
use highstreet_testkit::counter::{Command, Counter, Event};

use bench::{Bench, LEASE, claimed, id, request};

const AT_ONCE: Duration = Duration::ZERO;
const PAYMENT: Callee = Callee { name: "payment", reason: "PAYMENT_UNAVAILABLE" };
const PROVIDER: Callee = Callee { name: "the payment provider", reason: "PROVIDER_UNAVAILABLE" };
const SECOND: Duration = Duration::from_secs(1);

fn ask() -> Command {
    Command::Ask("?".into())
}

fn unknown<C>(late: Duration) -> (Duration, Result<C, Unanswered>) {
    (late, Err(Unanswered::unknown("no answer")))
}

fn not_sent<C>(late: Duration) -> (Duration, Result<C, Unanswered>) {
    (late, Err(Unanswered::not_sent("nobody there")))
}

/// What a caller hears of a step that was given up.
fn gave_up<R: Rejection>(callee: Callee, outage: Outage) -> Failure<R> {
    Failure::GaveUp { callee, outage }
}

// === Keys, attempts, back-off ===

#[test]
fn an_unrelated_event_keeps_key_attempts_and_back_off() {
    let bench = Bench::<Counter>::new([unknown(AT_ONCE), (AT_ONCE, Ok(Command::Answer))]);
    let handler = bench.handler_and_worker();
    let other = handler.clone();
    bench.sim.block_on(async move { handler.handle(id(1), request(1, ask())).await }).unwrap();
    let before = bench.due(id(1));
    bench.sim.block_on(async move { other.handle(id(1), request(2, Command::Add(1))).await }).unwrap();
    assert_eq!(before, (1, 1), "tried once, due since the first event");
    assert_eq!(bench.due(id(1)), before, "an unrelated event changes neither");
    bench.settle();
    let (keys, times) = (bench.calls.keys(), bench.calls.times());
    assert_eq!(keys[0], keys[1], "the callee recognises the second attempt");
    assert!(times[1] >= times[0].after(Duration::from_millis(100)), "which came after the back-off");
    assert_eq!(bench.streams.events(id(1)), [Event::Asked("?".into()), Event::Added(1), Event::Answered]);
}

#[test]
fn every_new_step_has_a_key_of_its_own() {
    let bench = Bench::<Counter>::new([(AT_ONCE, Ok(Command::Answer)), (AT_ONCE, Ok(Command::Answer))]);
    let handler = bench.handler();
    bench.sim.block_on(async move {
        handler.handle(id(1), request(1, ask())).await.unwrap();
        handler.handle(id(1), request(2, ask())).await.unwrap();
    });
    assert_ne!(bench.calls.keys()[0], bench.calls.keys()[1], "the same question, asked for another time");
}

// === Leases ===

#[test]
fn a_step_is_born_leased_to_whoever_committed_it() {
    let bench = Bench::<Counter>::new([]);
    let handler = bench.handler_and_worker();
    bench.calls.then((LEASE * 2, Ok(Command::Answer)));
    bench.calls.then((AT_ONCE, Ok(Command::Answer)));
    bench.sim.block_on(async move { handler.post(id(1), request(1, ask())).await }).unwrap();
    let began = bench.now();
    bench.pass(SECOND * 14);
    assert_eq!(bench.calls.keys().len(), 1, "the worker leaves it alone");
    bench.settle();
    assert!(bench.calls.times()[1] >= began.after(LEASE), "until the lease ends");
}

#[test]
fn runs_that_overlap_call_under_one_key_and_have_one_outcome() {
    let bench = Bench::<Payment>::new([]);
    let approved =
        |reference: &str| Ok(payment::Command::Settle(Authorisation::Approved { reference: reference.into() }));
    bench.calls.then((LEASE * 2, approved("first")));
    bench.calls.then((SECOND, approved("second")));
    let handler = bench.handler_and_worker();
    let answer = bench.sim.block_on(async move {
        handler.post(id(1), request(1, payment::Command::Request(samples::bill()))).await.unwrap();
        handler.handle(id(1), request(2, samples::pay())).await
    });
    bench.settle();
    let keys = bench.calls.keys();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]), "two runs, one key: the provider charges once");
    let approvals = bench.streams.events(id(1)).into_iter().filter(|it| matches!(it, payment::Event::Approved { .. }));
    assert_eq!(approvals.count(), 1, "and one outcome");
    assert_eq!(answer.unwrap().1.state.status(), "APPROVED", "which the caller is told, whichever run it was");
}

#[test]
fn what_a_dead_process_left_behind_is_finished_by_another() {
    let bench = Bench::<Counter>::new([]);
    let handler = bench.handler();
    bench.sim.block_on(async move { handler.post(id(1), request(1, ask())).await }).unwrap();
    bench.pass(SECOND);
    bench.node.kill();
    bench.pass(SECOND);
    bench.calls.then((AT_ONCE, Ok(Command::Answer)));
    bench.node.revive();
    let _handler = bench.handler_and_worker();
    bench.settle();
    assert_eq!(bench.streams.events(id(1)), [Event::Asked("?".into()), Event::Answered]);
    assert_eq!(bench.calls.keys()[0], bench.calls.keys()[1], "under the key it began with");
}

#[test]
fn a_deadline_that_passes_is_decided_once() {
    let bench = Bench::<Counter>::new([]);
    let handler = bench.handler_and_worker();
    let at = bench.now().after(SECOND);
    bench.sim.block_on(async move { handler.post(id(1), request(1, Command::Set(at))).await }).unwrap();
    bench.settle();
    assert_eq!(bench.streams.events(id(1)), [Event::Set(at), Event::Rang]);
}

// === Callers ===

#[test]
fn a_caller_that_hangs_up_cancels_nothing_half_way() {
    for polls in 0..12 {
        let bench = Bench::<Counter>::new([(SECOND, Ok(Command::Answer))]);
        let handler = bench.handler();
        bench.sim.block_on(async move {
            let hang_up = async {
                for _ in 0..polls {
                    highstreet_testkit::memory::step_aside().await;
                }
            };
            drop(select(std::pin::pin!(handler.handle(id(1), request(1, ask()))), std::pin::pin!(hang_up)).await);
        });
        bench.settle();
        let events = bench.streams.events(id(1));
        let done = [Event::Asked("?".into()), Event::Answered];
        assert!(events.is_empty() || events == done, "all of it or nothing: {events:?}");
    }
}

#[test]
fn a_bug_in_a_rule_does_not_block_the_stream_for_others() {
    let bench = Bench::<Counter>::new([]);
    let handler = bench.handler();
    let (bug, other, after) = bench.sim.block_on(async move {
        let bug = handler.handle(id(1), request(1, Command::Panic));
        let (bug, other) = join(bug, handler.handle(id(1), request(2, Command::Add(1)))).await;
        (bug, other, handler.handle(id(1), request(3, Command::Add(1))).await)
    });
    assert_eq!(bug, Err(Failure::Interrupted));
    assert!(matches!(other, Ok(_) | Err(Failure::Interrupted)), "whoever waited with it is told: {other:?}");
    assert!(after.is_ok(), "whoever comes after is served");
}

// === Request ids ===

#[test]
fn a_repeat_while_the_first_is_at_work_waits_and_gets_the_same_answer() {
    let bench = Bench::<Counter>::new([(SECOND, Ok(Command::Answer))]);
    let handler = bench.handler();
    let (first, repeat) = bench.sim.block_on(async move {
        join(handler.handle(id(1), claimed(9, ask())), handler.handle(id(2), claimed(9, ask()))).await
    });
    assert_eq!(first, repeat, "under the id that the first one got, with everything that followed from it");
    assert_eq!(first.unwrap().1.state.asking, None, "answered");
    assert_eq!(bench.streams.all().len(), 1, "and there is only one");
}

#[test]
fn a_repeat_that_meets_what_the_first_did_is_no_refusal() {
    for seed in 0..50 {
        let approved = payment::Command::Settle(Authorisation::Approved { reference: "r".into() });
        let bench = Bench::<Payment>::seeded(seed, [(SECOND, Ok(approved))]);
        let handler = bench.handler();
        let (first, repeat) = bench.sim.block_on(async move {
            handler.post(id(1), request(1, payment::Command::Request(samples::bill()))).await.unwrap();
            let pay = || handler.handle(id(1), claimed(9, samples::pay()));
            join(Box::pin(pay()), Box::pin(pay())).await
        });
        assert_eq!(first, repeat, "seed {seed}");
        assert_eq!(first.unwrap().1.state.status(), "APPROVED");
    }
}

#[test]
fn a_repeat_with_other_content_is_refused() {
    let bench = Bench::<Counter>::new([]);
    let handler = bench.handler();
    let other = bench.sim.block_on(async move {
        handler.handle(id(1), claimed(9, Command::Add(1))).await.unwrap();
        handler.handle(id(2), claimed(9, Command::Add(2))).await
    });
    assert_eq!(other, Err(Failure::RequestIdReused));
}

#[test]
fn a_refused_request_does_not_use_its_request_id_up() {
    let bench = Bench::<Counter>::new([]);
    let handler = bench.handler();
    let again = bench.sim.block_on(async move {
        handler.handle(id(1), claimed(9, Command::Add(-1))).await.unwrap_err();
        handler.handle(id(2), claimed(9, Command::Add(1))).await
    });
    assert!(again.is_ok());
}

#[test]
fn cafe_n1_giving_up_lets_go_of_the_request_id_and_the_next_attempt_starts_afresh() {
    let bench = Bench::<Order>::new([not_sent(AT_ONCE)]);
    bench.calls.then((AT_ONCE, Ok(ordering::Command::AcceptPayment { payment: "p".into() })));
    let handler = bench.handler();
    let (first, second) = bench.sim.block_on(async move {
        let first = handler.handle(id(1), claimed(9, samples::place())).await;
        (first, handler.handle(id(2), claimed(9, samples::place())).await)
    });
    assert_eq!(first, Err(gave_up(PAYMENT, Outage::NotSent)));
    assert_eq!(second.unwrap().0, id(2), "a stream of its own");
    assert_eq!(bench.streams.standing(id(1)).state.placed(), None, "the first never came about");
}

#[test]
fn cafe_n3_an_order_is_not_even_begun_while_payment_is_known_to_be_away() {
    let bench = Bench::<Order>::new([(AT_ONCE, Ok(ordering::Command::AcceptPayment { payment: "p".into() }))]);
    let handler = bench.handler();
    let place = |request_id| claimed(request_id, samples::place());
    let placed = bench.sim.block_on({
        let handler = handler.clone();
        async move { handler.handle(id(1), place(9)).await.unwrap() }
    });
    bench.calls.are_in_vain(true);
    let (refused, repeat) = bench.sim.block_on({
        let handler = handler.clone();
        async move { (handler.handle(id(2), place(10)).await, handler.handle(id(3), place(9)).await) }
    });
    assert_eq!(refused, Err(gave_up(PAYMENT, Outage::NotSent)));
    assert_eq!(bench.streams.events(id(2)), [], "nothing was written");
    assert_eq!(repeat.unwrap(), placed, "who asks again hears what the first was told");
    bench.calls.are_in_vain(false);
    bench.calls.then((AT_ONCE, Ok(ordering::Command::AcceptPayment { payment: "q".into() })));
    let again = bench.sim.block_on(async move { handler.handle(id(2), place(10)).await.unwrap() });
    assert_eq!(again.0, id(2), "the request id was not used up");
    assert_eq!(bench.calls.keys().len(), 2, "one call for each order");
}

#[test]
fn what_can_wait_is_begun_though_its_callee_is_known_to_be_away() {
    let bench = Bench::<Notification>::new([not_sent(AT_ONCE), (AT_ONCE, Ok(notification::Command::ConfirmSent))]);
    bench.calls.are_in_vain(true);
    let handler = bench.handler_and_worker();
    let notify = notification::Command::Notify(samples::letter());
    bench.sim.block_on(async move { handler.handle(id(1), request(1, notify)).await }).unwrap();
    bench.settle();
    assert_eq!(bench.streams.standing(id(1)).state.status(), "SENT", "it is sent later");
}

#[test]
fn a_payment_that_was_given_up_can_be_asked_for_again_under_the_same_request_id() {
    let bench = Bench::<Payment>::new([not_sent(AT_ONCE)]);
    bench.calls.then((AT_ONCE, Ok(payment::Command::Settle(Authorisation::Approved { reference: "r".into() }))));
    let handler = bench.handler();
    let (first, second) = bench.sim.block_on(async move {
        handler.post(id(1), request(1, payment::Command::Request(samples::bill()))).await.unwrap();
        let first = handler.handle(id(1), claimed(9, samples::pay())).await;
        (first, handler.handle(id(1), claimed(9, samples::pay())).await)
    });
    assert_eq!(first, Err(gave_up(PROVIDER, Outage::NotSent)));
    assert_eq!(second.unwrap().1.state.status(), "APPROVED", "it is paid, not answered as if it had been");
}

// === Giving up ===

#[test]
fn giving_up_on_an_unknown_outcome_undoes_the_call_and_a_late_success_changes_nothing() {
    let bench = Bench::<Order>::new([unknown(SECOND), unknown(SECOND)]);
    bench.calls.then((AT_ONCE, Ok(ordering::Command::ConfirmUndone)));
    let handler = bench.handler_and_worker();
    let late = handler.clone();
    let answer = bench.sim.block_on(async move { handler.handle(id(1), request(1, samples::place())).await });
    assert_eq!(answer, Err(gave_up(PAYMENT, Outage::Unknown)), "the caller does not wait for the undoing");
    bench.settle();
    let undone = bench.streams.events(id(1));
    assert_eq!(undone[1..], [ordering::Event::GivenUp, ordering::Event::Rejected { reason: String::new() }]);
    let accept = ordering::Command::AcceptPayment { payment: "p".into() };
    bench.sim.block_on(async move { late.handle(id(1), request(2, accept)).await }).unwrap();
    assert_eq!(bench.streams.events(id(1)), undone, "the order is not resurrected");
}

#[test]
fn not_sent_on_a_recovery_run_counts_as_unknown() {
    let bench = Bench::<Order>::new([]);
    let handler = bench.handler();
    bench.sim.block_on(async move { handler.post(id(1), request(1, samples::place())).await }).unwrap();
    bench.pass(SECOND);
    bench.node.kill();
    bench.node.revive();
    bench.calls.then(not_sent(AT_ONCE));
    bench.calls.then((AT_ONCE, Ok(ordering::Command::ConfirmUndone)));
    let _handler = bench.handler_and_worker();
    bench.settle();
    assert_eq!(bench.streams.events(id(1))[1], ordering::Event::GivenUp, "whoever died may have sent it");
}

#[test]
fn not_sent_counts_as_unknown_once_another_run_may_be_at_it() {
    let bench = Bench::<Order>::new([not_sent(LEASE + SECOND)]);
    bench.calls.then((LEASE, Ok(ordering::Command::AcceptPayment { payment: "p".into() })));
    bench.calls.then((AT_ONCE, Ok(ordering::Command::ConfirmUndone)));
    let handler = bench.handler_and_worker();
    let answer = bench.sim.block_on(async move { handler.handle(id(1), request(1, samples::place())).await });
    assert_eq!(answer, Err(gave_up(PAYMENT, Outage::Unknown)));
    bench.settle();
    assert_eq!(bench.streams.events(id(1))[1], ordering::Event::GivenUp, "what the other run sent is undone");
}

#[test]
fn what_another_run_gave_up_is_not_answered_as_done() {
    let accept = ordering::Command::AcceptPayment { payment: "p".into() };
    let bench = Bench::<Order>::new([(LEASE + SECOND, Ok(accept)), unknown(AT_ONCE)]);
    bench.calls.then((AT_ONCE, Ok(ordering::Command::ConfirmUndone)));
    let handler = bench.handler_and_worker();
    let answer = bench.sim.block_on(async move { handler.handle(id(1), request(1, samples::place())).await });
    assert_eq!(answer, Err(gave_up(PAYMENT, Outage::Unknown)));
}
