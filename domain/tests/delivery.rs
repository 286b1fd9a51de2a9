//! The rules of delivery.

mod samples;

use highstreet_domain::delivery::{Command, Delivery, Dispatch, Event, Fact, Load, Rejection, react};
use highstreet_domain::kernel::Id;
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{case, case_of, cola, goods, load};

fn scheduled() -> Event {
    Event::Scheduled(load())
}

fn shipped() -> Vec<Event> {
    vec![scheduled(), Event::Shipped]
}

fn delivered() -> Vec<Event> {
    vec![scheduled(), Event::Shipped, Event::Delivered]
}

fn cancelled() -> Event {
    Event::Cancelled { case: case() }
}

/// The order was cancelled.
fn recall() -> Command {
    Command::Cancel { case: Some(case()) }
}

/// Somebody wants this delivery cancelled.
fn cancel() -> Command {
    Command::Cancel { case: None }
}

#[test]
fn cafe_f6_what_is_ready_is_delivered() {
    let by_hand = Command::Schedule(load(), Dispatch::ByHand);
    let id = Id::made_for(&case().root);
    assert_eq!(react(&Fact::Wanted(load()), Dispatch::ByHand), [(id, by_hand.clone())]);
    let delivery = given::<Delivery>([]).when(by_hand).then([scheduled()]);
    delivery.when(Command::Ship).then([Event::Shipped]).when(Command::Complete).then([Event::Delivered]);
    let at_once = Command::Schedule(load(), Dispatch::AtOnce);
    given::<Delivery>([]).when(at_once).then(shipped());
}

#[test]
fn cafe_x1_an_order_is_delivered_once() {
    for history in [vec![scheduled()], shipped(), delivered(), vec![cancelled()]] {
        given::<Delivery>(history).when(Command::Schedule(load(), Dispatch::ByHand)).then_nothing();
    }
}

#[test]
fn a_delivery_goes_one_way() {
    for command in [Command::Ship, Command::Complete, cancel()] {
        given::<Delivery>([]).when(command).then_refused(Rejection::NotFound);
    }
    given::<Delivery>([scheduled()]).when(Command::Complete).then_refused(Rejection::NotShipped);
    for history in [shipped(), delivered()] {
        given::<Delivery>(history).when(Command::Ship).then_nothing();
    }
    given::<Delivery>(delivered()).when(Command::Complete).then_nothing();
    for command in [Command::Ship, Command::Complete] {
        given::<Delivery>([scheduled(), cancelled()]).when(command).then_refused(Rejection::AlreadyCancelled);
    }
}

#[test]
fn cafe_x4_an_order_recalls_its_own_delivery_and_no_other() {
    let [(id, command)] = &react(&Fact::OrderCancelled(case()), Dispatch::ByHand)[..] else { panic!("one command") };
    assert_eq!((*id, command), (Id::made_for(&case().root), &recall()));
    assert_ne!(*id, Id::made_for(&samples::other_order()));
}

#[test]
fn cafe_f7_a_courier_is_called_back() {
    for history in [vec![scheduled()], shipped()] {
        for command in [recall(), cancel()] {
            let stopped = given::<Delivery>(history.clone()).when(command.clone()).then([cancelled()]);
            stopped.when(command).then_nothing();
        }
    }
}

#[test]
fn what_is_delivered_stays_delivered_and_staff_are_told_once() {
    given::<Delivery>(delivered()).when(cancel()).then_refused(Rejection::AlreadyDelivered);
    let told = given::<Delivery>(delivered()).when(recall()).then([Event::RecallRefused]);
    told.when(recall()).then_nothing();
}

#[test]
fn a_cancellation_that_overtakes_the_order_wins() {
    let early = given::<Delivery>([]).when(recall()).then([cancelled()]);
    early.clone().when(Command::Schedule(load(), Dispatch::AtOnce)).then_nothing();
    early.when(Command::Ship).then_refused(Rejection::AlreadyCancelled);
}

#[test]
fn store_a2_what_head_office_has_shipped_cannot_be_cancelled() {
    for command in [recall(), cancel()] {
        let sent = [Event::Scheduled(goods()), Event::Shipped];
        given::<Delivery>(sent).when(command.clone()).then_refused(Rejection::AlreadyShipped);
        given::<Delivery>([Event::Scheduled(goods())]).when(command).then([cancelled()]);
    }
}

/// STORE-A7: the cancel overtakes the order's own event. `CancelDelivery` of an order names the stream that its event
/// leads to, is recorded there, and wins: the delivery never ships, not even in a shop that ships at once.
#[test]
fn store_a7_a_cancel_that_overtakes_the_order_wins() {
    let order = case_of("replenishment", 7);
    let wanted = Load { case: order.clone(), order: order.root.clone(), items: vec![cola(10)] };
    for dispatch in [Dispatch::ByHand, Dispatch::AtOnce] {
        let [(stream, schedule)] = react(&Fact::Wanted(wanted.clone()), dispatch).try_into().unwrap();
        assert_eq!(stream, Id::made_for(&order.root), "where the cancel was recorded");
        let early = given::<Delivery>([]).when(Command::Cancel { case: Some(order.clone()) });
        let early = early.then([Event::Cancelled { case: order.clone() }]);
        let delivery = early.when(schedule).then_nothing();
        assert_eq!(delivery.clone().state().status(), "CANCELLED");
        delivery.when(Command::Ship).then_refused(Rejection::AlreadyCancelled);
    }
}

// === Laws ===

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_it_ends_once(
        history in proptest::collection::vec(
            prop_oneof![
                2 => Just(Command::Schedule(load(), Dispatch::ByHand)),
                1 => Just(Command::Schedule(load(), Dispatch::AtOnce)),
                3 => Just(Command::Ship),
                3 => Just(Command::Complete),
                1 => Just(recall()),
                1 => Just(cancel()),
            ],
            0..15,
        ),
    ) {
        let events = laws::aggregate::<Delivery>(std::slice::from_ref(&history));
        let ends = events.iter().filter(|event| matches!(event, Event::Delivered | Event::Cancelled { .. }));
        prop_assert!(ends.count() <= 1, "{events:?}");
    }
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [scheduled(), Event::Shipped, Event::Delivered, cancelled(), Event::RecallRefused];
    laws::golden::<Delivery>(&samples::golden("delivery"), &samples);
}
