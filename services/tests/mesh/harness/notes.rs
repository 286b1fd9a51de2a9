//! What customers and staff were told, to be held against what is there in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use highstreet_wire::proto::ordering::Order;

/// What everybody was told. Clones are the same notes.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Said>>);

/// What was said.
#[derive(Default)]
pub(crate) struct Said {
    /// What became of each request for an order, by its request id.
    pub(crate) requests: BTreeMap<String, Requested>,
    /// The orders whose deliveries were answered as completed.
    pub(crate) delivered: BTreeSet<String>,
    /// Answers that nobody should ever get.
    pub(crate) wrong: Vec<String>,
}

/// What a customer was told of one order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requested {
    pub(crate) phone: String,
    /// `None` if it never was answered.
    pub(crate) order: Option<Order>,
    pub(crate) paid: bool,
    pub(crate) cancelled: bool,
}

// === impl Notes ===

impl Notes {
    pub(crate) fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many orders were answered.
    pub(crate) fn orders(&self) -> usize {
        self.said().requests.values().filter(|requested| requested.order.is_some()).count()
    }

    pub(crate) fn note(&self, request_id: &str, change: impl FnOnce(&mut Requested)) {
        change(self.said().requests.entry(request_id.to_owned()).or_default());
    }

    pub(crate) fn wrong(&self, what: String) {
        self.said().wrong.push(what);
    }
}
