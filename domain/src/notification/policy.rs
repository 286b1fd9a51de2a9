//! Who is told of what.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use uuid::Uuid;

use super::notification::{Command, Letter, Notification, Recipient, Role};
use super::templates::{Locale, text};
use crate::kernel::{Case, Id};

/// What notification listens for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The message it came in: one notification per message and recipient.
    pub message: Uuid,
    /// What it belongs to.
    pub case: Case,
    /// The event's name.
    pub event: String,
    /// What happened.
    pub happening: Happening,
}

/// What people are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// What happened in the coffee shop.
    Cafe(Cafe),
    /// What happened in a store.
    Store(Store),
    /// What happened in a library.
    Library(Library),
    /// What happened in a cinema.
    Cinema(Cinema),
}

/// What happens in the coffee shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cafe {
    /// A customer ordered.
    OrderPlaced {
        /// How many drinks.
        drinks: u64,
    },
    /// A customer paid.
    OrderPaid,
    /// The drinks are ready.
    PreparationReady,
    /// The customer has the drinks.
    OrderCompleted,
    /// An order was cancelled.
    OrderCancelled {
        /// Whether it had been paid.
        paid: bool,
    },
    /// An order was cancelled after it had been delivered.
    RecallRefused,
}

/// What happens in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// Head office has an order.
    OrderPlaced(Goods),
    /// Head office has shipped it.
    OrderShipped(Goods),
    /// It is in stock.
    OrderReceived(Goods),
    /// It was cancelled.
    OrderCancelled(Goods),
    /// It was shipped before it could be cancelled.
    CancellationRefused(Goods),
    /// Head office is about to ship.
    DeliveryScheduled,
    /// A delivery has arrived.
    Delivered,
    /// Somebody wanted more than there was.
    StockShort(Goods),
    /// There is little left.
    StockLow(Goods),
    /// Somebody bought something.
    Purchased(Goods),
    /// A purchase was cancelled.
    PurchaseCancelled {
        /// What had been bought.
        goods: Goods,
        /// Whether there was not enough of it.
        out_of_stock: bool,
    },
}

/// Some of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    /// The product's name; its number where the name is not known.
    pub name: String,
    /// How many: ordered, bought, wanted, or left.
    pub count: i64,
}

/// What happens in a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Library {
    /// A copy is kept for whoever reserved it.
    ReservationConfirmed,
    /// There was none left.
    ReservationFailed,
    /// A reservation was cancelled.
    ReservationCancelled,
}

/// What happens in a cinema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cinema {
    /// A customer booked, and is to pay.
    BookingReserved,
    /// The booking is paid; seats are to be picked.
    BookingPaid,
    /// Paid and seated.
    BookingConfirmed {
        /// The seats' names.
        seats: Vec<String>,
    },
    /// The ticket was collected.
    BookingCompleted,
    /// It was cancelled.
    BookingCancelled {
        /// Whether it was not paid, or seated, in time.
        expired: bool,
    },
    /// It was paid, and could not be carried out.
    BookingFailed,
}

/// The notifications that follow from `fact`, written in `locale`.
pub fn react(fact: &Fact, locale: Locale) -> Vec<(Id<Notification>, Command)> {
    let recipient = fact.happening.recipient(&fact.case);
    let id =
        Id::named(&[fact.message.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()), recipient.role.as_str()]);
    let letter = Letter {
        case: fact.case.clone(),
        recipient,
        event: fact.event.clone(),
        locale,
        text: text(&fact.happening, locale),
    };
    vec![(id, Command::Notify(letter))]
}

// === impl Happening ===

impl Happening {
    fn recipient(&self, case: &Case) -> Recipient {
        match self {
            Self::Cafe(Cafe::RecallRefused) => Recipient::role(Role::Staff),
            Self::Store(_) => Recipient::role(Role::Owner),
            Self::Cafe(_) | Self::Library(_) | Self::Cinema(_) => {
                Recipient { role: Role::Customer, name: case.customer.clone() }
            }
        }
    }
}

// === impl Recipient ===

impl Recipient {
    /// Whoever has this role, by no name of their own.
    fn role(role: Role) -> Self {
        Self { role, name: role.as_str().into() }
    }
}
