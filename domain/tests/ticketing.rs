//! The rules of ticketing.

mod samples;

use highstreet_domain::kernel::{Aggregate, Id, OnOutage, Outage, Reference, Unanswered};
use highstreet_domain::loyalty;
use highstreet_domain::ticketing::{Cancelled, Canceller, Command, Event, Fact, Grant, Rejection, Step, Ticket, react};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::cinema::{admission, booked};
use uuid::Uuid;

fn issued() -> Event {
    Event::Issued(admission())
}

fn started(attempt: u32) -> Event {
    Event::CollectionStarted { attempt }
}

fn grant(attempt: u32) -> Step {
    Step::GrantPoints(Grant { shop: samples::shop(), member: samples::MINA.into(), root: booked().root, attempt })
}

fn give_up(attempt: u32, outage: Outage) -> Command {
    Command::GiveUp { attempt, outage }
}

#[test]
fn cinema_f3_a_confirmed_booking_gets_one_ticket() {
    let id = Id::made_for(&booked().root);
    assert_eq!(react(&Fact::BookingConfirmed(admission())), [(id, Command::Issue(admission()))]);
    given::<Ticket>([]).when(Command::Issue(admission())).then([issued()]).waits_for_nothing();
    given::<Ticket>([issued()]).when(Command::Issue(admission())).then_nothing();
}

#[test]
fn cinema_f5_a_ticket_is_collected_once_its_points_are_granted() {
    given::<Ticket>([issued()]).when(Command::Collect).then([started(1)]).calls(grant(1));
    let collected = Event::Collected { attempt: 1 };
    let accept = Command::AcceptPoints { attempt: 1 };
    let history = [issued(), started(1)];
    given::<Ticket>(history).when(accept).then([collected.clone()]).waits_for_nothing();
    given::<Ticket>([issued(), started(1)]).when(Command::Collect).then_refused(Rejection::BeingCollected);
    let history = [issued(), started(1), collected];
    given::<Ticket>(history).when(Command::Collect).then_refused(Rejection::AlreadyCollected);
    given::<Ticket>([]).when(Command::Collect).then_refused(Rejection::NotFound);
}

#[test]
fn cinema_n2_without_points_there_is_no_collection() {
    for unanswered in [Unanswered::not_sent("down"), Unanswered::unknown("slow")] {
        let state = given::<Ticket>([issued(), started(1)]).state();
        let expected = OnOutage::GiveUp(give_up(1, unanswered.outage));
        assert_eq!(state.on_outage(&grant(1), &unanswered, 1), expected);
    }
    let history = [issued(), started(1)];
    let after = given::<Ticket>(history.clone()).when(give_up(1, Outage::NotSent)).then([Event::CollectionNotBegun]);
    after.clone().waits_for_nothing();
    assert_eq!(after.state().status(), "ISSUED");
    let refuse = Command::RefusePoints { attempt: 1, reason: "TOO_MUCH".into() };
    let refused = Event::CollectionRefused { reason: "TOO_MUCH".into() };
    let state = given::<Ticket>(history).when(refuse).then([refused]).state();
    assert_eq!(state.refusal(), Some(Rejection::PointsRefused("TOO_MUCH".into())));
}

#[test]
fn cinema_x4_points_that_may_have_been_granted_in_vain_are_taken_back_and_granted_anew() {
    let given_up = Event::CollectionGivenUp { attempt: 1 };
    let history = [issued(), started(1)];
    given::<Ticket>(history).when(give_up(1, Outage::Unknown)).then([given_up.clone()]).waits_for_nothing();
    let history = [issued(), started(1), given_up];
    given::<Ticket>(history.clone()).when(Command::AcceptPoints { attempt: 1 }).then_nothing();
    given::<Ticket>(history.clone()).when(Command::Collect).then([started(2)]).calls(grant(2));
    let history = [&history[..], &[started(2)]].concat();
    given::<Ticket>(history).when(Command::AcceptPoints { attempt: 1 }).then_nothing();

    let id = Id::<Ticket>::new(Uuid::from_u128(7));
    assert_eq!(Ticket::granted_for(id, 1), Reference::new("ticketing", id.to_string()));
    assert_eq!(Ticket::granted_for(id, 2), Reference::new("ticketing", format!("{id}/2")));
    // Loyalty takes back what the first attempt may have earned, whether that comes before or after.
    let reference = Ticket::granted_for(id, 1);
    let commands = loyalty::react(&loyalty::Fact::PointsRevoked { case: booked(), reference: reference.clone() });
    let [(account, reverse)] = commands.as_slice() else { panic!("{commands:?}") };
    let loyalty::Command::Reverse { name, .. } = reverse.clone() else { panic!("{reverse:?}") };
    assert_eq!(*account, name.id());
    assert_eq!(name.program, loyalty::Program::Points);
    let earn = loyalty::Command::Earn { name, reference, amount: 100, root: Some(booked().root) };
    for order in [[&earn, reverse], [reverse, &earn]] {
        let events = laws::aggregate::<loyalty::Account>(&[order.map(Clone::clone).to_vec()]);
        let account = events.iter().fold(loyalty::Account::default(), loyalty::Account::evolve);
        assert_eq!(account.balance, 0);
    }
}

