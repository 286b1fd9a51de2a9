//! The rules of payment.

mod samples;

use highstreet_domain::kernel::{Aggregate, Id, OnOutage, PaymentMethod, Unanswered};
use highstreet_domain::payment::{
    Authorisation, Bill, By, Cancellation, Closing, Command, Event, Fact, Payment, Refund, Rejection, Step, react,
};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{bill, by, case, note, pay, won};

fn requested() -> Event {
    Event::Requested(bill())
}

fn started() -> Event {
    Event::Started { method: PaymentMethod::Card }
}

fn approved() -> Event {
    Event::Approved { reference: "r".into() }
}

fn declined() -> Event {
    Event::Declined { reason: "no funds".into() }
}

fn settle_approved() -> Command {
    Command::Settle(Authorisation::Approved { reference: "r".into() })
}

fn settle_declined() -> Command {
    Command::Settle(Authorisation::Declined { reason: "no funds".into() })
}

fn authorise() -> Step {
    Step::Authorise { payer: bill().payer, amount: won(14_000), method: PaymentMethod::Card }
}

fn refund() -> Step {
    Step::Refund { reference: "r".into(), amount: won(14_000) }
}

// === Request ===

#[test]
fn a_payment_is_asked_for_once_and_again_in_the_same_terms() {
    given::<Payment>([]).when(Command::Request(bill())).then([requested()]).waits_for_nothing();
    given::<Payment>([requested()]).when(Command::Request(bill())).then_nothing();
    let more = Command::Request(Bill { amount: won(1), ..bill() });
    given::<Payment>([requested()]).when(more).then_refused(Rejection::AlreadyRequested);
}

#[test]
fn a_cancellation_that_comes_before_the_request_wins() {
    let early = Event::Cancelled(by(By::Order));
    given::<Payment>([]).when(Command::Cancel(by(By::Order))).then([early.clone()]).waits_for_nothing();
    given::<Payment>([early]).when(Command::Request(bill())).then_refused(Rejection::AlreadyCancelled);
}

// === Pay ===

#[test]
fn cafe_f3_paying_asks_the_provider_and_its_answer_settles_it() {
    given::<Payment>([requested()]).when(pay()).then([started()]).calls(authorise());
    let processing = [requested(), started()];
    given::<Payment>(processing.clone()).when(settle_approved()).then([approved()]).waits_for_nothing();
    given::<Payment>(processing).when(settle_declined()).then([declined()]).waits_for_nothing();
}

#[test]
fn a_declined_payment_may_be_paid_again() {
    given::<Payment>([requested(), started(), declined()]).when(pay()).then([started()]).calls(authorise());
}

#[test]
fn a_payment_is_made_by_another_method_if_one_is_named_and_as_its_bill_says_if_not() {
    let (unnamed, cash) = (Command::Pay { method: None }, PaymentMethod::Cash);
    given::<Payment>([requested()]).when(unnamed.clone()).then([started()]);
    let by_cash = Event::Started { method: cash };
    given::<Payment>([requested()]).when(Command::Pay { method: Some(cash) }).then([by_cash.clone()]);
    let billed = Event::Requested(Bill { method: cash, ..bill() });
    given::<Payment>([billed]).when(unnamed).then([by_cash]);
}

#[test]
fn nobody_pays_twice() {
    given::<Payment>([]).when(pay()).then_refused(Rejection::NotFound);
    given::<Payment>([requested(), started()]).when(pay()).then_refused(Rejection::Processing);
    given::<Payment>([requested(), started(), approved()]).when(pay()).then_refused(Rejection::AlreadyPaid);
    let cancelled = [requested(), Event::Cancelled(by(By::Order))];
    given::<Payment>(cancelled).when(pay()).then_refused(Rejection::AlreadyCancelled);
}

#[test]
fn a_provider_that_was_not_reached_took_nothing_and_one_that_did_not_answer_is_asked_again() {
    let processing = given::<Payment>([requested(), started()]);
    let (not_sent, unknown) = (Unanswered::not_sent("down"), Unanswered::unknown("slow"));
    let state = processing.clone().state();
    assert_eq!(state.on_outage(&authorise(), &not_sent, 1), OnOutage::GiveUp(Command::GiveUp));
    assert_eq!(state.on_outage(&authorise(), &unknown, 1000), OnOutage::Retry, "until it is known");
    for unanswered in [not_sent, unknown] {
        assert_eq!(state.on_outage(&refund(), &unanswered, 1000), OnOutage::Retry, "a refund never gives up");
    }
    processing.when(Command::GiveUp).then([Event::NotCharged]).when(pay()).then([started()]);
}

#[test]
fn a_late_answer_of_the_provider_changes_nothing() {
    for command in [settle_approved(), settle_declined(), Command::GiveUp, Command::ConfirmRefund] {
        given::<Payment>([requested(), started(), approved()]).when(command.clone()).then_nothing();
        given::<Payment>([requested()]).when(command).then_nothing();
    }
}

// === Cancel ===

#[test]
fn cafe_a2_a_cancelled_payment_goes_back_once() {
    let history = [requested(), started(), approved()];
    let cancelled = Event::Cancelled(by(By::Order));
    let refunding = given::<Payment>(history).when(Command::Cancel(by(By::Order))).then([cancelled]);
    refunding.clone().calls(refund());
    refunding.clone().when(Command::Cancel(by(By::Order))).then_nothing();
    let refunded = refunding.when(Command::ConfirmRefund).then([Event::Refunded]);
    refunded.clone().waits_for_nothing();
    refunded.when(Command::ConfirmRefund).then_nothing();
}

