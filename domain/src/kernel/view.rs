//! Read models: published facts folded into something to look at.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Index;

/// A row of a read model. Facts come in any order and more than once: whatever the order, the row ends up the same.
pub trait View:
    Clone + Default + PartialEq + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Names the rows.
    const NAME: &'static str;

    /// What it is folded from, in its own words.
    type Fact: Clone + fmt::Debug + Send + Sync + 'static;

    /// The row that a fact belongs to.
    fn key(fact: &Self::Fact) -> String;

    /// The row with the fact in it.
    #[must_use]
    fn apply(self, fact: &Self::Fact) -> Self;

    /// What lists filter by.
    fn index(&self) -> Index;
}

/// The highest revision seen of each aggregate, for rows in which the latest fact replaces the ones before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(BTreeMap<Uuid, u64>);

// === impl Seen ===

impl Seen {
    /// Whether `revision` of `source` is newer than all seen before; notes it.
    pub fn newer(&mut self, source: Uuid, revision: u64) -> bool {
        let seen = self.0.entry(source).or_default();
        let newer = revision > *seen;
        *seen = revision.max(*seen);
        newer
    }
}
