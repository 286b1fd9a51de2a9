//! The rules of ordering.

mod samples;

use highstreet_domain::kernel::{
    Aggregate, Currency, Due, Id, Money, OnOutage, Outage, Quantity, Reference, Unanswered,
};
use highstreet_domain::ordering::{
    CancelReason, Command, Event, Fact, Line, Order, Paid, Place, Registration, Rejection, Step, react,
};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{cancel, cancelled, details, lines, note, now, order_id, place, placed, submitted, won};

const REASONS: [CancelReason; 3] = [CancelReason::Customer, CancelReason::Expired, CancelReason::PaymentCancelled];

fn ordered() -> [Event; 2] {
    [submitted(), placed()]
}

fn paid() -> [Event; 3] {
    [submitted(), placed(), Event::Paid]
}

fn completed() -> [Event; 4] {
    [submitted(), placed(), Event::Paid, Event::Completed]
}

#[test]
fn cafe_f1_an_order_is_taken_down_with_its_total_and_its_time_to_pay() {
    let register = Step::RegisterPayment(Registration {
        shop: samples::shop(),
        payer: samples::MINA.into(),
        amount: won(14_000),
        method: details().method,
    });
    given::<Order>([]).at(now()).when(place()).then([submitted()]).calls(register);
}

#[test]
fn prices_must_add_up() {
    let with = |lines: Vec<Line>| {
        let Command::Place(place) = place() else { unreachable!("place() places") };
        given::<Order>([]).when(Command::Place(Place { lines, ..place })).then_refused(Rejection::InvalidTotal);
    };
    with(vec![]);
    let dollars = Money::zero(Currency::parse("USD").unwrap());
    with(vec![lines().remove(0), Line { unit_price: dollars, ..lines().remove(1) }]);
    let item = samples::latte(i64::from(Quantity::MOST));
    with(vec![Line { item, unit_price: won(i64::MAX) }]);
}

#[test]
fn cafe_n1_an_order_exists_for_others_only_once_payment_has_registered_it() {
    let accept = Command::AcceptPayment { payment: "p".into() };
    let order = given::<Order>([submitted()]).when(accept).then([placed()]);
    order.waits_until(details().pay_by, cancel(CancelReason::Expired));
    assert_eq!(given::<Order>([submitted()]).state().index(), None);
    for command in [cancel(CancelReason::Customer), Command::Complete] {
        for history in [vec![], vec![submitted()], vec![submitted(), Event::GivenUp]] {
            given::<Order>(history).when(command.clone()).then_refused(Rejection::NotFound);
        }
    }
}

#[test]
fn what_payment_tells_before_its_answer_arrives_is_not_lost() {
    let accept = Command::AcceptPayment { payment: "p".into() };
    given::<Order>([submitted()]).when(mark_paid()).then([placed(), Event::Paid]).waits_for_nothing();
    given::<Order>([submitted(), placed(), Event::Paid]).when(accept).then_nothing();
    let rejected = Event::Rejected { reason: "PAYMENT_CANCELLED".into() };
    given::<Order>([submitted()]).when(cancel(CancelReason::PaymentCancelled)).then([rejected]);
    given::<Order>([submitted(), Event::GivenUp]).when(mark_paid()).then_nothing();
}

#[test]
fn cafe_n1_what_payment_refuses_never_comes_about() {
    let reject = Command::RejectPayment { reason: "no".into() };
    let rejected = Event::Rejected { reason: "no".into() };
    let order = given::<Order>([submitted()]).when(reject).then([rejected]).state();
    assert_eq!(order.refusal(), Some(Rejection::PaymentRefused("no".into())));
    assert_eq!((order.index(), order.due()), (None, None));
}

#[test]
fn cafe_n3_an_order_is_given_up_when_payment_does_not_answer_and_undone_where_it_must_be() {
    let order = given::<Order>([submitted()]).state();
    for unanswered in [Unanswered::not_sent("down"), Unanswered::unknown("slow")] {
        let give_up = OnOutage::GiveUp(Command::GiveUp(unanswered.outage));
        let Some(Due::Call(step)) = order.due() else { panic!("payment is to be called") };
        assert_eq!(order.on_outage(&step, &unanswered, 1), give_up);
        assert_eq!(order.on_outage(&Step::UndoPayment, &unanswered, 1000), OnOutage::Retry, "for ever");
    }
    let nothing = Event::Rejected { reason: String::new() };
    given::<Order>([submitted()]).when(Command::GiveUp(Outage::NotSent)).then([nothing.clone()]).waits_for_nothing();
    given::<Order>([submitted()])
        .when(Command::GiveUp(Outage::Unknown))
        .then([Event::GivenUp])
        .calls(Step::UndoPayment);
    given::<Order>([submitted(), Event::GivenUp]).when(Command::ConfirmUndone).then([nothing]).waits_for_nothing();
}

#[test]
fn a_late_answer_of_payment_changes_nothing() {
    let late = [
        Command::AcceptPayment { payment: "late".into() },
        Command::RejectPayment { reason: "late".into() },
        Command::GiveUp(Outage::Unknown),
        Command::GiveUp(Outage::NotSent),
    ];
    let gone = vec![submitted(), Event::GivenUp, Event::Rejected { reason: String::new() }];
    for command in late {
        for history in [gone.clone(), ordered().to_vec(), paid().to_vec(), completed().to_vec()] {
            given::<Order>(history).when(command.clone()).then_nothing();
        }
    }
}

