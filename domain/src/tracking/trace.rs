//! The trace of one case, folded from what every context published about it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{Case, Index, Phone, Reference, Timestamp, View};

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

/// The kinds of case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An order of the coffee shop.
    Order,
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
            owner: Phone::parse(&case.customer).map_or_else(|_| case.customer.clone(), |phone| phone.key()),
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

    /// By rank, not by arrival: a late message never takes a trace back.
    fn furthest_status(&self) -> &'static str {
        let Some(kind) = self.kind() else { return "" };
        // Until its own context tells of it, the case may never come about, whatever others did for it.
        let told = self.steps.iter().any(|step| self.is_own(step));
        let furthest = self.steps.iter().filter_map(|step| kind.rank(step)).max();
        furthest.filter(|_| told).map_or("", |rank| kind.statuses()[rank])
    }
}

// === impl Kind ===

impl Kind {
    /// The kind of case that `root` is.
    pub fn of(root: &Reference) -> Option<Self> {
        (root.context == "ordering").then_some(Self::Order)
    }

    /// The statuses a case passes, in order.
    const fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::Order => &["ORDERED", "PAID", "READY", "SHIPPED", "DELIVERED", "COMPLETED", "CANCELLED"],
        }
    }

    /// How far a step brings the case; `None` if not further.
    fn rank(self, step: &Step) -> Option<usize> {
        let Self::Order = self;
        let status = match (step.context.as_str(), step.event.as_str()) {
            ("ordering", "OrderPlaced") => "ORDERED",
            ("payment", "PaymentApproved") | ("ordering", "OrderPaid") => "PAID",
            ("kitchen", "PreparationReady") => "READY",
            ("delivery", "Shipped") => "SHIPPED",
            ("delivery", "Delivered") => "DELIVERED",
            ("ordering", "OrderCompleted") => "COMPLETED",
            ("ordering", "OrderCancelled") => "CANCELLED",
            // The rest is in the timeline, and does not move the case as a whole.
            _ => return None,
        };
        self.statuses().iter().position(|name| *name == status)
    }
}
