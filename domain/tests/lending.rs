//! The rules of lending.

#![allow(clippy::unwrap_used, reason = "every one of them is valid, or its test fails")]

mod samples;

use highstreet_domain::kernel::{Aggregate, Id, Index, Payer, ProductId, View};
use highstreet_domain::lending::{Book, BookFact, Command, Copy, Details, Event, Fact, Rejection, Reservation, react};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{MINA, shop};
use uuid::Uuid;

fn book() -> ProductId {
    ProductId::parse("9788936434120").unwrap()
}

fn details() -> Details {
    Details { shop: shop(), user: Payer::parse(MINA).unwrap(), book: book() }
}

fn requested() -> Event {
    Event::Requested(details())
}

/// Every way in which a reservation can have been answered or cancelled.
fn decided() -> [Vec<Event>; 4] {
    [
        vec![requested(), Event::Confirmed],
        vec![requested(), Event::Failed],
        vec![requested(), Event::Cancelled],
        vec![requested(), Event::Confirmed, Event::Cancelled],
    ]
}

/// LIBRARY-N1, LIBRARY-N2: a reservation is taken without a question to anybody, and waits for nobody's answer.
#[test]
fn library_n1_library_n2_a_reservation_is_taken_at_once() {
    let reservation = given::<Reservation>([]).when(Command::Request(details())).then([requested()]);
    reservation.clone().waits_for_nothing();
    reservation.when(Command::Request(details())).then_refused(Rejection::AlreadyRequested);
}

#[test]
fn library_f5_library_f6_inventory_s_answer_decides_once() {
    given::<Reservation>([requested()]).when(Command::Confirm).then([Event::Confirmed]);
    given::<Reservation>([requested()]).when(Command::Fail).then([Event::Failed]);
    for history in decided() {
        for answer in [Command::Confirm, Command::Fail] {
            given::<Reservation>(history.clone()).when(answer).then_nothing();
        }
    }
}

/// LIBRARY-X1: an answer names its reservation, and changes that one and no other.
#[test]
fn library_x1_an_answer_is_about_its_own_reservation() {
    for number in 1..3 {
        let id: Id<Reservation> = Id::new(Uuid::from_u128(number));
        assert_eq!(react(&Fact::CopyTaken(id)), [(id, Command::Confirm)]);
        assert_eq!(react(&Fact::NoCopyLeft(id)), [(id, Command::Fail)]);
    }
    for answer in [Command::Confirm, Command::Fail, Command::Cancel] {
        given::<Reservation>([]).when(answer).then_refused(Rejection::NotFound);
    }
}

#[test]
fn library_f8_library_a6_a_reservation_is_cancelled_before_and_after_it_is_confirmed() {
    for (history, kept) in [(vec![requested()], Copy::Unknown), (decided()[0].clone(), Copy::Kept)] {
        let reservation = given::<Reservation>(history).when(Command::Cancel).then([Event::Cancelled]);
        assert!(matches!(reservation.clone().state(), Reservation::Cancelled { copy, .. } if copy == kept));
        reservation.when(Command::Cancel).then_nothing();
    }
}

/// LIBRARY-X3: a failed reservation cannot be cancelled, so nothing is ever put back for it.
#[test]
fn library_x3_a_failed_reservation_is_over() {
    given::<Reservation>(decided()[1].clone()).when(Command::Cancel).then_refused(Rejection::AlreadyFailed);
}

#[test]
fn a_user_s_reservations_are_found_however_the_number_is_written() {
    assert_eq!(given::<Reservation>([requested()]).state().index().unwrap().owner, "+821012345678", "{MINA}");
    let by_name = Event::Requested(Details { user: Payer::parse("mina").unwrap(), ..details() });
    assert_eq!(given::<Reservation>([by_name]).state().index().unwrap().owner, "mina");
}

// === The list of books ===

fn told(revision: u64, available: i64, title: &str) -> BookFact {
    BookFact { shop: shop(), book: book(), title: title.into(), available, revision }
}

/// LIBRARY-X5: a book that was received is on the list, and off the list of what can be had once the last copy is gone.
#[test]
fn library_x5_library_n3_books_are_listed_as_inventory_told_last() {
    let list = |facts: &[BookFact]| facts.iter().fold(Book::default(), Book::apply);
    let facts = [told(1, 2, "소년이 온다"), told(2, 1, "소년이 온다"), told(3, 0, "소년이 온다")];
    assert_eq!(list(&facts[..1]).index().status, "AVAILABLE");
    assert_eq!((list(&facts).index().status.as_str(), list(&facts).index().shop), ("OUT", shop().to_string()));
    assert_eq!(list(&[facts[2].clone(), facts[0].clone()]).latest, Some(facts[2].clone()), "a late fact");
    assert_eq!(list(&[told(1, 0, "")]).index(), Index::default(), "asked for, and never received");
    assert_eq!(
        list(&[told(1, 0, ""), told(2, 5, "흰")]).index().status,
        "AVAILABLE",
        "received after it was asked for"
    );
    laws::view::<Book>(&facts);
}

// === Laws ===

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_it_is_answered_once(
        history in proptest::collection::vec(
            prop_oneof![
                Just(Command::Request(details())),
                Just(Command::Confirm),
                Just(Command::Fail),
                Just(Command::Cancel),
            ],
            0..12,
        ),
    ) {
        let events = laws::aggregate::<Reservation>(std::slice::from_ref(&history));
        let count = |event: &Event| events.iter().filter(|it| *it == event).count();
        prop_assert!(count(&Event::Confirmed) + count(&Event::Failed) <= 1, "{events:?}");
        prop_assert!(count(&Event::Failed) + count(&Event::Cancelled) <= 1, "{events:?}");
    }
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [requested(), Event::Confirmed, Event::Failed, Event::Cancelled];
    laws::golden::<Reservation>(&samples::golden("reservation"), &samples);
}
