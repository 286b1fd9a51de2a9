//! The rules of loyalty.

mod samples;

use std::collections::BTreeMap;

use highstreet_domain::kernel::{Aggregate, Reference};
use highstreet_domain::loyalty::{Account, AccountName, Command, Entry, Event, Fact, Rejection, react};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{account, case, now};

fn earn(amount: u64) -> Command {
    Command::Earn { name: account(), reference: case().root, amount, root: None }
}

fn reverse() -> Command {
    Command::Reverse { name: account(), reference: case().root, root: None }
}

fn earned(amount: i64) -> Event {
    Event::Earned { name: account(), reference: case().root, amount, time: now(), root: None }
}

fn reversed(amount: i64) -> Event {
    Event::Reversed { name: account(), reference: case().root, amount, time: now(), root: None }
}

/// An account whose entry for the order is the one its last event wrote.
fn with(events: impl IntoIterator<Item = Event>) -> highstreet_testkit::given::Given<Account> {
    given::<Account>(events).at(now())
}

#[test]
fn cafe_f8_a_paid_order_earns_a_stamp_for_every_drink_once() {
    let order = Fact::OrderPaid { case: case(), drinks: 3 };
    assert_eq!(react(&order), [(account().id(), earn(3))]);
    let state = with([]).when(earn(3)).then([earned(3)]).state();
    assert_eq!(state.balance, 3);
    with([earned(3)]).when(earn(3)).then_nothing();
}

#[test]
fn cafe_f8_a_cancelled_paid_order_takes_as_many_back_once() {
    assert_eq!(react(&Fact::PaidOrderCancelled(case())), [(account().id(), reverse())]);
    let state = with([earned(3)]).when(reverse()).then([reversed(3)]).state();
    assert_eq!(state.balance, 0);
    with([earned(3), reversed(3)]).when(reverse()).then_nothing();
}

#[test]
fn cafe_x1_a_cancelled_order_earns_nothing_again() {
    with([earned(3), reversed(3)]).when(earn(3)).then_refused(Rejection::AlreadyReversed);
}

#[test]
fn cafe_x2_a_reversal_that_comes_first_wins_over_the_earning() {
    with([]).when(reverse()).then([reversed(0)]);
    with([reversed(0)]).when(earn(3)).then_refused(Rejection::AlreadyReversed);
}

#[test]
fn cafe_x3_no_more_is_taken_back_than_there_is() {
    let spent = Entry { reference: case().root, earned: 9, reversed: false, created: now() };
    let state = with([earned(3)]).with_entry("", Some(spent)).at(now()).when(reverse()).then([reversed(3)]).state();
    assert_eq!(state.balance, 0);
}

#[test]
fn no_account_holds_more_than_fits() {
    with([]).when(earn(u64::MAX)).then_refused(Rejection::TooMuch);
    let full = with([earned(i64::MAX)]).with_entry("another", None).at(now());
    full.when(earn(1)).then_refused(Rejection::TooMuch);
}

#[test]
fn a_member_has_one_account_however_the_number_is_written() {
    let other = AccountName { member: "+82 10 1234 5678".into(), ..account() };
    assert_eq!(account().id(), other.id());
    assert_ne!(account().id(), AccountName { member: "010-0000-0000".into(), ..account() }.id());
}

// === Laws ===

fn commands() -> impl Strategy<Value = Command> {
    let reference = (0..4u8).prop_map(|number| Reference::new("ordering", number.to_string()));
    (reference, 0..5u64, any::<bool>()).prop_map(|(reference, amount, back)| {
        let name = account();
        if back {
            Command::Reverse { name, reference, root: None }
        } else {
            Command::Earn { name, reference, amount, root: None }
        }
    })
}

proptest! {
    #[test]
    fn the_balance_is_what_was_earned_and_not_taken_back(
        history in proptest::collection::vec(commands(), 0..30),
    ) {
        let events = laws::aggregate::<Account>(std::slice::from_ref(&history));
        let (mut entries, mut state) = (BTreeMap::new(), Account::default());
        for event in &events {
            state = state.evolve(event);
            prop_assert!(state.balance >= 0, "below nothing after {event:?}");
            match event {
                Event::Earned { reference, amount, .. } => entries.insert(reference.to_string(), *amount),
                Event::Reversed { reference, .. } => entries.insert(reference.to_string(), 0),
            };
        }
        prop_assert_eq!(state.balance, entries.values().sum::<i64>());
    }
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    laws::golden::<Account>(&samples::golden("account"), &[earned(3), reversed(3)]);
}
