//! The rules of seating.

mod samples;

use std::collections::BTreeMap;
use std::time::Duration;

use highstreet_domain::kernel::{Aggregate, Due, Seat, Timestamp};
use highstreet_domain::seating::{
    Command, Details, Entry, Event, Fact, Guest, Hall, OpenedBy, Rejection, Screening, SeatStatus, react,
};
use highstreet_testkit::given::Given;
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::cinema::{change, guest, hall, movie, named_like_its_id, screening_name, seats};
use samples::now;

const FIVE_MINUTES: Duration = Duration::from_mins(5);

fn hold(booking: &str, revision: u64, names: &[&str]) -> Command {
    Command::Hold { change: change(booking, revision), seats: seats(names), hold_for: FIVE_MINUTES }
}

fn assign(booking: &str, revision: u64, names: &[&str]) -> Command {
    Command::Assign { change: change(booking, revision), seats: seats(names) }
}

fn release(booking: &str, revision: u64) -> Command {
    Command::Release { change: change(booking, revision), seats: None }
}

fn opened_by_use() -> Event {
    let details = Details { movie: named_like_its_id(), hall: Hall::standard(), starts_at: None };
    Event::Opened { name: screening_name(), details, by: OpenedBy::Use }
}

fn details(rows: u8) -> Details {
    Details { movie: movie(), hall: hall(rows, 10), starts_at: Some(now()) }
}

fn held(booking: &str, revision: u64, names: &[&str]) -> Event {
    Event::Held { guest: guest(booking), revision, seats: seats(names), until: now().after(FIVE_MINUTES) }
}

fn assigned(booking: &str, revision: u64, names: &[&str]) -> Event {
    Event::Assigned { guest: guest(booking), revision, seats: seats(names) }
}

fn released(booking: &str, revision: u64, names: &[&str]) -> Event {
    let seats = (!names.is_empty()).then(|| seats(names));
    Event::Released { guest: guest(booking), revision, seats }
}

fn expired(booking: &str, names: &[&str]) -> Event {
    Event::HoldExpired { guest: guest(booking), seats: seats(names) }
}

/// A screening, and what was heard last of the booking that is about to ask.
fn with(events: impl IntoIterator<Item = Event>, entry: Option<Entry>) -> Given<Screening> {
    given::<Screening>(events).with_entry("", entry).at(now())
}

fn took(revision: u64) -> Entry {
    Entry::Took { revision }
}

#[test]
fn a_screening_is_opened_on_first_use_and_completed_by_hand() {
    with([], None).when(hold("a", 1, &["1A"])).then([opened_by_use(), held("a", 1, &["1A"])]);
    let open = Command::Open(screening_name(), details(3));
    let by_hand = Event::Opened { name: screening_name(), details: details(3), by: OpenedBy::Hand };
    let history = [opened_by_use(), held("a", 1, &["1A"])];
    let state = with(history.clone(), None).when(open.clone()).then([by_hand.clone()]).state();
    let opened = state.opened.expect("it is open");
    assert_eq!((opened.details, opened.seats.len()), (details(3), 1), "who has a seat keeps it");
    with([by_hand.clone()], None).when(open).then_nothing();
    with([by_hand], None).when(Command::Open(screening_name(), details(4))).then_refused(Rejection::AlreadyOpen);
    let late = [opened_by_use(), held("a", 1, &["9A"])];
    let too_small = Rejection::HallTooSmall(seats(&["9A"]));
    with(late, None).when(Command::Open(screening_name(), details(3))).then_refused(too_small);
}

