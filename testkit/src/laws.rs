//! What holds for every aggregate and every view, whatever it is about.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use highstreet_domain::kernel::{Aggregate, Due, OnOutage, Timestamp, Unanswered, View};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Dice;
use crate::forgotten::can_be_forgotten;

/// Plays `histories` of commands and holds the aggregate to its laws at every step of them:
/// - it decides and evolves alike every time;
/// - folding the stored events again gives the state that was returned;
/// - state and events survive being stored;
/// - a deadline that passes changes what is due, so that nothing wakes for ever;
/// - an outage gives a step up by the same command as an operator who abandons it, and that ends it;
/// - whoever is named in it can be forgotten.
///
/// Refused commands are part of a history like any other. Returns the events of all histories.
#[track_caller]
pub fn aggregate<A: Aggregate>(histories: &[Vec<A::Command>]) -> Vec<A::Event> {
    let mut happened = Vec::new();
    for commands in histories {
        let mut entries: BTreeMap<String, A::Entry> = BTreeMap::new();
        let (mut state, mut events) = (A::default(), Vec::new());
        for (command, minute) in commands.iter().zip(0i64..) {
            let now = Timestamp::from_micros(minute * 60_000_000);
            let key = A::entry_key(command);
            if let Some(key) = &key {
                state = state.open(key, entries.get(key).cloned());
            }
            let decided = state.decide(command, now);
            assert_eq!(decided, state.decide(command, now), "{command:?} is decided differently the second time");
            for event in decided.unwrap_or_default() {
                assert_eq!(state.clone().evolve(&event), state.clone().evolve(&event), "{event:?} evolves differently");
                state = state.evolve(&event);
                events.push(event);
            }
            entries.extend(key.zip(state.entry().cloned()));
            survives_storage(&state);
            deadline_passes(&state);
            gives_up_alike(&state);
        }
        let again = events.iter().map(survives_storage).fold(A::default(), |state, event| state.evolve(&event));
        assert_eq!(stored(&again), stored(&state), "the stored events lead elsewhere after {commands:?}");
        can_be_forgotten(&state, &events, &entries.into_values().collect::<Vec<_>>());
        happened.extend(events);
    }
    happened
}

/// What the steps of an aggregate come to changes what is due: under the key of a step that was answered nothing is
/// ever called again. `outcome` names every command that can come back from a step.
#[track_caller]
pub fn outcomes_end_steps<A: Aggregate>(states: &[A], outcome: impl Fn(&A::Step) -> Vec<A::Command>) {
    for state in states {
        let Some(Due::Call(step)) = state.due() else { continue };
        for command in outcome(&step) {
            let events = state.decide(&command, Timestamp::default());
            let events = events.unwrap_or_else(|why| panic!("{command:?} of {step:?} is refused in {state:?}: {why}"));
            let after = events.iter().fold(state.clone(), A::evolve);
            assert_ne!(after.due(), state.due(), "{command:?} leaves {step:?} due in {state:?}");
        }
    }
}

/// Facts about one row give the same row in any order, and however often they come.
#[track_caller]
pub fn view<V: View>(facts: &[V::Fact]) {
    let fold = |facts: &[V::Fact]| {
        let mut rows: BTreeMap<String, V> = BTreeMap::new();
        for fact in facts {
            let row = rows.entry(V::key(fact)).or_default();
            *row = std::mem::take(row).apply(fact);
        }
        rows
    };
    let expected = fold(facts);
    for row in expected.values() {
        survives_storage(row);
    }
    for seed in 0..64 {
        let dice = Dice::new(seed);
        let mut shuffled = facts.to_vec();
        for _ in 0..facts.len() {
            shuffled.extend(dice.pick(facts).cloned());
        }
        for place in (1..shuffled.len()).rev() {
            shuffled.swap(place, dice.below(place + 1));
        }
        assert_eq!(fold(&shuffled), expected, "another order gives another row (seed {seed}): {shuffled:#?}");
    }
}

/// Every event in the golden file at `path`, one JSON value per line, is still read, and still written as it was;
/// and the file holds every kind of event that `samples` holds.
///
/// The file is what an earlier version wrote. Lines are added to it, never changed: a line that no longer reads is a
/// history that can no longer be folded.
#[track_caller]
pub fn golden<A: Aggregate>(path: &Path, samples: &[A::Event]) {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; it should hold:\n{}", path.display(), lines(samples)));
    let mut kinds = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let written: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let event: A::Event = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("this version cannot read what an earlier one wrote: {line}: {error}"));
        assert_eq!(stored(&event), written, "this version writes {event:?} differently");
        kinds.extend(kind(&written).map(str::to_owned));
    }
    for sample in samples.iter().map(stored) {
        let there = kind(&sample).is_some_and(|kind| kinds.iter().any(|there| there == kind));
        assert!(there, "{} lacks a line such as\n{sample}", path.display());
    }
}

// === Small things ===

fn deadline_passes<A: Aggregate>(state: &A) {
    let Some(Due::Deadline { at, command }) = state.due() else { return };
    let events = state.decide(&command, at);
    let events = events.unwrap_or_else(|why| panic!("the deadline's {command:?} is refused in {state:?}: {why}"));
    let after = events.iter().fold(state.clone(), A::evolve);
    assert_ne!(after.due(), state.due(), "the deadline that passed is still due in {state:?}");
}

/// Beyond any back-off.
const MANY: u32 = 30;

#[track_caller]
fn gives_up_alike<A: Aggregate>(state: &A) {
    let Some(Due::Call(step)) = state.due() else { return };
    for unanswered in [Unanswered::not_sent("nobody there"), Unanswered::unknown("no answer")] {
        let given_up = state.give_up(&step, &unanswered);
        for attempts in [1, MANY] {
            if let OnOutage::GiveUp(command) = state.on_outage(&step, &unanswered, attempts) {
                assert_eq!(given_up.as_ref(), Some(&command), "`give_up` says otherwise than `on_outage` in {state:?}");
            }
        }
        let Some(command) = given_up else { continue };
        let events = state.decide(&command, Timestamp::default());
        let events = events.unwrap_or_else(|why| panic!("{command:?} gives {step:?} up and is refused: {why}"));
        let after = events.iter().fold(state.clone(), A::evolve);
        assert_ne!(after.due(), state.due(), "{command:?} gives {step:?} up and leaves it due");
    }
}

#[track_caller]
fn survives_storage<T: Serialize + DeserializeOwned + Debug>(value: &T) -> T {
    let json = stored(value);
    let again = T::deserialize(&json).unwrap_or_else(|error| panic!("{json} cannot be read again: {error}"));
    assert_eq!(stored(&again), json, "{value:?} changes by being stored");
    again
}

#[track_caller]
fn stored<T: Serialize + Debug>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("{value:?} cannot be stored: {error}"))
}

/// The variant of an event as it is stored: `"Paid"`, or `{"Placed": …}`.
fn kind(event: &Value) -> Option<&str> {
    match event {
        Value::String(name) => Some(name),
        Value::Object(fields) => fields.keys().next().map(String::as_str),
        _ => None,
    }
}

fn lines<T: Serialize + Debug>(samples: &[T]) -> String {
    let lines: Vec<String> = samples.iter().map(|sample| stored(sample).to_string()).collect();
    lines.join("\n")
}
