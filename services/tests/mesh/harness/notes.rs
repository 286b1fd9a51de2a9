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
    /// What was answered in the other shops, by what each request is told from all others by.
    pub(crate) cases: BTreeMap<String, Case>,
    /// How these ended, by context and id, as somebody was told.
    pub(crate) ended: BTreeMap<(&'static str, String), &'static str>,
    /// The bookings that were answered as paid.
    pub(crate) paid: BTreeSet<String>,
    /// How many copies of each book were to be received, and how many certainly were.
    pub(crate) copies: BTreeMap<String, (i64, i64)>,
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

/// A booking, purchase, reservation or order of goods that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) context: &'static str,
    pub(crate) id: String,
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

    // === The other shops ===

    pub(crate) fn answered(&self, mark: &str, context: &'static str, id: &str) {
        self.said().cases.insert(mark.to_owned(), Case { context, id: id.to_owned() });
    }

    pub(crate) fn ended(&self, context: &'static str, id: &str, status: &'static str) {
        let before = self.said().ended.insert((context, id.to_owned()), status);
        if before.is_some_and(|before| before != status) {
            self.wrong(format!("{context} {id} was answered as {before:?} and as {status}"));
        }
    }

    pub(crate) fn paid(&self, booking: &str) {
        self.said().paid.insert(booking.to_owned());
    }

    /// So many copies of a book are to be received, or certainly were.
    pub(crate) fn receives(&self, book: &str, quantity: i32, certainly: bool) {
        let mut said = self.said();
        let (wanted, certain) = said.copies.entry(book.to_owned()).or_default();
        *if certainly { certain } else { wanted } += i64::from(quantity);
    }

    /// How many were answered in a context.
    pub(crate) fn cases(&self, context: &str) -> usize {
        self.said().cases.values().filter(|case| case.context == context).count()
    }
}
