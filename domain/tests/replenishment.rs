//! The rules of replenishment.

mod samples;

use highstreet_domain::kernel::{Aggregate, Id, OnOutage, Quantity, Reference, Unanswered};
use highstreet_domain::replenishment::{Command, Details, Event, Fact, Order, Rejection, Step, Tried, react};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{cola, note, shop, won};
use uuid::Uuid;

fn details() -> Details {
    Details { shop: shop(), item: cola(10), unit_price: won(1200) }
}

fn placed() -> Event {
    Event::Placed(details())
}

fn cancel() -> Command {
    Command::Cancel { note: note("too many") }
}

fn requested() -> Event {
    Event::CancellationRequested { note: note("too many") }
}

fn pending() -> Vec<Event> {
    vec![placed(), requested()]
}

fn shipped() -> Vec<Event> {
    vec![placed(), Event::Shipped]
}

fn refused() -> Vec<Event> {
    vec![placed(), requested(), Event::CancellationRefused, Event::Shipped]
}

fn received() -> Vec<Event> {
    vec![placed(), Event::Shipped, Event::Received]
}

fn cancelled() -> Vec<Event> {
    vec![placed(), requested(), Event::Cancelled]
}

fn cancel_delivery() -> Step {
    Step::CancelDelivery { shop: shop() }
}

#[test]
fn store_f1_an_order_is_placed_once_with_its_total() {
    let order = given::<Order>([]).when(Command::Place(details())).then([placed()]);
    order.clone().waits_for_nothing();
    assert_eq!(details().total(), Some(won(12_000)));
    order.when(Command::Place(details())).then_refused(Rejection::AlreadyPlaced);
    let priceless = Details { unit_price: won(i64::MAX), item: cola(i64::from(Quantity::MOST)), ..details() };
    given::<Order>([]).when(Command::Place(priceless)).then_refused(Rejection::InvalidTotal);
}

#[test]
fn store_f2_store_f3_an_order_is_shipped_and_then_received() {
    let order = given::<Order>([placed()]).when(Command::MarkShipped).then([Event::Shipped]);
    let order = order.when(Command::MarkReceived).then([Event::Received]);
    order.clone().waits_for_nothing();
    for late in [Command::MarkShipped, Command::MarkReceived] {
        order.clone().when(late).then_nothing();
    }
}

#[test]
fn what_stock_tells_before_delivery_does_is_not_lost() {
    given::<Order>([placed()]).when(Command::MarkReceived).then([Event::Shipped, Event::Received]);
    let all = [Event::CancellationRefused, Event::Shipped, Event::Received];
    given::<Order>(pending()).when(Command::MarkReceived).then(all).waits_for_nothing();
    for command in [Command::MarkShipped, Command::MarkReceived, cancel()] {
        given::<Order>([]).when(command).then_refused(Rejection::NotFound);
    }
}

/// STORE-X1: nothing says that an order is cancelled before delivery has answered; until then it is pending, and
/// delivery is asked for ever.
#[test]
fn store_x1_store_n1_an_order_is_cancelled_only_once_its_delivery_is() {
    let order = given::<Order>([placed()]).when(cancel()).then([requested()]);
    order.clone().calls(cancel_delivery());
    let state = order.clone().state();
    assert_eq!((state.status(), state.refusal()), ("CANCELLATION_PENDING", None));
    for unanswered in [Unanswered::not_sent("down"), Unanswered::unknown("slow")] {
        for attempts in [1, 1000] {
            assert_eq!(state.on_outage(&cancel_delivery(), &unanswered, attempts), OnOutage::Retry);
        }
    }
    order.when(Command::ConfirmCancelled).then([Event::Cancelled]).waits_for_nothing();
    // Whatever else comes first, an answer that nobody asked for cancels nothing.
    for history in [vec![], vec![placed()], shipped(), received()] {
        given::<Order>(history).when(Command::ConfirmCancelled).then_nothing();
    }
}