#[test]
fn a_payment_that_was_not_taken_is_not_refunded() {
    for history in [vec![requested()], vec![requested(), started(), declined()]] {
        let cancelled = Event::Cancelled(by(By::Order));
        given::<Payment>(history).when(Command::Cancel(by(By::Order))).then([cancelled]).waits_for_nothing();
    }
}

#[test]
fn a_cancellation_waits_for_the_providers_answer() {
    let waiting = Event::CancellationRequested(by(By::Order));
    let cancelled = || Event::Cancelled(by(By::Order));
    let processing = given::<Payment>([requested(), started()]).when(Command::Cancel(by(By::Order))).then([waiting]);
    processing.clone().calls(authorise());
    processing.clone().when(Command::Cancel(by(By::Staff))).then_nothing();
    processing.clone().when(settle_approved()).then([approved(), cancelled()]).calls(refund());
    processing.clone().when(settle_declined()).then([declined(), cancelled()]).waits_for_nothing();
    processing.when(Command::GiveUp).then([Event::NotCharged, cancelled()]).waits_for_nothing();
}

#[test]
fn cafe_a6_the_money_of_a_completed_order_stays() {
    let closed = [requested(), started(), approved(), Event::Closed];
    given::<Payment>(closed[..3].to_vec()).when(Command::Close).then([Event::Closed]).waits_for_nothing();
    given::<Payment>(closed.clone()).when(Command::Close).then_nothing();
    given::<Payment>(closed.clone()).when(Command::Cancel(by(By::Order))).then_nothing();
    given::<Payment>(closed).when(Command::Cancel(by(By::Staff))).then_refused(Rejection::CancelTheOrder);
    let cancelled = [requested(), Event::Cancelled(by(By::Order))];
    given::<Payment>(cancelled).when(Command::Close).then_nothing();
}

#[test]
fn staff_cancel_only_what_is_theirs_to_cancel() {
    given::<Payment>([]).when(Command::Cancel(by(By::Staff))).then_refused(Rejection::NotFound);
    let early = [Event::Cancelled(by(By::Order))];
    given::<Payment>(early).when(Command::Cancel(by(By::Staff))).then_refused(Rejection::NotFound);
    let cancelled = Event::Cancelled(by(By::Staff));
    given::<Payment>([requested()]).when(Command::Cancel(by(By::Staff))).then([cancelled]);
    let mut booking = bill();
    booking.order.context = "booking".into();
    let booked = [Event::Requested(booking)];
    given::<Payment>(booked).when(Command::Cancel(by(By::Staff))).then_refused(Rejection::CancelTheOrder);
}

#[test]
fn cafe_x4_a_payment_is_found_by_the_order_it_is_for() {
    let order = case().root;
    let id = Id::made_for(&order);
    assert_ne!(id, Id::made_for(&samples::other_order()));
    let cancel = Command::Cancel(Cancellation { reason: note("EXPIRED"), by: By::Order });
    assert_eq!(react(&Fact::OrderCancelled { order: order.clone(), reason: note("EXPIRED") }), [(id, cancel)]);
    assert_eq!(react(&Fact::OrderCompleted { order }), [(id, Command::Close)]);
}

// === Laws ===

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => Just(Command::Request(bill())),
        4 => Just(pay()),
        2 => Just(settle_approved()),
        1 => Just(settle_declined()),
        1 => Just(Command::GiveUp),
        2 => prop_oneof![Just(By::Order), Just(By::Staff)].prop_map(|who| Command::Cancel(by(who))),
        1 => Just(Command::ConfirmRefund),
        1 => Just(Command::Close),
    ]
}

proptest! {
    #[test]
    fn whatever_it_is_asked_money_goes_back_only_where_it_was_taken(
        history in proptest::collection::vec(commands(), 0..30),
    ) {
        let events = laws::aggregate::<Payment>(std::slice::from_ref(&history));
        let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
        let approvals = count(|event| matches!(event, Event::Approved { .. }));
        prop_assert!(approvals <= 1, "paid {approvals} times");
        prop_assert!(count(|event| *event == Event::Refunded) <= approvals, "refunded without having been paid");
        prop_assert!(count(|event| matches!(event, Event::Cancelled(_))) <= 1);
        let state = events.iter().fold(Payment::default(), Payment::evolve);
        let kept = matches!(state, Payment::Approved { closing: Closing::Open | Closing::Closed, .. });
        let back = matches!(state, Payment::Cancelled { refund: Refund::Due { .. } | Refund::Done, .. });
        prop_assert_eq!(approvals == 1, kept || back, "what was taken is kept or goes back: {:?}", state);
    }
}

#[test]
fn what_a_step_comes_to_ends_it() {
    let waiting = Event::CancellationRequested(by(By::Order));
    let states = [
        vec![requested(), started()],
        vec![requested(), started(), waiting],
        vec![requested(), started(), approved(), Event::Cancelled(by(By::Order))],
    ];
    laws::outcomes_end_steps(&states.map(|events| given::<Payment>(events).state()), |step| match step {
        Step::Authorise { .. } => vec![settle_approved(), settle_declined(), Command::GiveUp],
        Step::Refund { .. } => vec![Command::ConfirmRefund],
    });
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [
        requested(),
        started(),
        approved(),
        declined(),
        Event::NotCharged,
        Event::CancellationRequested(by(By::Staff)),
        Event::Cancelled(by(By::Order)),
        Event::Refunded,
        Event::Closed,
    ];
    laws::golden::<Payment>(&samples::golden("payment"), &samples);
}
