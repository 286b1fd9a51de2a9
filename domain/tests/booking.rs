//! The rules of booking.

mod samples;

use highstreet_domain::booking::{
    Billed, Book, Booking, CancelReason, Command, Event, Fact, FailReason, Rejection, SeatRefusal, SelectRefusal, Step,
    Taken, react,
};
use highstreet_domain::kernel::{Aggregate, OnOutage, Outage, Unanswered};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::bookings::{
    ask, asking, billed, cancelling, confirmed, failed, making, others, paid, pair, payment, requested, reserved,
    reserving, seat_by, selecting,
};
use samples::cinema::{book, booking_details, booking_id, movie, seats};
use samples::{note, now};

fn give_up(ask: u32, outage: Outage) -> Command {
    Command::GiveUp { ask, outage }
}

fn mark_paid() -> Command {
    Command::MarkPaid { payment: payment() }
}

fn cancel() -> Command {
    Command::Cancel { note: note("") }
}

#[test]
fn cinema_n1_a_booking_with_seats_is_made_whole_before_anybody_sees_it() {
    let outcomes = [
        Command::AcceptHold,
        Command::AcceptPayment { payment: payment() },
        Command::AcceptHold,
        Command::AcceptMoney,
        Command::AcceptSeats { ask: 0, movie: movie() },
    ];
    given::<Booking>([]).at(now()).when(Command::Book(book(Some(pair())))).then(making(0));
    for (at, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(given::<Booking>(making(at)).state().index(), None, "{at}");
        given::<Booking>(making(at)).when(outcome).then([making(5).remove(at + 1)]);
        for stranger in [cancel(), Command::SelectSeats(pair())] {
            given::<Booking>(making(at)).when(stranger).then_refused(Rejection::NotFound);
        }
    }
    given::<Booking>(confirmed()).waits_for_nothing();
    assert_eq!(given::<Booking>(confirmed()).state().status(), "CONFIRMED");
}

#[test]
fn a_refusal_on_the_way_is_what_the_customer_hears_and_undoes_what_was_done() {
    let taken = Command::RefuseSeats { ask: 0, refusal: SeatRefusal::Taken };
    let refuse = |at: usize, command: Command, event: Event, rejection: Rejection| {
        let state = given::<Booking>(making(at)).when(command).then([event]).state();
        assert_eq!(state.refusal(), Some(rejection));
        assert_eq!(state.due(), None);
        state
    };
    let hidden = [
        refuse(0, taken.clone(), failed(FailReason::SeatTaken, Billed::No, Taken::No), Rejection::SeatTaken),
        refuse(
            1,
            Command::RejectPayment { reason: "no".into() },
            failed(FailReason::PaymentRefused, Billed::No, Taken::No),
            Rejection::PaymentRefused,
        ),
        refuse(2, taken.clone(), failed(FailReason::SeatLost, billed(), Taken::No), Rejection::SeatLost),
        refuse(
            3,
            Command::DeclineMoney { reason: "no funds".into() },
            failed(FailReason::PaymentDeclined, billed(), Taken::No),
            Rejection::PaymentDeclined,
        ),
    ];
    assert!(hidden.iter().all(|state| state.index().is_none()));
    let lost = refuse(4, taken, failed(FailReason::SeatLost, billed(), Taken::Yes), Rejection::SeatLost);
    assert_eq!(
        lost.index().expect("shown").status,
        "FAILED",
        "money was taken: the customer can see what became of it"
    );
}