#[test]
fn store_a2_what_is_shipped_stays_and_whoever_cancels_is_told() {
    let order = given::<Order>(pending()).when(Command::RefuseCancellation);
    let order = order.then([Event::CancellationRefused, Event::Shipped]).state();
    assert!(matches!(order, Order::Shipped { tried: Tried::InVain, .. }));
    assert_eq!((order.refusal(), order.due()), (Some(Rejection::AlreadyShipped), None));
    for history in [shipped(), received(), refused()] {
        given::<Order>(history).when(cancel()).then_refused(Rejection::AlreadyShipped);
    }
    for history in [shipped(), received()] {
        assert_eq!(given::<Order>(history).state().refusal(), None, "nobody tried");
    }
}

/// STORE-A2: whoever waits for delivery's answer hears that it is too late, even if the goods are in stock by then.
#[test]
fn store_a2_an_order_received_meanwhile_was_not_cancelled() {
    let told = [Event::CancellationRefused, Event::Shipped, Event::Received];
    let order = given::<Order>(pending()).when(Command::MarkReceived).then(told).state();
    assert_eq!((order.status(), order.refusal()), ("RECEIVED", Some(Rejection::AlreadyShipped)));
    let order = given::<Order>(refused()).when(Command::MarkReceived).then([Event::Received]).state();
    assert_eq!(order.refusal(), Some(Rejection::AlreadyShipped));
}

#[test]
fn a_shipment_that_overtakes_delivery_s_answer_ends_the_cancellation() {
    let told = [Event::CancellationRefused, Event::Shipped];
    let order = given::<Order>(pending()).when(Command::MarkShipped).then(told);
    order.clone().waits_for_nothing();
    for late in [Command::RefuseCancellation, Command::ConfirmCancelled, Command::MarkShipped] {
        order.clone().when(late).then_nothing();
    }
}

/// STORE-X4: a late `Shipped`, or a late `StockReceived`, does not overwrite `CANCELLED`.
#[test]
fn store_x4_a_terminal_state_wins() {
    for late in [Command::MarkShipped, Command::MarkReceived, Command::RefuseCancellation, cancel()] {
        let order = given::<Order>(cancelled()).when(late).then_nothing();
        assert_eq!(order.state().status(), "CANCELLED");
    }
}

#[test]
fn cancelling_twice_is_no_error() {
    given::<Order>(pending()).when(cancel()).then_nothing().calls(cancel_delivery());
    given::<Order>(cancelled()).when(cancel()).then_nothing();
}

#[test]
fn what_others_published_leads_to_commands_about_the_order() {
    let order: Id<Order> = Id::new(Uuid::from_u128(1));
    assert_eq!(react(&Fact::Shipped(order)), [(order, Command::MarkShipped)]);
    assert_eq!(react(&Fact::Received(order)), [(order, Command::MarkReceived)]);
    assert_eq!(Order::reference(order), Reference::new("replenishment", order.to_string()));
}

// === Laws ===

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => Just(Command::Place(details())),
        2 => Just(cancel()),
        1 => Just(Command::ConfirmCancelled),
        1 => Just(Command::RefuseCancellation),
        1 => Just(Command::MarkShipped),
        1 => Just(Command::MarkReceived),
    ]
}

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_it_ends_once(
        history in proptest::collection::vec(commands(), 0..20),
    ) {
        let events = laws::aggregate::<Order>(std::slice::from_ref(&history));
        let count = |event: &Event| events.iter().filter(|it| *it == event).count();
        prop_assert!(count(&Event::Cancelled) + count(&Event::Shipped) <= 1, "{events:?}");
        prop_assert!(count(&Event::Received) <= count(&Event::Shipped), "{events:?}");
    }
}

#[test]
fn what_a_step_comes_to_ends_it() {
    laws::outcomes_end_steps(&[given::<Order>(pending()).state()], |Step::CancelDelivery { .. }| {
        vec![Command::ConfirmCancelled, Command::RefuseCancellation]
    });
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples =
        [placed(), requested(), Event::Cancelled, Event::CancellationRefused, Event::Shipped, Event::Received];
    laws::golden::<Order>(&samples::golden("replenishment.order"), &samples);
}
