//! Forgetting a person: what of a text is theirs, and what stands there instead.
//!
//! A person is known by a phone number, by names, or by both. Wherever one of these stands, a pseudonym takes its place:
//! the same one everywhere, so that what belonged together still does, and random, so that nothing leads back. What is
//! kept as JSON or protobuf is walked through by adapters, which ask a [`Redact`] about every text they meet.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use uuid::Uuid;

use super::{Phone, Timestamp};

/// The fields that say who somebody is, in stored values and in the published language alike. `recipient` stands for
/// the name within it. A law finds fields that are missing here.
pub const PERSONAL: [&str; 7] = ["actor", "customer", "customer_phone", "member", "payer", "recipient", "user"];

/// The fields in which people, or carriers, write what they like.
const WORDS: [&str; 5] = ["error", "note", "reason", "refused", "text"];

/// What is left of a name in the middle of a text.
const BLANK: &str = "…";

/// Says what is to stand in the place of a text.
pub trait Redact: Send + Sync {
    /// What takes the place of `text` in the field called `field`; `None` if it stays.
    fn redact(&self, field: &str, text: &str) -> Option<String>;

    /// Whether something is to be redacted in `bytes`, whatever they are: may say yes too often, never no.
    fn may_be_in(&self, bytes: &[u8]) -> bool;
}

/// One person who is forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    id: Uuid,
    known: Vec<Known>,
    moved: BTreeMap<Uuid, Uuid>,
}

/// What a person is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// A phone number in E.164 form, or a name as it is: what [`super::Index::owner`] holds.
    pub key: String,
    /// What stands there instead.
    pub pseudonym: String,
}

/// Somebody who was forgotten, as a store remembers that: enough to recognise them, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The erasure; its time is when it began.
    pub erasure: Uuid,
    /// The digest of what was forgotten: a key, or the id of a stream that was named by one.
    pub digest: Uuid,
    /// What stands there instead.
    pub instead: String,
}

// === impl Erasure ===

impl Erasure {
    /// Forgets whoever has this phone number and these names. `id` is a UUID of version 7, of the moment in which the
    /// erasure began.
    pub fn new(id: Uuid, phone: Option<&Phone>, names: &[String]) -> Self {
        let mut keys: Vec<String> = names.iter().map(|name| Phone::key_of(name)).collect();
        keys.sort_unstable();
        keys.dedup();
        let phone = phone.map(Phone::key);
        keys.retain(|key| Some(key) != phone.as_ref());
        // Each has its own: whoever had two accounts has two that nobody has.
        let known =
            phone.into_iter().chain(keys).enumerate().map(|(at, key)| Known { key, pseudonym: pseudonym_of(id, at) });
        Self { id, known: known.collect(), moved: BTreeMap::new() }
    }

    /// The same person, under another id.
    #[must_use]
    pub fn under(self, id: Uuid) -> Self {
        let known = self.known.into_iter().enumerate();
        let known = known.map(|(at, known)| Known { pseudonym: pseudonym_of(id, at), ..known }).collect();
        Self { id, known, moved: self.moved }
    }

    /// The same, with streams that have another id now, as they were named by what is forgotten.
    #[must_use]
    pub fn with_moved(mut self, moved: impl IntoIterator<Item = (Uuid, Uuid)>) -> Self {
        self.moved.extend(moved);
        self
    }

    /// Its id.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// What the person is known by.
    pub fn known(&self) -> &[Known] {
        &self.known
    }

    /// The streams that have another id now.
    pub fn moved(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        self.moved.iter().map(|(from, to)| (*from, *to))
    }

    /// The id that a stream has now.
    pub fn moved_to(&self, id: Uuid) -> Option<Uuid> {
        self.moved.get(&id).copied()
    }

    /// The digests by which a store recognises what comes late.
    pub fn forgotten(&self) -> Vec<Forgotten> {
        let keys = self.known.iter().map(|known| (known.key.clone(), known.pseudonym.clone()));
        let ids = self.moved.iter().map(|(from, to)| (from.to_string(), to.to_string()));
        let forgotten = |(text, instead): (String, String)| Forgotten {
            erasure: self.id,
            digest: Forgotten::digest(self.id, &text),
            instead,
        };
        keys.chain(ids).map(forgotten).collect()
    }

    fn instead_of(&self, text: &str) -> Option<&Known> {
        let key = Phone::key_of(text);
        self.known.iter().find(|known| known.key == key)
    }
}

impl Redact for Erasure {
    fn redact(&self, field: &str, text: &str) -> Option<String> {
        if let Some(known) = self.instead_of(text).filter(|known| is_phone(&known.key) || PERSONAL.contains(&field)) {
            return Some(known.pseudonym.clone());
        }
        if let Some(to) = Uuid::parse_str(text).ok().and_then(|id| self.moved_to(id)) {
            return Some(to.to_string());
        }
        let mut left = None::<String>;
        for Known { key, .. } in &self.known {
            let blanked = match numbers(key) {
                Some(numbers) => numbers.iter().fold(None, |done: Option<String>, number| {
                    without_number(done.as_deref().or(left.as_deref()).unwrap_or(text), number).or(done)
                }),
                None if WORDS.contains(&field) && left.as_deref().unwrap_or(text).contains(key.as_str()) => {
                    Some(left.as_deref().unwrap_or(text).replace(key.as_str(), BLANK))
                }
                None => None,
            };
            left = blanked.or(left);
        }
        left
    }

