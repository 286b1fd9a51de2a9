//! What operators may do about steps, and what that never leads to.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bench;
mod samples;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, select};
use highstreet_domain::kernel::ports::{Clock, Sought};
use highstreet_domain::kernel::{Handler, Id, Origin, PendingStep, Steps, Unanswered, Unmoved, Wanted};
use highstreet_domain::ordering::{self, Order};
use highstreet_domain::payment::{self, Authorisation, Payment};
use highstreet_testkit::counter::{Command, Counter, Event};

use bench::{Act, Bench, LEASE, id, request};

const AT_ONCE: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

fn ask(question: &str) -> Command {
    Command::Ask(question.into())
}

fn in_vain<C>() -> (Duration, Result<C, Unanswered>) {
    (AT_ONCE, Err(Unanswered::unknown("no answer")))
}

fn operator() -> Arc<Origin> {
    Arc::new(Origin { actor: "sujin".into(), ..Origin::default() })
}

/// A bench whose first stream waits since a call in vain, with nobody to try it again.
fn waiting(acts: impl IntoIterator<Item = Act<Counter>>) -> (Bench<Counter>, Handler<Counter>) {
    asked("?", acts)
}

fn asked(question: &str, acts: impl IntoIterator<Item = Act<Counter>>) -> (Bench<Counter>, Handler<Counter>) {
    let bench = Bench::<Counter>::new([in_vain()].into_iter().chain(acts));
    let handler = bench.handler();
    let (this, command) = (handler.clone(), ask(question));
    bench.sim.block_on(async move { this.handle(id(1), request(1, command)).await }).unwrap();
    (bench, handler)
}

fn uuid() -> uuid::Uuid {
    id::<Counter>(1).uuid()
}

async fn all(handler: &Handler<Counter>) -> Vec<PendingStep> {
    handler.pending(&Sought { limit: 10, ..Sought::default() }).await.unwrap()
}

#[test]
fn what_waits_is_named_with_its_attempts_and_its_error() {
    let (bench, handler) = waiting([]);
    let at = bench.now().after(HOUR);
    let steps = bench.sim.block_on(async move {
        handler.post(id(2), request(2, Command::Set(at))).await.unwrap();
        handler.handle(id(3), request(3, Command::Add(1))).await.unwrap();
        all(&handler).await
    });
    let [step, deadline] = steps.as_slice() else { panic!("two things wait: {steps:?}") };
    assert_eq!((step.id, step.name.as_str(), step.attempts), (uuid(), "Ask", 1));
    assert_eq!((step.error.as_str(), step.deadline, step.running), ("no answer", None, false));
    assert_eq!((deadline.name.as_str(), deadline.deadline, deadline.next), ("Ring", Some(at), at));
}

#[test]
fn a_retry_is_made_at_once_and_under_the_same_key() {
    let (bench, handler) = waiting([(SECOND, Ok(Command::Answer))]);
    let left = bench.sim.block_on(async move { handler.retry(uuid().into()).await });
    assert_eq!(left, Ok(None), "nothing waits any more");
    let keys = bench.calls.keys();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]), "the callee recognises it");
    assert_eq!(bench.streams.events(id(1)), [Event::Asked("?".into()), Event::Answered]);
}

#[test]
fn a_retry_in_vain_says_what_waits_now() {
    let (bench, handler) = waiting([in_vain()]);
    let left = bench.sim.block_on(async move { handler.retry(uuid().into()).await }).unwrap().unwrap();
    assert_eq!((left.attempts, left.error.as_str(), left.running), (2, "no answer", false));
}

/// However the operator's retries, a second operator and the worker interleave.
#[test]
fn a_retry_is_never_beside_another_run() {
    for seed in 0..100 {
        let bench = Bench::<Counter>::seeded(seed, [in_vain(), (SECOND, Ok(Command::Answer))]);
        let handler = bench.handler_and_worker();
        let (one, other) = bench.sim.block_on(async move {
            handler.handle(id(1), request(1, ask("?"))).await.unwrap();
            join(handler.retry(uuid().into()), handler.retry(uuid().into())).await
        });
        bench.settle();
        assert_eq!(bench.calls.keys().len(), 2, "seed {seed}: the one in vain, and one more");
        let refused = [one, other].into_iter().filter(|tried| *tried == Err(Unmoved::Running)).count();
        assert!((1..=2).contains(&refused), "seed {seed}: whoever comes second is told");
        assert_eq!(bench.streams.events(id(1)), [Event::Asked("?".into()), Event::Answered], "seed {seed}");
    }
}

#[test]
fn an_operator_who_hangs_up_cancels_nothing() {
    let (bench, handler) = waiting([(SECOND, Ok(Command::Answer))]);
    let clock = bench.sim.clock();
    let soon = bench.now().after(SECOND / 2);
    bench.sim.block_on(async move {
        drop(select(std::pin::pin!(handler.retry(uuid().into())), clock.until(soon)).await);
    });
    bench.settle();
    assert_eq!(bench.streams.events(id(1)), [Event::Asked("?".into()), Event::Answered]);
}

