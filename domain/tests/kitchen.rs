//! The rules of the kitchen. CAFE-X5: the original had none.

mod samples;

use highstreet_domain::kernel::Id;
use highstreet_domain::kitchen::{Command, Event, Fact, Preparation, Rejection, react};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{case, work};

fn started() -> Event {
    Event::Started(work())
}

fn cancelled() -> Event {
    Event::Cancelled { case: case() }
}

fn cancel() -> Command {
    Command::Cancel { case: case() }
}

#[test]
fn cafe_f4_cafe_x5_a_paid_order_is_made() {
    let id = Id::made_for(&case().root);
    assert_eq!(react(&Fact::OrderPaid(work())), [(id, Command::Start(work()))]);
    let preparing = given::<Preparation>([]).when(Command::Start(work())).then([started()]);
    preparing.when(Command::Complete).then([Event::Ready]).waits_for_nothing();
}

#[test]
fn cafe_x1_an_order_is_made_once_however_often_it_was_paid() {
    for history in [vec![started()], vec![started(), Event::Ready], vec![started(), cancelled()]] {
        given::<Preparation>(history).when(Command::Start(work())).then_nothing();
    }
}

#[test]
fn pressing_the_button_twice_is_no_error() {
    given::<Preparation>([started(), Event::Ready]).when(Command::Complete).then_nothing();
    given::<Preparation>([]).when(Command::Complete).then_refused(Rejection::NotFound);
}

#[test]
fn cafe_f7_a_cancelled_order_is_not_served_however_far_it_was() {
    assert_eq!(react(&Fact::OrderCancelled(case())), [(Id::made_for(&case().root), cancel())]);
    for history in [vec![], vec![started()], vec![started(), Event::Ready]] {
        let stopped = given::<Preparation>(history).when(cancel()).then([cancelled()]);
        stopped.clone().when(cancel()).then_nothing();
        stopped.when(Command::Complete).then_refused(Rejection::AlreadyCancelled);
    }
}

#[test]
fn a_cancellation_that_overtakes_the_order_wins() {
    let early = given::<Preparation>([]).when(cancel()).then([cancelled()]);
    early.when(Command::Start(work())).then_nothing();
}

// === Laws ===

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_a_cancellation_stays(
        history in proptest::collection::vec(
            prop_oneof![Just(Command::Start(work())), Just(Command::Complete), Just(cancel())], 0..12),
    ) {
        let events = laws::aggregate::<Preparation>(std::slice::from_ref(&history));
        let end = events.iter().position(|event| *event == cancelled());
        prop_assert!(end.is_none_or(|end| end + 1 == events.len()), "{events:?}");
    }
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    laws::golden::<Preparation>(&samples::golden("preparation"), &[started(), Event::Ready, cancelled()]);
}
