//! Redacting what is kept as JSON, whatever it is of: states that another version wrote, too.

use std::time::Duration;

use highstreet_domain::kernel::ports::ErasedKind;
use highstreet_domain::kernel::{Aggregate, Erasure, Forgotten, Id, Known, PERSONAL, Redact, Timestamp, time_in};
use serde_json::{Map, Value};
use uuid::Uuid;

/// How long somebody who was forgotten is recognised: 30 days. What comes later than that comes from a backup, and
/// whoever restores one asks again.
const RECOGNISED_FOR: Duration = Duration::from_hours(30 * 24);

/// Whether an erasure began so long ago that nobody is recognised by it any more.
pub fn is_old(erasure: Uuid, now: Timestamp) -> bool {
    time_in(erasure).is_some_and(|since| now.since(since) > RECOGNISED_FOR)
}

/// `json` without what is to be redacted; `None` if nothing is. What cannot be read and holds something is emptied.
pub fn json(redact: &dyn Redact, json: &[u8]) -> Option<Vec<u8>> {
    if !redact.may_be_in(json) {
        return None;
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(json) else { return Some(b"null".to_vec()) };
    if walk(redact, "", &mut value) { serde_json::to_vec(&value).ok() } else { None }
}

/// The same of a view's row. What it was told of a stream that moved, under its old name and under its new one, is now
/// the same, and stands there once.
pub fn row(redact: &dyn Redact, row: &[u8]) -> Option<Vec<u8>> {
    let redacted = json(redact, row)?;
    let Ok(mut value) = serde_json::from_slice(&redacted) else { return Some(redacted) };
    once(&mut value);
    serde_json::to_vec(&value).ok()
}

/// Of neighbours in a list that are the same, one.
fn once(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.dedup_by(|one, other| one.is_object() && one == other);
            values.iter_mut().for_each(once);
        }
        Value::Object(fields) => fields.values_mut().for_each(once),
        _ => {}
    }
}

/// `text` in the field called `field`, without what is to be redacted; `None` if nothing is.
pub fn text(redact: &dyn Redact, field: &str, text: Option<&str>) -> Option<String> {
    redact.redact(field, text?)
}

/// What forgetting has to know of `A`.
pub fn kind<A: Aggregate>() -> ErasedKind {
    let named = |state: &[u8]| serde_json::from_slice::<A>(state).ok()?.named().map(Id::uuid);
    ErasedKind { aggregate: A::NAME, open: A::OPEN, named }
}

/// Where a stream of this kind whose state is `redacted` goes, and was, if it was named by what is forgotten.
pub fn move_of(kind: &ErasedKind, known: &[Known], redacted: &[u8]) -> Option<(Uuid, Uuid)> {
    let before = json(&Restored(known), redacted)?;
    let (from, to) = ((kind.named)(&before)?, (kind.named)(redacted)?);
    (from != to).then_some((from, to))
}

/// The pseudonyms of `erasure`, and of earlier ones of the same person that are still remembered.
pub fn all_known(erasure: &Erasure, forgotten: &[Forgotten]) -> Vec<Known> {
    let mut known = erasure.known().to_vec();
    for Known { key, .. } in erasure.known() {
        let earlier =
            forgotten.iter().filter(|it| it.erasure != erasure.id() && it.digest == Forgotten::digest(it.erasure, key));
        known.extend(earlier.map(|it| Known { key: key.clone(), pseudonym: it.instead.clone() }));
    }
    known
}

/// Puts what was known back in the place of pseudonyms: to find out what something was called.
struct Restored<'a>(&'a [Known]);

// === impl Restored ===

impl Redact for Restored<'_> {
    fn redact(&self, _field: &str, text: &str) -> Option<String> {
        self.0.iter().find(|known| known.pseudonym == text).map(|known| known.key.clone())
    }

    fn may_be_in(&self, _bytes: &[u8]) -> bool {
        true
    }
}

/// Redacts a value in a field; whether that changed anything.
fn walk(redact: &dyn Redact, field: &str, value: &mut Value) -> bool {
    match value {
        Value::String(text) => match redact.redact(field, text) {
            Some(instead) => {
                *text = instead;
                true
            }
            None => false,
        },
        Value::Array(values) => any_of(values.iter_mut().map(|value| walk(redact, field, value))),
        Value::Object(fields) => {
            let inside = any_of(fields.iter_mut().map(|(name, value)| {
                // The name of a recipient is the recipient.
                let place = if name == "name" && PERSONAL.contains(&field) { field } else { name.as_str() };
                walk(redact, place, value)
            }));
            walk_names(redact, fields) || inside
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether one of them is true; looks at all of them.
fn any_of(changes: impl Iterator<Item = bool>) -> bool {
    changes.filter(|changed| *changed).count() > 0
}

/// What is kept by name may be kept by the name of a person.
fn walk_names(redact: &dyn Redact, fields: &mut Map<String, Value>) -> bool {
    let renamed: Vec<_> = fields.keys().filter_map(|name| Some((name.clone(), redact.redact("", name)?))).collect();
    for (name, instead) in &renamed {
        if let Some(value) = fields.remove(name) {
            fields.insert(instead.clone(), value);
        }
    }
    !renamed.is_empty()
}

#[cfg(test)]
mod tests {
    use highstreet_domain::kernel::{Phone, pseudonym};
    use serde_json::json;

    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0009);

    #[test]
    fn what_is_theirs_is_redacted_wherever_it_stands() {
        let phone = Phone::parse("010-1234-5678").expect("a phone number");
        let erasure = Erasure::new(ID, Some(&phone), &["Mina".to_owned()]);
        let (first, second) = (pseudonym(ID), format!("{}.1", pseudonym(ID)));
        let stored = json!({"Placed": {"customer": "+821012345678", "name": "Mina", "lines": [{"note": "for Mina"}],
            "recipient": {"role": "Customer", "name": "Mina"}, "by": {"01012345678": 1}, "total": 14_000}});
        let expected = json!({"Placed": {"customer": first, "name": "Mina", "lines": [{"note": "for …"}],
            "recipient": {"role": "Customer", "name": second}, "by": {first.clone(): 1}, "total": 14_000}});
        let redacted = super::json(&erasure, stored.to_string().as_bytes()).expect("something is theirs");
        assert_eq!(serde_json::from_slice::<Value>(&redacted).expect("JSON"), expected);
        assert_eq!(super::json(&erasure, &redacted), None, "a second time finds nothing");
        let (from, to) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let steps =
            json!({"steps": [{"id": from, "revision": 1}, {"id": to, "revision": 1}, {"id": to, "revision": 2}]});
        let moved = super::row(&erasure.clone().with_moved([(from, to)]), steps.to_string().as_bytes());
        let once = json!({"steps": [{"id": to, "revision": 1}, {"id": to, "revision": 2}]});
        assert_eq!(serde_json::from_slice::<Value>(&moved.expect("one moved")).expect("JSON"), once);
        assert_eq!(super::json(&erasure, br#"{"customer":"010-9999-9999"}"#), None);
        assert_eq!(super::json(&erasure, b"010-1234-5678 {"), Some(b"null".to_vec()), "what is no JSON is emptied");
    }
}
