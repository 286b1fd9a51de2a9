//! The rules of notification.

mod samples;

use std::collections::BTreeSet;
use std::time::Duration;

use highstreet_domain::kernel::{Aggregate, OnOutage, Unanswered};
use highstreet_domain::notification::{
    Cafe, Cinema, Command, Event, Fact, Goods, Happening, Library, Locale, Notification, Rejection, Role, Step, Store,
    react, text,
};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{case, letter};
use uuid::Uuid;

/// One of everything that people are told of, and who is told of it.
fn happenings() -> Vec<(Happening, Role)> {
    let cafe = [
        Cafe::OrderPlaced { drinks: 3 },
        Cafe::OrderPaid,
        Cafe::PreparationReady,
        Cafe::OrderCompleted,
        Cafe::OrderCancelled { paid: false },
        Cafe::OrderCancelled { paid: true },
    ];
    let cola = || Goods { name: "Cola".into(), count: 3 };
    let store = [
        Store::OrderPlaced(cola()),
        Store::OrderShipped(cola()),
        Store::OrderReceived(cola()),
        Store::OrderCancelled(cola()),
        Store::CancellationRefused(cola()),
        Store::DeliveryScheduled,
        Store::Delivered,
        Store::StockShort(cola()),
        Store::StockLow(cola()),
        Store::Purchased(cola()),
        Store::PurchaseCancelled { goods: cola(), out_of_stock: false },
        Store::PurchaseCancelled { goods: cola(), out_of_stock: true },
    ];
    let library = [Library::ReservationConfirmed, Library::ReservationFailed, Library::ReservationCancelled];
    let cinema = [
        Cinema::BookingReserved,
        Cinema::BookingPaid,
        Cinema::BookingConfirmed { seats: vec!["1A".into(), "2B".into()] },
        Cinema::BookingCompleted,
        Cinema::BookingCancelled { expired: false },
        Cinema::BookingCancelled { expired: true },
        Cinema::BookingFailed,
    ];
    let customer = |happening| (happening, Role::Customer);
    let mut all = vec![(Happening::Cafe(Cafe::RecallRefused), Role::Staff)];
    all.extend(cafe.into_iter().map(Happening::Cafe).map(customer));
    all.extend(store.into_iter().map(|it| (Happening::Store(it), Role::Owner)));
    all.extend(library.into_iter().map(Happening::Library).map(customer));
    all.extend(cinema.into_iter().map(Happening::Cinema).map(customer));
    all
}

fn written() -> Event {
    Event::Written(letter())
}

fn failed() -> Event {
    Event::Failed { error: "no such number".into() }
}

fn give_up() -> Command {
    Command::GiveUp { error: "no such number".into() }
}

fn told(message: u128, happening: Happening) -> Fact {
    Fact { message: Uuid::from_u128(message), case: case(), event: "Event".into(), happening }
}

#[test]
fn one_message_per_event_and_recipient() {
    let step = Step::Send(letter());
    given::<Notification>([]).when(Command::Notify(letter())).then([written()]).calls(step);
    for history in [vec![written()], vec![written(), Event::Sent], vec![written(), failed()]] {
        given::<Notification>(history).when(Command::Notify(letter())).then_nothing();
    }
    let id = |message, cafe| react(&told(message, Happening::Cafe(cafe)), Locale::Ko)[0].0;
    assert_eq!(id(1, Cafe::OrderPaid), id(1, Cafe::OrderPaid), "the same event");
    assert_ne!(id(1, Cafe::OrderPaid), id(2, Cafe::OrderPaid), "another event");
    assert_ne!(id(1, Cafe::OrderPaid), id(1, Cafe::RecallRefused), "another recipient");
}