#[test]
fn cinema_x6_a_seat_that_somebody_has_cannot_be_had() {
    for history in [[opened_by_use(), held("a", 1, &["1A", "1B"])], [opened_by_use(), assigned("a", 1, &["1A", "1B"])]]
    {
        for command in [hold("b", 1, &["1B", "1C"]), assign("b", 1, &["1B", "1C"])] {
            with(history.clone(), None).when(command).then_refused(Rejection::SeatTaken(seats(&["1B"])));
        }
    }
    assert_eq!(Rejection::SeatTaken(seats(&["1B"])).to_string(), "taken: 1B; choose other seats");
    with([opened_by_use()], None).when(hold("b", 1, &["11A"])).then_refused(Rejection::NoSuchSeat(seats(&["11A"])));
    with([], None).when(assign("b", 1, &["1K"])).then_refused(Rejection::NoSuchSeat(seats(&["1K"])));
}

#[test]
fn cinema_f1_a_hold_runs_out_and_can_be_renewed_and_made_good() {
    let history = [opened_by_use(), held("a", 1, &["1A"])];
    let end = now().after(FIVE_MINUTES);
    with(history.clone(), None).waits_until(end, Command::ExpireHolds);
    with(history.clone(), None).when(Command::ExpireHolds).then_nothing();
    let after = with(history.clone(), None).at(end).when(Command::ExpireHolds).then([expired("a", &["1A"])]);
    after.waits_for_nothing();
    // Somebody else may have it, and so may the booking whose hold ran out.
    let taken = [expired("a", &["1A"]), assigned("b", 7, &["1A"])];
    with(history.clone(), None).at(end).when(assign("b", 7, &["1A"])).then(taken);
    with(history.clone(), Some(took(1))).at(end).when(assign("a", 3, &["1A"])).then([assigned("a", 3, &["1A"])]);
    let renewed = Event::Held { guest: guest("a"), revision: 3, seats: seats(&["1A"]), until: end.after(FIVE_MINUTES) };
    with(history.clone(), Some(took(1))).at(end).when(hold("a", 3, &["1A"])).then([renewed]);
    let opened = with(history, None).state().opened.expect("it is open");
    let seat = Seat::parse("1A").expect("a seat");
    assert_eq!(opened.status(seat, now()), SeatStatus::Held);
    assert_eq!(opened.status(seat, end), SeatStatus::Free);
}

#[test]
fn an_assignment_sets_the_seats_of_a_booking_to_exactly_these() {
    let history = [opened_by_use(), assigned("a", 1, &["1A", "1B"])];
    let after =
        with(history, Some(took(1))).when(assign("a", 2, &["1B", "1C"])).then([assigned("a", 2, &["1B", "1C"])]);
    let names: Vec<_> = after.state().opened.expect("it is open").seats.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["1B", "1C"]);
}

#[test]
fn the_same_call_again_changes_nothing() {
    let history = [opened_by_use(), held("a", 1, &["1A"])];
    with(history.clone(), Some(took(1))).when(hold("a", 1, &["1A"])).then_nothing();
    let history = [opened_by_use(), assigned("a", 3, &["1A"])];
    with(history, Some(took(3))).when(assign("a", 3, &["1A"])).then_nothing();
    let history = [opened_by_use(), held("a", 1, &["1A"]), released("a", 2, &["1A"])];
    with(history, Some(Entry::LetGo { revision: 2 })).when(release("a", 2)).then_nothing();
}

#[test]
fn what_comes_late_takes_nothing_back() {
    let let_go = Some(Entry::LetGo { revision: 4 });
    for late in [hold("a", 3, &["1A"]), assign("a", 4, &["1A"])] {
        with([opened_by_use()], let_go).when(late).then_refused(Rejection::Superseded);
    }
    with([opened_by_use()], Some(took(4))).when(hold("a", 3, &["1A"])).then_refused(Rejection::Superseded);
    // A release that comes before what it releases is recorded, even before anybody opened the screening.
    with([], None).when(release("a", 4)).then([released("a", 4, &[])]);
    // A release of seats that the booking has had replaced since lets go of nothing.
    with([opened_by_use(), assigned("a", 5, &["1A"])], Some(took(5))).when(release("a", 4)).then_nothing();
}

