//! The laws hold for what keeps them, and notice what does not.

use highstreet_domain::kernel::{Aggregate, Due, Index, Never, OnOutage, Timestamp, Unanswered, View};
use highstreet_testkit::counter::{Ask, Command, Counter, Tally, Told, TooLow};
use highstreet_testkit::{given, laws};
use serde::{Deserialize, Serialize};

fn told(source: &str, revision: u64, number: i64) -> Told {
    Told { row: "row".into(), source: source.into(), revision, number }
}

/// Keeps whatever came last: the order of facts matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Last(i64);

impl View for Last {
    const NAME: &'static str = "last";

    type Fact = Told;

    fn key(fact: &Told) -> String {
        fact.row.clone()
    }

    fn apply(self, fact: &Told) -> Self {
        Self(fact.number)
    }

    fn index(&self) -> Index {
        Index::default()
    }
}

/// Gives up after an outage, and says nothing of that to operators.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Hasty {
    waits: bool,
}

impl Aggregate for Hasty {
    const NAME: &'static str = "hasty";
    const VERSION: u32 = 1;

    type Command = bool;
    type Event = bool;
    type Rejection = TooLow;
    type Step = Ask;
    type Entry = Never;

    fn decide(&self, waits: &bool, _now: Timestamp) -> Result<Vec<bool>, TooLow> {
        Ok(vec![*waits])
    }

    fn evolve(self, waits: &bool) -> Self {
        Self { waits: *waits }
    }

    fn due(&self) -> Option<Due<Self>> {
        self.waits.then(|| Due::Call(Ask("?".into())))
    }

    fn on_outage(&self, _step: &Ask, _unanswered: &Unanswered, _attempts: u32) -> OnOutage<bool> {
        OnOutage::GiveUp(false)
    }

    fn index(&self) -> Option<Index> {
        None
    }
}

#[test]
#[should_panic(expected = "`give_up` says otherwise than `on_outage`")]
fn a_step_that_only_outages_give_up_is_noticed() {
    laws::aggregate::<Hasty>(&[vec![true]]);
}

#[test]
fn a_counter_keeps_the_laws() {
    let keep = |number| Command::Keep("tea".into(), number);
    let set = Command::Set(Timestamp::from_micros(1));
    let history = vec![Command::Add(3), Command::Add(-9), keep(1), set, keep(2), Command::Ring, Command::Whisper];
    laws::aggregate::<Counter>(&[history, vec![Command::Ask("?".into()), Command::Rest, Command::Answer]]);
}

#[test]
fn an_answer_ends_a_question() {
    let asked = given::<Counter>([]).when(Command::Ask("?".into()));
    let state = asked.then([highstreet_testkit::counter::Event::Asked("?".into())]).state();
    laws::outcomes_end_steps(&[state], |Ask(_)| vec![Command::Answer]);
}

#[test]
#[should_panic(expected = "leaves Ask")]
fn an_outcome_that_ends_nothing_is_noticed() {
    let state = given::<Counter>([highstreet_testkit::counter::Event::Asked("?".into())]).state();
    laws::outcomes_end_steps(&[state], |Ask(_)| vec![Command::Add(1)]);
}

#[test]
fn a_tally_is_the_same_in_any_order() {
    laws::view::<Tally>(&[told("mina", 1, 5), told("mina", 2, 3), told("joon", 1, 7)]);
}

#[test]
#[should_panic(expected = "another order gives another row")]
fn a_view_that_depends_on_the_order_is_noticed() {
    laws::view::<Last>(&[told("mina", 1, 5), told("mina", 2, 3), told("joon", 1, 7)]);
}