    fn may_be_in(&self, bytes: &[u8]) -> bool {
        let known = self.known.iter().any(|known| match numbers(&known.key) {
            Some(numbers) => numbers.iter().any(|number| find_number(bytes, number, 0).is_some()),
            None => holds(bytes, known.key.as_bytes()) || holds(bytes, escaped(&known.key).as_bytes()),
        });
        known || self.moved.keys().any(|from| holds(bytes, from.to_string().as_bytes()))
    }
}

// === impl Forgotten ===

impl Forgotten {
    /// The digest of a key, or of an id, under an erasure.
    pub fn digest(erasure: Uuid, text: &str) -> Uuid {
        Uuid::new_v5(&erasure, text.as_bytes())
    }

    /// When the erasure began.
    pub fn since(&self) -> Timestamp {
        time_in(self.erasure).unwrap_or_default()
    }
}

/// The pseudonym of the first key of an erasure.
pub fn pseudonym(erasure: Uuid) -> String {
    // Without dashes, so that it is the same where it is taken for a phone number.
    format!("erased:{}", erasure.simple())
}

fn pseudonym_of(erasure: Uuid, at: usize) -> String {
    if at == 0 { pseudonym(erasure) } else { format!("{}.{at}", pseudonym(erasure)) }
}

/// The time in a time-ordered id, or in one that was derived of such.
pub fn time_in(id: Uuid) -> Option<Timestamp> {
    if !matches!(id.get_version_num(), 7 | 8) {
        return None;
    }
    let millis = id.as_bytes()[..6].iter().fold(0i64, |millis, byte| millis << 8 | i64::from(*byte));
    Some(Timestamp::from_micros(millis * 1000))
}

// === Numbers in texts ===

fn is_phone(key: &str) -> bool {
    key.starts_with('+')
}

/// The digits of a phone number as people write them; `None` for a name.
fn numbers(key: &str) -> Option<Vec<String>> {
    let digits = key.strip_prefix('+').filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    let national = digits.strip_prefix("82").map(|rest| format!("0{rest}"));
    Some([digits.to_owned()].into_iter().chain(national).collect())
}

/// Where `number` stands in `bytes` from `from` on, with whatever people put between digits.
fn find_number(bytes: &[u8], number: &str, from: usize) -> Option<(usize, usize)> {
    let first = *number.as_bytes().first()?;
    (from..bytes.len()).filter(|start| bytes[*start] == first).find_map(|start| {
        let mut at = start;
        for digit in number.bytes() {
            while at > start && matches!(bytes.get(at), Some(b'-' | b' ' | b'.' | b'(' | b')')) {
                at += 1;
            }
            if bytes.get(at) != Some(&digit) {
                return None;
            }
            at += 1;
        }
        Some((start, at))
    })
}

/// `text` without `number`; `None` if it is not there. Within a longer number it is another one.
fn without_number(text: &str, number: &str) -> Option<String> {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let (mut left, mut done, mut from) = (String::new(), 0, 0);
    while let Some((start, end)) = find_number(text.as_bytes(), number, from) {
        from = start + 1;
        let within_another = is_digit(end) || (start > 0 && is_digit(start - 1));
        if !within_another {
            let before = text[done..start].strip_suffix('+').unwrap_or(&text[done..start]);
            left.push_str(before);
            left.push_str(BLANK);
            (done, from) = (end, end);
        }
    }
    (done > 0).then(|| left + &text[done..])
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    !what.is_empty() && bytes.windows(what.len()).any(|window| window == what)
}

/// A name as it stands in JSON.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0009);

    fn mina() -> Erasure {
        Erasure::new(ID, Some(&Phone::parse("010-1234-5678").unwrap()), &["Mina".to_string()])
    }

    #[test]
    fn a_person_is_recognised_however_the_number_is_written() {
        let pseudonym = pseudonym(ID);
        for written in ["010-1234-5678", "+821012345678", "+82 10 1234 5678"] {
            assert_eq!(mina().redact("product", written).as_deref(), Some(pseudonym.as_str()), "{written}");
            assert!(mina().may_be_in(format!("…{written}…").as_bytes()), "{written}");
        }
        assert_eq!(mina().redact("customer", "Mina"), Some(format!("{pseudonym}.1")));
        assert_eq!(Phone::key_of(&pseudonym), pseudonym, "it is its own key");
        assert_eq!(mina().redact("customer", &pseudonym), None, "nothing is left to forget");
    }

    #[test]
    fn a_name_is_a_name_only_where_people_are_named() {
        assert_eq!(mina().redact("product", "Mina"), None, "a drink may be called so");
        assert_eq!(mina().redact("note", "call Mina at 010 1234 5678!"), Some("call … at …!".to_string()));
        assert_eq!(mina().redact("note", "+82-10-1234-5678, or 01012345678"), Some("…, or …".to_string()));
        for others in ["010-1234-56789", "9010-1234-5678", "010-1234-5679", ""] {
            assert_eq!(mina().redact("note", others), None, "{others}");
        }
    }

    #[test]
    fn a_stream_that_moved_is_found_by_its_new_id() {
        let (from, to) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let erasure = mina().with_moved([(from, to)]);
        assert_eq!(erasure.redact("account_id", &from.to_string()), Some(to.to_string()));
        assert!(erasure.may_be_in(from.to_string().as_bytes()));
        let digests: Vec<_> = erasure.forgotten().into_iter().map(|forgotten| forgotten.digest).collect();
        assert!(digests.contains(&Forgotten::digest(ID, "+821012345678")));
        assert!(digests.contains(&Forgotten::digest(ID, &from.to_string())));
    }

    #[test]
    fn timed_ids_know_their_time() {
        assert_eq!(time_in(ID), Some(Timestamp::from_micros(0x0195_0000_0000 * 1000)));
        assert_eq!(time_in(Uuid::new_v5(&ID, b"x")), None);
    }
}
