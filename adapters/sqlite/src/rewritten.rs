//! Tells whoever remembers something that it was rewritten in the file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use highstreet_domain::kernel::ports::{Loaded, Row};
use highstreet_domain::kernel::{Aggregate, Id, View};
use uuid::Uuid;

use highstreet_foundation::recent::Recent;

/// Told of a stream, and how old what is remembered of it must be at least.
type OfStream = Box<dyn Fn(Uuid, u64) + Send>;
/// Told of a row of a view: the view's name, the row's key, and the version it has now.
type OfRow = Box<dyn Fn(&str, &str, u64) + Send>;

/// Whoever remembers something of a file.
#[derive(Default)]
pub(crate) struct Rewritten {
    streams: Mutex<Vec<OfStream>>,
    rows: Mutex<Vec<OfRow>>,
}

// === impl Rewritten ===

impl Rewritten {
    pub(crate) fn watch_streams<A: Aggregate>(&self, recent: &Arc<Recent<Id<A>, Loaded<A>>>) {
        let recent: Weak<_> = Arc::downgrade(recent);
        lock(&self.streams).push(Box::new(move |id, age| {
            if let Some(recent) = recent.upgrade() {
                recent.forget(Id::new(id), age);
            }
        }));
    }

    pub(crate) fn watch_rows<V: View>(&self, view: &str, recent: &Arc<Recent<String, Row<V>>>) {
        let (recent, own): (Weak<_>, _) = (Arc::downgrade(recent), view.to_owned());
        lock(&self.rows).push(Box::new(move |view, key, version| {
            if let Some(recent) = recent.upgrade().filter(|_| view == own) {
                recent.forget(key.to_owned(), version);
            }
        }));
    }

    /// A stream was rewritten. To be called on the writer's thread.
    pub(crate) fn tell_of_stream(&self, id: Uuid, age: u64) {
        lock(&self.streams).iter().for_each(|told| told(id, age));
    }

    /// A row was rewritten. To be called on the writer's thread.
    pub(crate) fn tell_of_row(&self, view: &str, key: &str, version: u64) {
        lock(&self.rows).iter().for_each(|told| told(view, key, version));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
