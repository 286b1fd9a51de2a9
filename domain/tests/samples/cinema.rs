//! The things that tests book, seat and let in.

use std::time::Duration;

use highstreet_domain::booking::{self, Booking, Details};
use highstreet_domain::kernel::{Case, Id, Payer, PaymentMethod, ProductName, Quantity, ScreeningId, Seats};
use highstreet_domain::seating::{Change, Guest, Hall, ScreeningName};
use highstreet_domain::ticketing::Admission;
use uuid::Uuid;

use super::{MINA, QUARTER_HOUR, now, shop, won};

pub(crate) const HALF_HOUR: Duration = Duration::from_mins(30);

pub(crate) fn booking_id() -> Id<Booking> {
    Id::new(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0003))
}

pub(crate) fn booked() -> Case {
    Case { root: Booking::reference(booking_id()), shop: shop(), customer: MINA.into() }
}

pub(crate) fn screening() -> ScreeningId {
    ScreeningId::parse("soul").unwrap()
}

pub(crate) fn movie() -> ProductName {
    ProductName::parse("Soul").unwrap()
}

/// What is shown in a screening that nobody opened.
pub(crate) fn named_like_its_id() -> ProductName {
    ProductName::parse(screening().as_str()).unwrap()
}

pub(crate) fn seats(names: &[&str]) -> Seats {
    Seats::parse(names).unwrap()
}

// === Booking ===

pub(crate) fn book(seats: Option<Seats>) -> booking::Book {
    booking::Book {
        shop: shop(),
        customer: Payer::parse(MINA).unwrap(),
        screening: screening(),
        seats,
        quantity: Quantity::new(2).unwrap(),
        price: won(10_000),
        method: PaymentMethod::Card,
        pay_within: QUARTER_HOUR,
        select_within: HALF_HOUR,
    }
}

pub(crate) fn booking_details(seats: Option<Seats>) -> Details {
    let book = book(seats);
    Details {
        shop: book.shop,
        customer: book.customer,
        screening: book.screening,
        quantity: book.quantity,
        seats: book.seats,
        price: book.price,
        method: book.method,
        pay_by: now().after(QUARTER_HOUR),
        select_within: HALF_HOUR,
    }
}

// === Seating ===

pub(crate) fn screening_name() -> ScreeningName {
    ScreeningName { shop: shop(), screening: screening() }
}

/// A guest whose booking has this name.
pub(crate) fn guest(booking: &str) -> Guest {
    Guest { booking: booking.into(), customer: MINA.into() }
}

pub(crate) fn change(booking: &str, revision: u64) -> Change {
    Change { name: screening_name(), guest: guest(booking), revision }
}

pub(crate) fn hall(rows: u8, seats_per_row: u8) -> Hall {
    Hall { name: "IMAX".into(), rows, seats_per_row }
}

// === Ticketing ===

pub(crate) fn admission() -> Admission {
    Admission {
        case: booked(),
        screening: screening(),
        movie: movie(),
        seats: seats(&["1A", "2B"]),
        price: won(10_000),
    }
}
