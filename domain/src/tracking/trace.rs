//! The trace of one case, folded from what every context published about it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Kind;
use crate::kernel::{Case, Index, Phone, Timestamp, View};

/// Everything that happened to one order, booking, reservation or purchase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// What it belongs to; `None` before the first fact.
    pub case: Option<Case>,
    /// The furthest status reached; empty while the order itself has not been heard of.
    pub status: String,
    /// Oldest first.
    pub steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub time: Timestamp,
    /// In which context.
    pub context: String,
    /// To which of its aggregates.
    pub id: Uuid,
    /// That aggregate's revision with it.
    pub revision: u64,
    /// The event's name.
    pub event: String,
    /// The status it led to in that context.
    pub status: String,
}

/// What tracking listens for: anything that belongs to a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it belongs to.
    pub case: Case,
    /// What happened.
    pub step: Step,
}

// === impl Trace ===

impl View for Trace {
    const NAME: &'static str = "trace";

    type Fact = Fact;

    fn key(fact: &Fact) -> String {
        fact.case.root.to_string()
    }

    fn apply(mut self, fact: &Fact) -> Self {
        self.case.get_or_insert_with(|| fact.case.clone());
        let step = &fact.step;
        let known = self.steps.iter().any(|seen| (seen.id, seen.revision) == (step.id, step.revision));
        if !known {
            let place = self.steps.partition_point(|before| before < step);
            self.steps.insert(place, step.clone());
            self.status = self.furthest_status().into();
        }
        self
    }

    fn index(&self) -> Index {
        // Not listed before the order itself exists for others.
        let Some(case) = self.case.as_ref().filter(|_| !self.status.is_empty()) else { return Index::default() };
        Index {
            shop: case.shop.to_string(),
            owner: Phone::key_of(&case.customer),
            reference: case.root.context.clone(),
            status: self.status.clone(),
        }
    }
}

impl Trace {
    /// The kind of case it traces; `None` if it is none that is traced.
    pub fn kind(&self) -> Option<Kind> {
        Kind::of(&self.case.as_ref()?.root)
    }

    /// Whether the context that the case began in told of it.
    fn is_own(&self, step: &Step) -> bool {
        self.case.as_ref().is_some_and(|case| case.root.context == step.context)
    }

    fn furthest_status(&self) -> &'static str {
        // Until its own context tells of it, the case may never come about, whatever others did for it.
        let told = self.steps.iter().any(|step| self.is_own(step));
        self.kind().filter(|_| told).and_then(|kind| kind.furthest(&self.steps)).unwrap_or_default()
    }
}