#[test]
fn cinema_a4_an_outage_on_the_way_gives_the_booking_up() {
    let unanswered = Unanswered::unknown("slow");
    for (at, bill, taken) in [
        (0, Billed::No, Taken::No),
        (1, Billed::Perhaps, Taken::No),
        (2, billed(), Taken::No),
        (3, billed(), Taken::No),
        (4, billed(), Taken::Yes),
    ] {
        let state = given::<Booking>(making(at)).state();
        let Some(highstreet_domain::kernel::Due::Call(step)) = state.due() else { panic!("a call is due") };
        assert_eq!(state.on_outage(&step, &unanswered, 1), OnOutage::GiveUp(give_up(0, Outage::Unknown)));
        let event = failed(FailReason::Unavailable, bill, taken);
        let state = given::<Booking>(making(at)).when(give_up(0, Outage::Unknown)).then([event]).state();
        assert_eq!((state.refusal(), state.index().is_some()), (None, taken == Taken::Yes));
    }
    let nothing = failed(FailReason::Unavailable, Billed::No, Taken::No);
    given::<Booking>(making(1)).when(give_up(0, Outage::NotSent)).then([nothing.clone()]);
    given::<Booking>(reserving()).when(give_up(0, Outage::NotSent)).then([nothing]);
}

#[test]
fn cinema_x1_a_payment_that_overtakes_the_booking_is_not_lost() {
    // Its own step learns it.
    for at in 0..5 {
        given::<Booking>(making(at)).when(mark_paid()).then_nothing();
    }
    let both = [Event::Reserved { payment: payment() }, Event::Paid { seat_by: seat_by() }];
    given::<Booking>(reserving()).at(now()).when(mark_paid()).then(both);
    given::<Booking>(paid()).when(Command::AcceptPayment { payment: payment() }).then_nothing();
    // What payment said while it was being asked counts, whatever its answer was before.
    let history = [asking(), vec![Event::Paid { seat_by: seat_by() }]].concat();
    given::<Booking>(asking()).at(now()).when(mark_paid()).then([Event::Paid { seat_by: seat_by() }]);
    given::<Booking>(history).when(Command::LearnPayment { ask: 1, paid: Taken::No }).then([Event::SelectionBegun]);
}

#[test]
fn seatlater_f2_a_reservation_is_paid_in_time_or_expires() {
    given::<Booking>([]).at(now()).when(Command::Book(book(None))).then(reserving());
    let reservation = given::<Booking>(reserving()).when(Command::AcceptPayment { payment: payment() });
    let pay_by = booking_details(None).pay_by;
    reservation.then([Event::Reserved { payment: payment() }]).waits_until(pay_by, Command::Expire);
    given::<Booking>(reserved()).at(now()).when(Command::Expire).then_nothing();
    let expires = given::<Booking>(reserved()).at(pay_by).when(Command::Expire);
    expires.then([requested(CancelReason::Expired)]).calls(Step::CancelTicket);
    // The time to pay is over, and it is paid: that no longer counts, the time to choose seats does.
    given::<Booking>(paid()).at(pay_by).when(Command::Expire).then_nothing();
    given::<Booking>(paid()).waits_until(seat_by(), Command::Expire);
}

#[test]
fn seatlater_a6_a_paid_booking_expires_when_no_seat_is_chosen() {
    let expires = given::<Booking>(paid()).at(seat_by()).when(Command::Expire);
    expires.then([requested(CancelReason::Expired)]).calls(Step::CancelTicket);
    for history in [selecting(), confirmed(), cancelling()] {
        given::<Booking>(history).at(seat_by()).when(Command::Expire).then_nothing();
    }
}

#[test]
fn seatlater_f3_seats_are_chosen_once_it_is_paid() {
    given::<Booking>(paid()).when(Command::SelectSeats(pair())).then([ask(pair(), 1)]);
    let chosen = Event::Confirmed { seats: pair(), movie: movie() };
    let accept = Command::AcceptSeats { ask: 1, movie: movie() };
    given::<Booking>(selecting()).when(accept).then([chosen]).waits_for_nothing();
    let one = Command::SelectSeats(seats(&["1A"]));
    given::<Booking>(paid()).when(one).then_refused(Rejection::WrongNumber(2));
    given::<Booking>(confirmed()).when(Command::SelectSeats(pair())).then_nothing();
    given::<Booking>(confirmed()).when(Command::SelectSeats(others())).then_refused(Rejection::AlreadyConfirmed);
}