/// STORE-F9 (the owner), LIBRARY-F10 and SEATLATER-N6 (the customer): whom each change is told to, in their language.
#[test]
fn people_are_told_of_what_concerns_them_in_their_language() {
    let mut texts = BTreeSet::new();
    for (happening, role) in happenings() {
        for (locale, hangul) in [(Locale::Ko, true), (Locale::En, false)] {
            let commands = react(&told(1, happening.clone()), locale);
            let [(_, Command::Notify(letter))] = &commands[..] else { panic!("one message of {happening:?}") };
            let korean = letter.text.chars().any(|c| ('가'..='힣').contains(&c));
            assert_eq!((korean, letter.locale), (hangul, locale), "{}", letter.text);
            assert_eq!(letter.recipient.role, role);
            let name = if role == Role::Customer { case().customer } else { role.as_str().into() };
            assert_eq!(letter.recipient.name, name);
            assert!(texts.insert(letter.text.clone()), "said of two things: {}", letter.text);
        }
    }
}

/// LIBRARY-A1, LIBRARY-A3, LIBRARY-X4: "completed" is said of what is completed, and of nothing else.
#[test]
fn library_messages_begin_as_they_always_did() {
    let said = |library| text(&Happening::Library(library), Locale::Ko);
    assert!(said(Library::ReservationConfirmed).starts_with("예약 완료 되었습니다"));
    assert!(said(Library::ReservationCancelled).starts_with("예약 취소 되었습니다"));
    assert!(said(Library::ReservationFailed).starts_with("예약에 실패했습니다"));
    let completed = happenings().into_iter().filter(|(it, _)| text(it, Locale::Ko).contains("예약 완료"));
    assert_eq!(completed.count(), 1);
}

#[test]
fn what_was_sent_or_refused_is_over_and_the_first_answer_stands() {
    let sent = given::<Notification>([written()]).when(Command::ConfirmSent).then([Event::Sent]);
    sent.clone().waits_for_nothing();
    sent.when(give_up()).then_nothing();
    let failed = given::<Notification>([written()]).when(give_up()).then([failed()]);
    failed.clone().waits_for_nothing();
    failed.when(Command::ConfirmSent).then_nothing();
}

#[test]
fn what_failed_can_be_sent_after_all() {
    let again = given::<Notification>([written(), failed()]).when(Command::Resend).then([Event::Resent]);
    again.calls(Step::Send(letter()));
    given::<Notification>([]).when(Command::Resend).then_refused(Rejection::NotFound);
    given::<Notification>([written()]).when(Command::Resend).then_refused(Rejection::StillPending);
    given::<Notification>([written(), Event::Sent]).when(Command::Resend).then_refused(Rejection::AlreadySent);
}

#[test]
fn sending_is_tried_for_some_minutes_and_a_little_later_each_time() {
    let pending = given::<Notification>([written()]).state();
    let (step, away) = (Step::Send(letter()), Unanswered::unknown("away"));
    let mut waited = Duration::ZERO;
    let mut last = Duration::ZERO;
    for attempt in 1.. {
        match pending.on_outage(&step, &away, attempt) {
            OnOutage::RetryIn(wait) => {
                assert!(wait >= last, "never sooner than before");
                (waited, last) = (waited + wait, wait);
            }
            other => {
                assert_eq!(other, OnOutage::GiveUp(Command::GiveUp { error: "away".into() }));
                break;
            }
        }
    }
    assert!((300..900).contains(&waited.as_secs()), "about eight minutes, not {waited:?}");
}

// === Laws ===

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_it_is_sent_at_most_once(
        history in proptest::collection::vec(
            prop_oneof![
                Just(Command::Notify(letter())), Just(Command::ConfirmSent), Just(give_up()), Just(Command::Resend)
            ],
            0..15,
        ),
    ) {
        let events = laws::aggregate::<Notification>(std::slice::from_ref(&history));
        prop_assert!(events.iter().filter(|event| **event == Event::Sent).count() <= 1, "{events:?}");
    }
}

#[test]
fn what_a_step_comes_to_ends_it() {
    let states = [vec![written()], vec![written(), failed(), Event::Resent]];
    laws::outcomes_end_steps(&states.map(|events| given::<Notification>(events).state()), |Step::Send(_)| {
        vec![Command::ConfirmSent, give_up()]
    });
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [written(), Event::Sent, failed(), Event::Resent];
    laws::golden::<Notification>(&samples::golden("notification"), &samples);
}