#[test]
fn cafe_f2_a_paid_order_no_longer_expires() {
    given::<Order>(ordered()).when(mark_paid()).then([Event::Paid]).waits_for_nothing();
    given::<Order>(paid()).when(cancel(CancelReason::Expired)).then_nothing();
    given::<Order>(paid()).when(mark_paid()).then_nothing();
}

#[test]
fn cafe_a1_a_delivered_order_is_completed() {
    given::<Order>(paid()).when(Command::Complete).then([Event::Completed]).waits_for_nothing();
    given::<Order>(completed()).when(Command::Complete).then_nothing();
    given::<Order>(ordered()).when(Command::Complete).then_refused(Rejection::NotPaid);
}

#[test]
fn cafe_f7_an_order_can_be_cancelled_before_and_after_it_is_paid() {
    for (history, was_paid) in [(ordered().to_vec(), Paid::No), (paid().to_vec(), Paid::Yes)] {
        let expected = [cancelled(CancelReason::Customer)];
        let order = given::<Order>(history).when(cancel(CancelReason::Customer)).then(expected).state();
        assert!(matches!(order, Order::Cancelled { paid, .. } if paid == was_paid), "{order:?}");
        assert_eq!(order.due(), None);
    }
}

#[test]
fn cafe_x1_cancelling_never_says_paid_again() {
    for reason in REASONS {
        let history = [&paid()[..], &[cancelled(CancelReason::Customer)]].concat();
        given::<Order>(history.clone()).when(cancel(reason)).then_nothing();
        given::<Order>(history).when(mark_paid()).then_nothing();
    }
}

#[test]
fn cafe_a6_completed_orders_cannot_be_cancelled() {
    for reason in [CancelReason::Customer, CancelReason::PaymentCancelled] {
        given::<Order>(completed()).when(cancel(reason)).then_refused(Rejection::AlreadyCompleted);
    }
}

#[test]
fn cafe_a7_an_order_never_paid_expires() {
    let expires = cancel(CancelReason::Expired);
    given::<Order>(ordered()).when(expires).then([cancelled(CancelReason::Expired)]).waits_for_nothing();
}

#[test]
fn what_others_published_leads_to_commands_about_the_order() {
    let order: Id<Order> = order_id();
    assert_eq!(react(&Fact::PaymentApproved { order, payment: "p".into() }), [(order, mark_paid())]);
    assert_eq!(react(&Fact::Delivered(order)), [(order, Command::Complete)]);
    let cancelled = cancel(CancelReason::PaymentCancelled);
    assert_eq!(react(&Fact::PaymentCancelledByStaff(order)), [(order, cancelled)]);
    assert_eq!(Order::reference(order), Reference::new("ordering", order.to_string()));
}

fn mark_paid() -> Command {
    Command::MarkPaid { payment: "p".into() }
}

// === Laws ===

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => Just(place()),
        3 => Just(Command::AcceptPayment { payment: "p".into() }),
        1 => Just(Command::RejectPayment { reason: "no".into() }),
        1 => prop_oneof![Just(Outage::NotSent), Just(Outage::Unknown)].prop_map(Command::GiveUp),
        1 => Just(Command::ConfirmUndone),
        2 => Just(mark_paid()),
        1 => Just(Command::Complete),
        2 => proptest::sample::select(&REASONS).prop_map(cancel),
    ]
}

fn is_terminal(order: &Order) -> bool {
    matches!(order, Order::Completed(_) | Order::Cancelled { .. } | Order::Rejected { .. })
}

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_terminal_states_stay(
        history in proptest::collection::vec(commands(), 0..25),
    ) {
        laws::aggregate::<Order>(std::slice::from_ref(&history));
        let mut order = Order::default();
        for command in &history {
            let events = order.decide(command, now()).unwrap_or_default();
            prop_assert!(!is_terminal(&order) || events.is_empty(), "{order:?} and then {events:?}");
            order = events.iter().fold(order, Order::evolve);
        }
    }
}

#[test]
fn what_a_step_comes_to_ends_it() {
    let states = [vec![submitted()], vec![submitted(), Event::GivenUp]].map(|events| given::<Order>(events).state());
    laws::outcomes_end_steps(&states, |step| match step {
        Step::RegisterPayment(_) => vec![
            Command::AcceptPayment { payment: "p".into() },
            Command::RejectPayment { reason: "no".into() },
            Command::GiveUp(Outage::NotSent),
            Command::GiveUp(Outage::Unknown),
        ],
        Step::UndoPayment => vec![Command::ConfirmUndone],
    });
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [
        submitted(),
        placed(),
        Event::Rejected { reason: "no".into() },
        Event::GivenUp,
        Event::Paid,
        Event::Completed,
        Event::Cancelled { reason: CancelReason::Customer, note: note("changed my mind") },
    ];
    laws::golden::<Order>(&samples::golden("order"), &samples);
}
