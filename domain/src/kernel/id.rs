//! Names of things: ids that the system makes, and references between contexts.

use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Aggregate;

/// The namespace under which every derived UUID of Highstreet is made (UUIDv5 of the DNS name `highstreet.dev`).
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x6f3c_1c1e_8f0b_5b52_9d39_3b2f_6a0e_7d11);

/// The id of an aggregate of type `A`, and the name of its stream.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id<A> {
    uuid: Uuid,
    #[serde(skip)]
    of: PhantomData<fn() -> A>,
}

/// Something in another context, by that context's name and its id there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// The context's name, such as `ordering`.
    pub context: String,
    /// The id in that context.
    pub id: String,
}

// === impl Id ===

impl<A> Id<A> {
    /// The id with this UUID.
    pub const fn new(uuid: Uuid) -> Self {
        Self { uuid, of: PhantomData }
    }

    /// The UUID itself.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<A: Aggregate> Id<A> {
    /// The id of what is made for something else. Everybody who knows the reference knows the id, so there can be
    /// only one, and a cancellation finds it before it exists.
    pub fn made_for(reference: &Reference) -> Self {
        let Ok(of) = Uuid::parse_str(&reference.id) else { return Self::named(&[&reference.context, &reference.id]) };
        Self::new(derived(of, name::<A>(&[&reference.context]).as_bytes()))
    }

    /// The id of what people name by `parts`.
    pub fn named(parts: &[&str]) -> Self {
        Self::new(Uuid::new_v5(&NAMESPACE, name::<A>(parts).as_bytes()))
    }
}

fn name<A: Aggregate>(parts: &[&str]) -> String {
    let mut name = String::from(A::NAME);
    for part in parts {
        // The length keeps `ab`,`c` apart from `a`,`bc`.
        name = format!("{name}/{}:{part}", part.len());
    }
    name
}

/// The UUID of what is called `name` beside `of`: always the same one.
///
/// Made of a time-ordered one, it keeps that one's time in front (RFC 9562, version 8), and so a place near it in
/// every index: what is stored for long is not touched by what is new. Otherwise it is a UUIDv5.
pub(super) fn derived(of: Uuid, name: &[u8]) -> Uuid {
    let hash = Uuid::new_v5(&of, name);
    if !matches!(of.get_version_num(), 7 | 8) {
        return hash;
    }
    let mut bytes = hash.into_bytes();
    bytes[..6].copy_from_slice(&of.as_bytes()[..6]);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    Uuid::from_bytes(bytes)
}

impl<A> Clone for Id<A> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<A> Copy for Id<A> {}
impl<A> PartialEq for Id<A> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<A> Eq for Id<A> {}
impl<A> PartialOrd for Id<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<A> Ord for Id<A> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<A> Hash for Id<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<A> fmt::Debug for Id<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.fmt(f)
    }
}
impl<A> fmt::Display for Id<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.fmt(f)
    }
}

// === impl Reference ===

impl Reference {
    /// The thing called `id` in `context`.
    pub fn new(context: impl Into<String>, id: impl Into<String>) -> Self {
        Self { context: context.into(), id: id.into() }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.context, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMED: Uuid = Uuid::from_u128(0x0193_0a5f_77b0_7abc_8def_0123_4567_89ab);
    const RANDOM: Uuid = Uuid::from_u128(0x1b9d_6bcd_bbfd_4b2d_9b5d_ab8d_fbbd_4bed);

    #[test]
    fn what_is_derived_of_a_timed_id_keeps_its_time() {
        let (first, second) = (derived(TIMED, b"a"), derived(TIMED, b"b"));
        assert_ne!(first, second);
        assert_eq!(first.as_bytes()[..6], TIMED.as_bytes()[..6]);
        assert_eq!((first.get_version_num(), first.get_variant()), (8, uuid::Variant::RFC4122));
        assert_eq!(derived(first, b"a").as_bytes()[..6], TIMED.as_bytes()[..6], "and so does what is derived of that");
        assert_eq!(first, derived(TIMED, b"a"));
    }

    #[test]
    fn what_is_derived_of_any_other_id_is_a_uuid_v5() {
        assert_eq!(derived(RANDOM, b"a").get_version_num(), 5);
    }
}
