//! The kinds of case, and how far each event brings one.

use super::trace::Step;
use crate::kernel::Reference;

/// What a trace is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An order of the coffee shop.
    Order,
    /// A store's order at the head office.
    Replenishment,
    /// A purchase in a store.
    Purchase,
    /// A reservation of a book.
    Reservation,
    /// A booking of a screening.
    Booking,
}

/// A status, and the events that bring a case there, as `(context, event)`.
type Rank = (&'static str, &'static [(&'static str, &'static str)]);

const ORDER: &[Rank] = &[
    ("ORDERED", &[("ordering", "OrderPlaced")]),
    ("PAID", &[("payment", "PaymentApproved"), ("ordering", "OrderPaid")]),
    ("READY", &[("kitchen", "PreparationReady")]),
    ("SHIPPED", &[("delivery", "Shipped")]),
    ("DELIVERED", &[("delivery", "Delivered")]),
    ("COMPLETED", &[("ordering", "OrderCompleted")]),
    ("CANCELLED", &[("ordering", "OrderCancelled")]),
];

const REPLENISHMENT: &[Rank] = &[
    ("PLACED", &[("replenishment", "OrderPlaced")]),
    ("CANCELLATION_PENDING", &[("replenishment", "OrderCancellationRequested")]),
    ("SHIPPED", &[("delivery", "Shipped"), ("replenishment", "OrderShipped")]),
    ("RECEIVED", &[("inventory", "StockReceived"), ("replenishment", "OrderReceived")]),
    ("CANCELLED", &[("replenishment", "OrderCancelled")]),
];

const PURCHASE: &[Rank] = &[("PURCHASED", &[("sales", "Purchased")]), ("CANCELLED", &[("sales", "PurchaseCancelled")])];

const RESERVATION: &[Rank] = &[
    ("REQUESTED", &[("lending", "ReservationRequested")]),
    ("CONFIRMED", &[("lending", "ReservationConfirmed")]),
    ("FAILED", &[("lending", "ReservationFailed")]),
    ("CANCELLED", &[("lending", "ReservationCancelled")]),
];

const BOOKING: &[Rank] = &[
    ("RESERVED", &[("booking", "BookingReserved")]),
    ("PAID", &[("payment", "PaymentApproved"), ("booking", "BookingPaid")]),
    ("CONFIRMED", &[("booking", "BookingConfirmed")]),
    ("CANCELLATION_PENDING", &[("booking", "BookingCancellationRequested")]),
    ("COMPLETED", &[("ticketing", "TicketCollected"), ("booking", "BookingCompleted")]),
    ("FAILED", &[("booking", "BookingFailed")]),
    ("CANCELLED", &[("booking", "BookingCancelled")]),
];

// === impl Kind ===

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Order, Self::Replenishment, Self::Purchase, Self::Reservation, Self::Booking];

    /// The kind of case that `root` is; `None` if it is none that is traced.
    pub fn of(root: &Reference) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.context() == root.context)
    }

    /// The context in which such a case begins.
    pub const fn context(self) -> &'static str {
        match self {
            Self::Order => "ordering",
            Self::Replenishment => "replenishment",
            Self::Purchase => "sales",
            Self::Reservation => "lending",
            Self::Booking => "booking",
        }
    }

    /// The statuses such a case passes, the furthest last.
    const fn ranks(self) -> &'static [Rank] {
        match self {
            Self::Order => ORDER,
            Self::Replenishment => REPLENISHMENT,
            Self::Purchase => PURCHASE,
            Self::Reservation => RESERVATION,
            Self::Booking => BOOKING,
        }
    }

    /// The furthest status that `steps` brought a case to; `None` if they brought it nowhere. By rank, not by arrival:
    /// a late message never takes a case back.
    pub(super) fn furthest(self, steps: &[Step]) -> Option<&'static str> {
        let reached = |(_, events): &&Rank| {
            steps.iter().any(|step| events.contains(&(step.context.as_str(), step.event.as_str())))
        };
        self.ranks().iter().rfind(reached).map(|(status, _)| *status)
    }
}