#[test]
fn seatlater_a3_refused_seats_leave_it_paid() {
    let refuse = Command::RefuseSeats { ask: 1, refusal: SeatRefusal::Taken };
    let refused = Event::SelectionRefused(SelectRefusal::SeatTaken);
    let after = given::<Booking>(selecting()).when(refuse).then([refused]);
    after.clone().waits_until(seat_by(), Command::Expire);
    assert_eq!((after.clone().state().status(), after.state().refusal()), ("PAID", Some(Rejection::SeatTaken)));
    let away = given::<Booking>(selecting()).when(give_up(1, Outage::Unknown)).then([Event::SelectionGivenUp]);
    assert_eq!((away.clone().state().status(), away.state().refusal()), ("PAID", None));
}

#[test]
fn the_seats_chosen_last_are_the_bookings() {
    let history = [selecting(), vec![ask(others(), 2)]].concat();
    given::<Booking>(selecting()).when(Command::SelectSeats(others())).then([ask(others(), 2)]);
    given::<Booking>(selecting()).when(Command::SelectSeats(pair())).then_nothing();
    let late = [
        Command::AcceptSeats { ask: 1, movie: movie() },
        Command::RefuseSeats { ask: 1, refusal: SeatRefusal::Taken },
        give_up(1, Outage::Unknown),
    ];
    for command in late {
        given::<Booking>(history.clone()).when(command).then_nothing();
    }
    let chosen = Event::Confirmed { seats: others(), movie: movie() };
    given::<Booking>(history).when(Command::AcceptSeats { ask: 2, movie: movie() }).then([chosen]);
}

#[test]
fn payment_is_asked_when_it_is_not_known_to_be_paid() {
    let step = Step::AskPayment { payment: payment(), ask: 1 };
    given::<Booking>(reserved()).when(Command::SelectSeats(pair())).then([ask(pair(), 1)]).calls(step);
    let learn = |paid| Command::LearnPayment { ask: 1, paid };
    let goes_on = [Event::Paid { seat_by: seat_by() }, Event::SelectionBegun];
    given::<Booking>(asking()).at(now()).when(learn(Taken::Yes)).then(goes_on);
    let refused = Event::SelectionRefused(SelectRefusal::NotPaid);
    let state = given::<Booking>(asking()).when(learn(Taken::No)).then([refused]).state();
    assert_eq!((state.status(), state.refusal()), ("RESERVED", Some(Rejection::NotPaid)));
    let away = given::<Booking>(asking()).when(give_up(1, Outage::NotSent)).then([Event::SelectionGivenUp]);
    assert_eq!(away.state().status(), "RESERVED");
}

#[test]
fn cinema_f6_cancelling_takes_the_ticket_first() {
    for history in [reserved(), paid(), asking(), selecting(), confirmed()] {
        let begun = given::<Booking>(history).when(cancel()).then([requested(CancelReason::Customer)]);
        begun.clone().calls(Step::CancelTicket);
        assert_eq!(begun.clone().state().status(), "CANCELLATION_PENDING");
        let away = begun.clone().state().on_outage(&Step::CancelTicket, &Unanswered::not_sent("down"), 1000);
        assert_eq!(away, OnOutage::Retry, "for ever");
        begun.when(Command::ConfirmCancellation).then([Event::Cancelled]).waits_for_nothing();
    }
    given::<Booking>(cancelling()).when(cancel()).then_nothing();
    let gone = [cancelling(), vec![Event::Cancelled]].concat();
    for late in [cancel(), mark_paid(), Command::LoseTicket, Command::ConfirmCancellation, Command::AcceptHold] {
        given::<Booking>(gone.clone()).when(late).then_nothing();
    }
    given::<Booking>(gone).when(Command::SelectSeats(pair())).then_refused(Rejection::AlreadyCancelled);
}

