//! What is rung when something happened, in this process or in another replica.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use highstreet_domain::kernel::Signal;
use highstreet_domain::kernel::ports::Wake;
use highstreet_foundation::encoded::EncodedAppend;
use highstreet_foundation::newest::{Doubts, Newest};

use crate::fresh::Fresh;

/// A replica that was heard, and is not to be seen, is thought to be there for so many looks: one of an earlier version
/// does not show itself.
const LOOKS: u32 = 5;

/// The bells of one schema in one process.
#[derive(Default)]
pub(crate) struct Bells {
    /// Something is to be published.
    pub(crate) published: Signal,
    /// What of that need not be asked for.
    pub(crate) fresh: Fresh,
    /// A stream changed.
    pub(crate) changed: Signal,
    /// Something is due earlier than the agenda's reader thought.
    pub(crate) due: Signal,
    /// A view's row changed.
    pub(crate) viewed: Signal,
    /// What those who watch views need not ask for.
    pub(crate) newest: Newest,
    /// When the agenda's reader will look again, in microseconds since the epoch.
    pub(crate) next_look: AtomicI64,
    /// Others are to be told.
    pub(crate) telling: Signal,
    untold: AtomicBool,
    others: Others,
}

/// For how many looks more others are thought to be there: until the first, in any case.
struct Others(AtomicU32);

// === impl Bells ===

impl Bells {
    /// These were committed, with what is to be published of them at these positions.
    pub(crate) fn appended<'a>(&self, appends: impl Iterator<Item = &'a EncodedAppend> + Clone, positions: &[i64]) {
        self.fresh.committed(appends.clone(), positions);
        self.ring_for(appends);
    }

    /// These may have been committed, which whoever looks will see.
    pub(crate) fn perhaps_appended<'a>(&self, appends: impl Iterator<Item = &'a EncodedAppend>) {
        self.fresh.look();
        self.ring_for(appends);
    }

    fn ring_for<'a>(&self, appends: impl Iterator<Item = &'a EncodedAppend>) {
        let mut publishes = false;
        for append in appends {
            publishes |= append.events.iter().any(|event| event.published.is_some());
            self.wake_for(append.wake);
        }
        if publishes {
            self.published.ring();
        }
        self.changed.ring();
        self.tell();
    }

    /// Something is to be published that was not committed here.
    pub(crate) fn to_publish(&self) {
        self.fresh.look();
        self.published.ring();
    }

    /// Rows of a view were written, up to this cursor.
    pub(crate) fn saved(&self, view: &str, cursor: u64, doubts: Doubts) {
        self.newest.saved(view, cursor, doubts);
        self.viewed.ring();
        self.tell();
    }

    /// Rows of views were written, or may have been.
    pub(crate) fn rewritten(&self) {
        self.newest.doubt();
        self.viewed.ring();
        self.tell();
    }

    /// Something is due at `at`, in microseconds since the epoch: rings if that is before the agenda's reader looks
    /// again.
    pub(crate) fn due_at(&self, at: i64) {
        if at < self.next_look.load(Ordering::SeqCst) {
            self.due.ring();
        }
    }

    /// Others did something: rings all but the agenda's, as that one is looked at by everybody in turn.
    pub(crate) fn ring(&self) {
        self.newest.doubt();
        self.to_publish();
        self.changed.ring();
        self.viewed.ring();
    }

    /// Another replica says that something happened, or that it is there. It has not heard yet what was done while it
    /// was thought that nobody listens.
    pub(crate) fn heard_another(&self) {
        if self.others.0.swap(LOOKS, Ordering::SeqCst) == 0 {
            self.tell();
        }
        self.ring();
    }

    /// So many replicas show themselves, this one among them.
    pub(crate) fn saw_replicas(&self, count: i64) {
        let fewer = |looks: u32| Some(if count > 1 { LOOKS } else { looks.saturating_sub(1) });
        // It always has a value.
        let _ = self.others.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
    }

    /// Whether nobody is there to be told.
    pub(crate) fn is_alone(&self) -> bool {
        self.others.0.load(Ordering::SeqCst) == 0
    }

    /// Has other replicas told, soon, that something happened.
    pub(crate) fn tell(&self) {
        if !self.untold.swap(true, Ordering::SeqCst) {
            self.telling.ring();
        }
    }

    /// Whether something happened that others are to be told, and that this call now takes charge of.
    pub(crate) fn take_untold(&self) -> bool {
        self.untold.swap(false, Ordering::SeqCst)
    }

    fn wake_for(&self, wake: Wake) {
        if let Wake::At { at, .. } | Wake::Leased { until: at, .. } = wake {
            self.due_at(at.as_micros());
        }
    }
}

// === impl Others ===

impl Default for Others {
    fn default() -> Self {
        Self(AtomicU32::new(1))
    }
}