#[test]
fn what_is_not_there_to_be_retried_is_said() {
    let (bench, handler) = waiting([]);
    let at = bench.now().after(HOUR);
    let (nothing, deadline, abandoned) = bench.sim.block_on(async move {
        handler.post(id(2), request(2, Command::Set(at))).await.unwrap();
        let deadline = id::<Counter>(2).uuid();
        let nothing = handler.retry(id::<Counter>(9).uuid().into()).await;
        (nothing, handler.retry(deadline.into()).await, handler.abandon(deadline.into(), operator()).await)
    });
    assert_eq!(nothing, Err(Unmoved::NothingWaits));
    assert_eq!(deadline, Err(Unmoved::Deadline(at)));
    assert_eq!(abandoned, Err(Unmoved::Deadline(at)));
    assert_eq!(bench.streams.events(id(2)), [Event::Set(at)], "it is not hurried");
}

#[test]
fn what_is_abandoned_is_given_up_and_its_late_answer_changes_nothing() {
    let (bench, handler) = waiting([]);
    let late = handler.clone();
    bench.sim.block_on(async move { handler.abandon(uuid().into(), operator()).await }).unwrap();
    bench.settle();
    assert_eq!(bench.streams.events(id(1)), [Event::Asked("?".into()), Event::GivenUp]);
    let again = bench.sim.block_on(async move { late.abandon(uuid().into(), operator()).await });
    assert_eq!(again, Err(Unmoved::NothingWaits));
    assert_eq!(bench.calls.keys().len(), 1, "no call was made");
}

/// A repeat of what was carried out, and whose answer was lost.
#[test]
fn a_step_that_is_named_is_not_taken_for_the_one_that_came_after_it() {
    let (bench, handler) = waiting([in_vain()]);
    let (first, again, second) = bench.sim.block_on(async move {
        let named = async || Wanted { stream: uuid(), key: Some(all(&handler).await[0].key) };
        let wanted = named().await;
        let first = handler.abandon(wanted, operator()).await;
        handler.handle(id(1), request(2, ask("!"))).await.unwrap();
        let again = (handler.abandon(wanted, operator()).await, handler.retry(wanted).await);
        (first, again, handler.abandon(named().await, operator()).await)
    });
    assert_eq!(first, Ok(()));
    assert_eq!(again, (Err(Unmoved::NothingWaits), Err(Unmoved::NothingWaits)));
    assert_eq!(second, Ok(()));
    let asked = |question: &str| Event::Asked(question.into());
    assert_eq!(bench.streams.events(id(1)), [asked("?"), Event::GivenUp, asked("!"), Event::GivenUp]);
}

#[test]
fn what_a_run_is_at_is_not_abandoned() {
    let bench = Bench::<Counter>::new([(SECOND, Ok(Command::Answer))]);
    let handler = bench.handler();
    let abandoned = bench.sim.block_on(async move {
        handler.post(id(1), request(1, ask("?"))).await.unwrap();
        (handler.retry(uuid().into()).await, handler.abandon(uuid().into(), operator()).await)
    });
    assert_eq!(abandoned, (Err(Unmoved::Running), Err(Unmoved::Running)));
    bench.settle();
    assert_eq!(bench.streams.events(id(1)), [Event::Asked("?".into()), Event::Answered]);
}

#[test]
fn what_is_vital_is_not_abandoned() {
    let (bench, handler) = asked("vital", []);
    let abandoned = bench.sim.block_on(async move { handler.abandon(uuid().into(), operator()).await });
    assert_eq!(abandoned, Err(Unmoved::Vital("Ask".into())));
    assert_eq!(bench.streams.events(id(1)), [Event::Asked("vital".into())]);
}

/// An abandoned order is undone, as one whose payment was not heard of: payment may have been asked.
#[test]
fn an_order_that_is_abandoned_is_undone() {
    let bench = Bench::<Order>::new([]);
    let handler = bench.handler();
    let order: Id<Order> = id(1);
    bench.sim.block_on(async move { handler.post(order, request(1, samples::place())).await }).unwrap();
    bench.pass(SECOND);
    bench.node.kill();
    bench.node.revive();
    bench.pass(LEASE);
    bench.calls.then((AT_ONCE, Ok(ordering::Command::ConfirmUndone)));
    let handler = bench.handler();
    bench.sim.block_on(async move { handler.abandon(order.uuid().into(), operator()).await }).unwrap();
    bench.settle();
    let undone = [ordering::Event::GivenUp, ordering::Event::Rejected { reason: String::new() }];
    assert_eq!(bench.streams.events(order)[1..], undone);
}

/// Money may have been taken.
#[test]
fn a_payment_that_is_being_charged_is_not_abandoned() {
    let approved = payment::Command::Settle(Authorisation::Approved { reference: "r".into() });
    let bench = Bench::<Payment>::new([(AT_ONCE, Err(Unanswered::unknown("no answer"))), (AT_ONCE, Ok(approved))]);
    let handler = bench.handler();
    let payment: Id<Payment> = id(1);
    let (abandoned, retried) = bench.sim.block_on(async move {
        handler.post(payment, request(1, payment::Command::Request(samples::bill()))).await.unwrap();
        handler.handle(payment, request(2, samples::pay())).await.unwrap();
        (handler.abandon(payment.uuid().into(), operator()).await, handler.retry(payment.uuid().into()).await)
    });
    assert_eq!(abandoned, Err(Unmoved::Vital("Authorise".into())));
    assert_eq!(retried, Ok(None));
    assert_eq!(bench.streams.standing(payment).state.status(), "APPROVED");
}