#[test]
fn cinema_x2_a_collected_ticket_ends_the_cancellation() {
    let noted = || Event::TicketNoted { ticket: "t".into() };
    let refused = [
        (Command::RefuseCancellation, vec![Event::CancellationRefused]),
        (Command::Complete { ticket: "t".into() }, vec![noted(), Event::CancellationRefused]),
    ];
    for (command, events) in refused {
        let state = given::<Booking>(cancelling()).when(command).then(events).state();
        assert_eq!((state.status(), state.refusal()), ("COMPLETED", Some(Rejection::AlreadyCompleted)));
        assert_eq!(state.due(), None);
    }
    // Ticketing's refusal overtook its events: what they tell of the ticket is noted all the same, once.
    let in_vain = [cancelling(), vec![Event::CancellationRefused]].concat();
    for command in [Command::NoteTicket { ticket: "t".into() }, Command::Complete { ticket: "t".into() }] {
        let known = given::<Booking>(in_vain.clone()).when(command).then([noted()]).state();
        assert_eq!((known.status(), known.chosen().unwrap().ticket.as_deref()), ("COMPLETED", Some("t")));
        let history = [in_vain.clone(), vec![noted()]].concat();
        given::<Booking>(history).when(Command::NoteTicket { ticket: "t".into() }).then_nothing();
    }
    let completed = Event::Completed { ticket: "t".into() };
    given::<Booking>(confirmed()).when(Command::Complete { ticket: "t".into() }).then([completed.clone()]);
    let history = [confirmed(), vec![completed]].concat();
    given::<Booking>(history.clone()).when(cancel()).then_refused(Rejection::AlreadyCompleted);
    given::<Booking>(history.clone()).when(Command::SelectSeats(pair())).then_refused(Rejection::AlreadyCompleted);
    given::<Booking>(history).when(Command::LoseTicket).then_nothing();
}

#[test]
fn a_ticket_that_staff_cancel_takes_its_booking_along() {
    let both = [requested(CancelReason::TicketCancelled), Event::Cancelled];
    given::<Booking>(confirmed()).when(Command::LoseTicket).then(both);
    given::<Booking>(cancelling()).when(Command::LoseTicket).then([Event::Cancelled]);
}

#[test]
fn what_others_published_leads_to_commands_about_the_booking() {
    let booking = booking_id();
    let ticket = || "t".to_owned();
    assert_eq!(react(&Fact::PaymentApproved { booking, payment: payment() }), [(booking, mark_paid())]);
    let issued = react(&Fact::TicketIssued { booking, ticket: ticket() });
    assert_eq!(issued, [(booking, Command::NoteTicket { ticket: ticket() })]);
    let collected = react(&Fact::TicketCollected { booking, ticket: ticket() });
    assert_eq!(collected, [(booking, Command::Complete { ticket: ticket() })]);
    assert_eq!(react(&Fact::TicketCancelled(booking)), [(booking, Command::LoseTicket)]);
    let noted = Event::TicketNoted { ticket: ticket() };
    given::<Booking>(confirmed()).when(Command::NoteTicket { ticket: ticket() }).then([noted]);
}

#[test]
fn as_many_seats_are_named_as_are_booked() {
    let one = Book { seats: Some(seats(&["1A"])), ..book(None) };
    given::<Booking>([]).when(Command::Book(one)).then_refused(Rejection::WrongNumber(2));
}

// === Laws ===

fn commands() -> impl Strategy<Value = Command> {
    let outage = prop_oneof![Just(Outage::NotSent), Just(Outage::Unknown)];
    let taken = prop_oneof![Just(Taken::Yes), Just(Taken::No)];
    let refusal = prop_oneof![Just(SeatRefusal::Taken), Just(SeatRefusal::NoSuchSeat)];
    let chosen = prop_oneof![Just(pair()), Just(others())];
    prop_oneof![
        2 => Just(Command::Book(book(Some(pair())))),
        2 => Just(Command::Book(book(None))),
        3 => Just(Command::AcceptHold),
        1 => (0..3u32, refusal).prop_map(|(ask, refusal)| Command::RefuseSeats { ask, refusal }),
        3 => Just(Command::AcceptPayment { payment: payment() }),
        1 => Just(Command::RejectPayment { reason: "no".into() }),
        3 => Just(Command::AcceptMoney),
        1 => Just(Command::DeclineMoney { reason: "no".into() }),
        3 => (0..3u32).prop_map(|ask| Command::AcceptSeats { ask, movie: movie() }),
        2 => (0..3u32, taken).prop_map(|(ask, paid)| Command::LearnPayment { ask, paid }),
        1 => (0..3u32, outage).prop_map(|(ask, outage)| give_up(ask, outage)),
        2 => Just(mark_paid()),
        3 => chosen.prop_map(Command::SelectSeats),
        1 => Just(Command::Expire),
        1 => Just(cancel()),
        1 => Just(Command::ConfirmCancellation),
        1 => Just(Command::RefuseCancellation),
        1 => Just(Command::NoteTicket { ticket: "t".into() }),
        1 => Just(Command::Complete { ticket: "t".into() }),
        1 => Just(Command::LoseTicket),
    ]
}