#[test]
fn cinema_x5_a_cancelled_ticket_lets_nobody_in() {
    let cancelled = Event::Cancelled { attempt: None };
    for canceller in [Canceller::Holder, Canceller::Booking] {
        given::<Ticket>([issued()]).when(Command::Cancel(canceller)).then([cancelled.clone()]).waits_for_nothing();
        let history = [issued(), cancelled.clone()];
        given::<Ticket>(history.clone()).when(Command::Cancel(canceller)).then_nothing();
        given::<Ticket>(history).when(Command::Collect).then_refused(Rejection::AlreadyCancelled);
    }
    // While points are being granted the cancellation wins, and they are taken back.
    let history = [issued(), started(1)];
    let cancelled = Event::Cancelled { attempt: Some(1) };
    given::<Ticket>(history).when(Command::Cancel(Canceller::Booking)).then([cancelled.clone()]).waits_for_nothing();
    let history = [issued(), started(1), cancelled];
    given::<Ticket>(history).when(Command::AcceptPoints { attempt: 1 }).then_nothing();
}

#[test]
fn seatlater_n2_a_cancellation_that_comes_before_the_issue_wins() {
    given::<Ticket>([]).when(Command::Cancel(Canceller::Holder)).then_refused(Rejection::NotFound);
    let cancelled = Event::Cancelled { attempt: None };
    given::<Ticket>([]).when(Command::Cancel(Canceller::Booking)).then([cancelled.clone()]);
    let early = [cancelled.clone()];
    assert_eq!(given::<Ticket>(early.clone()).state().index(), None);
    given::<Ticket>(early.clone()).when(Command::Collect).then_refused(Rejection::NotFound);
    let voided = Event::Voided(admission());
    let state = given::<Ticket>(early).when(Command::Issue(admission())).then([voided.clone()]).state();
    assert_eq!(state, Ticket::Cancelled(Cancelled { admission: Some(admission()), attempt: None }));
    let history = [cancelled, voided];
    given::<Ticket>(history.clone()).when(Command::Issue(admission())).then_nothing();
    given::<Ticket>(history).when(Command::Collect).then_refused(Rejection::AlreadyCancelled);
}

#[test]
fn cinema_x2_a_collected_ticket_cannot_be_cancelled() {
    for canceller in [Canceller::Holder, Canceller::Booking] {
        let history = [issued(), started(1), Event::Collected { attempt: 1 }];
        given::<Ticket>(history).when(Command::Cancel(canceller)).then_refused(Rejection::AlreadyCollected);
    }
}

// === Laws ===

fn commands() -> impl Strategy<Value = Command> {
    let outage = prop_oneof![Just(Outage::NotSent), Just(Outage::Unknown)];
    prop_oneof![
        3 => Just(Command::Issue(admission())),
        4 => Just(Command::Collect),
        2 => (1..4u32).prop_map(|attempt| Command::AcceptPoints { attempt }),
        1 => (1..4u32).prop_map(|attempt| Command::RefusePoints { attempt, reason: "no".into() }),
        2 => (1..4u32, outage).prop_map(|(attempt, outage)| give_up(attempt, outage)),
        1 => prop_oneof![Just(Canceller::Holder), Just(Canceller::Booking)].prop_map(Command::Cancel),
    ]
}

proptest! {
    #[test]
    fn whatever_it_is_asked_it_ends_once_and_no_points_stay_without_a_collection(
        history in proptest::collection::vec(commands(), 0..30),
    ) {
        let events = laws::aggregate::<Ticket>(std::slice::from_ref(&history));
        let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
        let collected = count(|event| matches!(event, Event::Collected { .. }));
        let cancelled = count(|event| matches!(event, Event::Cancelled { .. }));
        prop_assert!(collected + cancelled <= 1, "collected {collected}, cancelled {cancelled} times");
        let numbers = |pick: fn(&Event) -> Option<u32>| events.iter().filter_map(pick).collect::<Vec<_>>();
        let revoked = numbers(|event| match event {
            Event::CollectionGivenUp { attempt } | Event::Cancelled { attempt: Some(attempt) } => Some(*attempt),
            _ => None,
        });
        let kept = numbers(|event| if let Event::Collected { attempt } = event { Some(*attempt) } else { None });
        prop_assert!(kept.iter().all(|attempt| !revoked.contains(attempt)), "{kept:?} is kept and taken back");
    }
}

#[test]
fn what_a_step_comes_to_ends_it() {
    let state = given::<Ticket>([issued(), started(1)]).state();
    laws::outcomes_end_steps(&[state], |Step::GrantPoints(Grant { attempt, .. })| {
        let attempt = *attempt;
        vec![
            Command::AcceptPoints { attempt },
            Command::RefusePoints { attempt, reason: "no".into() },
            give_up(attempt, Outage::NotSent),
            give_up(attempt, Outage::Unknown),
        ]
    });
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [
        issued(),
        Event::Voided(admission()),
        started(1),
        Event::CollectionNotBegun,
        Event::CollectionRefused { reason: "no".into() },
        Event::CollectionGivenUp { attempt: 1 },
        Event::Collected { attempt: 1 },
        Event::Cancelled { attempt: Some(1) },
    ];
    laws::golden::<Ticket>(&samples::golden("ticket"), &samples);
}
