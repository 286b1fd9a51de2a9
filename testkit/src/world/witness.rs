//! What the people of the world were told, to be compared with what is there in the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use highstreet_domain::booking::Booking;
use highstreet_domain::kernel::Id;
use highstreet_domain::lending::Reservation;
use highstreet_domain::ordering::Order;
use highstreet_domain::payment::Payment;
use highstreet_domain::replenishment;
use highstreet_domain::sales::Purchase;
use highstreet_domain::ticketing::Ticket;
use uuid::Uuid;

use crate::lock;

/// Remembers answers. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Witness(Arc<Mutex<Testimony>>);

/// What was answered.
#[derive(Clone, Default)]
pub(super) struct Testimony {
    /// Under each `request_id`, the orders that may have come of it.
    pub(super) tried: BTreeMap<Uuid, Vec<Id<Order>>>,
    /// Orders that were answered as placed.
    pub(super) placed: Vec<Id<Order>>,
    /// Orders whose payment was answered as approved.
    pub(super) paid: Vec<Id<Order>>,
    /// Payments that somebody found in a list and paid, whoever else was paying them.
    pub(super) listed: Vec<Id<Payment>>,
    /// Orders that were answered as cancelled.
    pub(super) cancelled: Vec<Id<Order>>,
    /// Orders whose payment staff were told is cancelled.
    pub(super) payment_cancelled: Vec<Id<Order>>,
    /// Orders at head office that were answered as placed.
    pub(super) replenished: Vec<Id<replenishment::Order>>,
    /// Purchases that were answered as recorded.
    pub(super) purchased: Vec<Id<Purchase>>,
    /// Purchases that were answered as cancelled.
    pub(super) returned: Vec<Id<Purchase>>,
    /// Reservations that were answered as taken.
    pub(super) reserved: Vec<Id<Reservation>>,
    /// Reservations that were answered as cancelled.
    pub(super) given_back: Vec<Id<Reservation>>,
    /// Bookings that were answered as confirmed.
    pub(super) confirmed: Vec<Id<Booking>>,
    /// Tickets that were answered as collected.
    pub(super) collected: Vec<Id<Ticket>>,
    /// What should not have been answered.
    pub(super) wrong: Vec<String>,
}

// === impl Witness ===

impl Witness {
    pub(super) fn remember(&self, what: impl FnOnce(&mut Testimony)) {
        what(&mut lock(&self.0));
    }

    pub(super) fn wrong(&self, what: String) {
        self.remember(|testimony| testimony.wrong.push(what));
    }

    pub(super) fn testimony(&self) -> Testimony {
        lock(&self.0).clone()
    }
}
