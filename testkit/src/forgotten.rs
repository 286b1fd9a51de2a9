//! Whoever an aggregate knows can be forgotten: what of it is theirs is found by where it stands.

use std::fmt::Debug;

use highstreet_domain::kernel::{Aggregate, Erasure, Known, Phone, Redact};
use highstreet_foundation::erasing;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

const ERASED: Uuid = Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_00ff);
/// A name that nothing else is called by.
const NAMED: &str = "Telltale";

/// Whoever is named in what happened is forgotten, once by their number and once as if they had gone by a name: nothing
/// of them is left, the events lead to the state, and what it waits for stays.
#[track_caller]
pub(crate) fn can_be_forgotten<A: Aggregate>(state: &A, events: &[A::Event], entries: &[A::Entry]) {
    let owner = state.index().map(|index| index.owner).filter(|owner| !owner.is_empty());
    let mut people: Vec<String> = events.iter().flat_map(|event| numbers(&stored(event))).chain(owner).collect();
    people.sort_unstable();
    people.dedup();
    for person in people {
        forgotten(state, events, entries, &person, &|value| value);
        // A name is recognised only where people are named: a field that is missing there is left over.
        let by_name = |mut value| {
            rename(&mut value, &person);
            value
        };
        if events.iter().all(|event| A::Event::deserialize(by_name(stored(event))).is_ok()) {
            forgotten(state, events, entries, NAMED, &by_name);
        }
    }
}

#[track_caller]
fn forgotten<A: Aggregate>(
    state: &A,
    events: &[A::Event],
    entries: &[A::Entry],
    person: &str,
    told: &dyn Fn(Value) -> Value,
) {
    let (phone, names) = match Phone::parse(person) {
        Ok(phone) => (Some(phone), vec![]),
        Err(_) => (None, vec![person.to_owned()]),
    };
    let erasure = Erasure::new(ERASED, phone.as_ref(), &names);
    let again: A = redacted(&erasure, told(stored(state)));
    let happened = events.iter().map(|event| redacted::<A::Event>(&erasure, told(stored(event))));
    let folded = happened.fold(A::default(), |state, event| state.evolve(&event));
    assert_eq!(stored(&folded), stored(&again), "without {person}, what happened leads elsewhere");
    for entry in entries {
        let _: A::Entry = redacted(&erasure, told(stored(entry)));
    }
    let (index, before) = (again.index(), state.index());
    assert_eq!(
        index.as_ref().map(|it| &it.status),
        before.as_ref().map(|it| &it.status),
        "{person} decides its status"
    );
    let left = index.filter(|index| erasure.may_be_in(format!("{index:?}").as_bytes()));
    assert_eq!(left, None, "lists still name {person}");
    assert_eq!(again.due().is_some(), state.due().is_some(), "it waits for {person}");
    let Some(named) = again.named() else { return };
    let known = [Known { key: Phone::key_of(person), pseudonym: erasure.known()[0].pseudonym.clone() }];
    let moved = erasing::move_of(&erasing::kind::<A>(), &known, stored(&again).to_string().as_bytes());
    assert!(moved.is_none_or(|(_, to)| to == named.uuid()), "it moves elsewhere than its name says");
}

/// A stored value without whoever is forgotten, of which nothing is left.
#[track_caller]
fn redacted<T: Serialize + DeserializeOwned + Debug>(erasure: &Erasure, value: Value) -> T {
    let text = value.to_string();
    let json = erasing::json(erasure, text.as_bytes()).unwrap_or_else(|| text.clone().into_bytes());
    let left = String::from_utf8_lossy(&json).into_owned();
    let known = &erasure.known()[0].key;
    assert!(!erasure.may_be_in(&json), "{known} is still in {left}: is the field missing in kernel::PERSONAL?");
    serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{left} cannot be read again: {error}"))
}

/// The phone numbers in a stored value.
fn numbers(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => Phone::parse(text).map_or_else(|_| vec![], |_| vec![text.clone()]),
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Object(fields) => fields.values().flat_map(numbers).collect(),
        _ => vec![],
    }
}

/// Calls whoever is known as `person` by a name.
fn rename(value: &mut Value, person: &str) {
    match value {
        Value::String(text) if Phone::key_of(text) == Phone::key_of(person) => NAMED.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, person)),
        Value::Object(fields) => fields.values_mut().for_each(|value| rename(value, person)),
        _ => {}
    }
}

#[track_caller]
fn stored<T: Serialize + Debug>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("{value:?} cannot be stored: {error}"))
}