#[test]
fn seatlater_f7_a_cancelled_payment_lets_go_of_the_seats_for_good() {
    let fact = Fact::PaymentCancelled { name: screening_name(), guest: guest("a") };
    let commands = react(&fact);
    let [(id, Command::Release { change, seats: None })] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(*id, screening_name().id());
    let last = change.revision;
    with([], Some(Entry::LetGo { revision: last }))
        .when(assign("a", 1_000_000, &["1A"]))
        .then_refused(Rejection::Superseded);
    let failed = Fact::BookingFailed { name: screening_name(), guest: guest("a"), revision: 4 };
    assert_eq!(react(&failed), [(screening_name().id(), release("a", 4))]);
    let cancelled = Fact::UnbilledBookingCancelled { name: screening_name(), guest: guest("a"), revision: 4 };
    assert_eq!(react(&cancelled), react(&failed));
}

// === Laws ===

const NAMES: [&str; 4] = ["1A", "1B", "1C", "1D"];

fn commands() -> impl Strategy<Value = Command> {
    let booking = proptest::sample::select(&["a", "b", "c"][..]);
    let wanted = proptest::sample::subsequence(NAMES.to_vec(), 1..4);
    prop_oneof![
        8 => (booking, 1..6u64, wanted, 0..4u8).prop_map(|(booking, revision, names, what)| match what {
            0 => assign(booking, revision, &names),
            1 => release(booking, revision),
            _ => hold(booking, revision, &names),
        }),
        1 => Just(Command::ExpireHolds),
        1 => Just(Command::Open(screening_name(), details(12))),
    ]
}

proptest! {
    /// CINEMA-X6: whatever is asked, a seat passes from one booking to another only by being let go.
    #[test]
    fn a_seat_has_one_holder_and_nobody_loses_one(history in proptest::collection::vec(commands(), 0..40)) {
        laws::aggregate::<Screening>(std::slice::from_ref(&history));
        let mut state = Screening::default();
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (command, minute) in history.iter().zip(0i64..) {
            let at = Timestamp::from_micros(minute * 60_000_000);
            let key = Screening::entry_key(command);
            if let Some(key) = &key {
                state = state.open(key, entries.get(key).copied());
            }
            for event in state.decide(command, at).unwrap_or_default() {
                let before = holders(&state, at);
                state = state.evolve(&event);
                for (seat, guest) in holders(&state, at) {
                    let had = before.get(&seat);
                    prop_assert!(had.is_none_or(|had| had.booking == guest.booking), "{seat} changed hands by {event:?}");
                }
            }
            entries.extend(key.zip(state.entry().copied()));
            let due = state.due().is_some();
            let holds = state.opened.iter().flat_map(|opened| opened.seats.values()).any(|it| it.until.is_some());
            prop_assert_eq!(due, holds, "a hold that nothing ends");
        }
    }
}

/// Who has which seat at `at`; what ran out nobody has.
fn holders(state: &Screening, at: Timestamp) -> BTreeMap<Seat, Guest> {
    let seats = state.opened.iter().flat_map(|opened| &opened.seats);
    let held = seats.filter(|(_, holding)| holding.until.is_none_or(|until| at < until));
    held.map(|(seat, holding)| (*seat, holding.guest.clone())).collect()
}

#[test]
fn one_deadline_is_enough_for_all_holds() {
    let early = Event::Held { guest: guest("b"), revision: 1, seats: seats(&["1B"]), until: now() };
    let state = with([opened_by_use(), held("a", 1, &["1A"]), early], None).state();
    assert_eq!(state.due(), Some(Due::Deadline { at: now(), command: Command::ExpireHolds }));
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let by_hand = Event::Opened { name: screening_name(), details: details(3), by: OpenedBy::Hand };
    let samples =
        [by_hand, held("a", 1, &["1A"]), assigned("a", 2, &["1A"]), released("a", 3, &["1A"]), expired("b", &["1B"])];
    laws::golden::<Screening>(&samples::golden("screening"), &samples);
}
