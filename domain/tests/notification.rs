//! The rules of notification.

mod samples;

use std::time::Duration;

use highstreet_domain::kernel::{Aggregate, OnOutage, Unanswered};
use highstreet_domain::notification::{
    Command, Event, Fact, Happening, Locale, Notification, Rejection, Role, Step, react,
};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{case, letter};
use uuid::Uuid;

const HAPPENINGS: [Happening; 7] = [
    Happening::OrderPlaced { drinks: 3 },
    Happening::OrderPaid,
    Happening::PreparationReady,
    Happening::OrderCompleted,
    Happening::OrderCancelled { paid: false },
    Happening::OrderCancelled { paid: true },
    Happening::RecallRefused,
];

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
    let id = |message, happening| react(&told(message, happening), Locale::Ko)[0].0;
    assert_eq!(id(1, Happening::OrderPaid), id(1, Happening::OrderPaid), "the same event");
    assert_ne!(id(1, Happening::OrderPaid), id(2, Happening::OrderPaid), "another event");
    assert_ne!(id(1, Happening::OrderPaid), id(1, Happening::RecallRefused), "another recipient");
}

#[test]
fn customers_are_told_in_their_language_and_staff_of_what_concerns_them() {
    for happening in HAPPENINGS {
        for (locale, hangul) in [(Locale::Ko, true), (Locale::En, false)] {
            let commands = react(&told(1, happening), locale);
            let [(_, Command::Notify(letter))] = &commands[..] else { panic!("one message of {happening:?}") };
            let korean = letter.text.chars().any(|c| ('가'..='힣').contains(&c));
            assert_eq!((korean, letter.locale), (hangul, locale), "{}", letter.text);
            let staff = happening == Happening::RecallRefused;
            assert_eq!(letter.recipient.role, if staff { Role::Staff } else { Role::Customer });
            assert_eq!(letter.recipient.name, if staff { "staff".into() } else { case().customer });
        }
    }
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