fn is_terminal(booking: &Booking) -> bool {
    matches!(booking, Booking::Completed { .. } | Booking::Cancelled(_) | Booking::Failed { .. })
}

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_terminal_states_stay(
        history in proptest::collection::vec(commands(), 0..40),
    ) {
        laws::aggregate::<Booking>(std::slice::from_ref(&history));
        let mut booking = Booking::default();
        for command in &history {
            let events = booking.decide(command, now()).unwrap_or_default();
            prop_assert!(!is_terminal(&booking) || events.is_empty(), "{booking:?} and then {events:?}");
            let shown = booking.index().is_some();
            let before = booking.clone();
            booking = events.iter().fold(booking, Booking::evolve);
            prop_assert!(events.is_empty() || booking != before, "{events:?} changed nothing of {before:?}");
            prop_assert!(!shown || booking.index().is_some(), "{booking:?} is gone after {command:?}");
        }
    }
}

#[test]
fn what_a_step_comes_to_ends_it() {
    let mut states: Vec<_> = (0..5).map(making).collect();
    states.extend([reserving(), asking(), selecting(), cancelling()]);
    let states: Vec<_> = states.into_iter().map(|events| given::<Booking>(events).state()).collect();
    let refuse = |ask| Command::RefuseSeats { ask, refusal: SeatRefusal::Taken };
    laws::outcomes_end_steps(&states, |step| match step {
        Step::HoldSeats(_) => vec![Command::AcceptHold, refuse(0), give_up(0, Outage::Unknown)],
        Step::RequestPayment(_) => vec![
            Command::AcceptPayment { payment: payment() },
            Command::RejectPayment { reason: "no".into() },
            give_up(0, Outage::NotSent),
            give_up(0, Outage::Unknown),
        ],
        Step::Pay { .. } => {
            vec![Command::AcceptMoney, Command::DeclineMoney { reason: "no".into() }, give_up(0, Outage::Unknown)]
        }
        Step::AssignSeats { ask, .. } => {
            vec![Command::AcceptSeats { ask: *ask, movie: movie() }, refuse(*ask), give_up(*ask, Outage::Unknown)]
        }
        Step::AskPayment { ask, .. } => vec![
            Command::LearnPayment { ask: *ask, paid: Taken::Yes },
            Command::LearnPayment { ask: *ask, paid: Taken::No },
            give_up(*ask, Outage::NotSent),
        ],
        Step::CancelTicket => vec![Command::ConfirmCancellation, Command::RefuseCancellation],
    });
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let mut samples = confirmed();
    samples.extend([
        Event::Submitted(booking_details(None)),
        failed(FailReason::SeatLost, billed(), Taken::Yes),
        Event::Reserved { payment: payment() },
        Event::Paid { seat_by: seat_by() },
        ask(pair(), 1),
        Event::SelectionBegun,
        Event::SelectionRefused(SelectRefusal::SeatTaken),
        Event::SelectionGivenUp,
        Event::TicketNoted { ticket: "t".into() },
        Event::Completed { ticket: "t".into() },
        Event::CancellationRequested { reason: CancelReason::Customer, note: note("changed my mind") },
        Event::CancellationRefused,
        Event::Cancelled,
    ]);
    laws::golden::<Booking>(&samples::golden("booking"), &samples);
}
