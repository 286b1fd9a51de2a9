//! What lending tells, and what it hears.

use highstreet_domain::kernel::{Happened, Id, Message, ProductId, Published, Undecodable};
use highstreet_domain::lending::{BookFact, CONTEXT, Copy, Event, Fact, Reservation};

use crate::Hears;
use crate::convert::{body, case, header, heard, own, published, unknown};
use crate::proto::{inventory, lending};
use crate::stock;

/// What lending listens to.
pub const HEARS: Hears = &[("inventory", &["StockWithdrawn", "StockShort"])];

/// What its list of books is folded from.
pub const BOOKS: Hears = stock::HEARS;

/// How lending's events are told.
pub fn publish(happened: &Happened<'_, Reservation>) -> Option<Published> {
    let details = happened.state.details()?;
    let header = header(&happened.state.case(happened.id)?, happened.revision, happened.origin);
    let (reservation_id, book_id) = (happened.id.to_string(), details.book.to_string());
    match happened.event {
        Event::Requested(_) => {
            published("ReservationRequested", &lending::ReservationRequested { header, reservation_id, book_id })
        }
        Event::Confirmed => {
            published("ReservationConfirmed", &lending::ReservationConfirmed { header, reservation_id, book_id })
        }
        Event::Failed => {
            published("ReservationFailed", &lending::ReservationFailed { header, reservation_id, book_id })
        }
        Event::Cancelled => {
            let confirmed = matches!(happened.state, Reservation::Cancelled { copy: Copy::Kept, .. });
            let event = lending::ReservationCancelled { header, reservation_id, book_id, confirmed };
            published("ReservationCancelled", &event)
        }
    }
}

/// What lending makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("inventory", "StockWithdrawn") => {
            let event = body::<inventory::StockWithdrawn>(message)?;
            own(CONTEXT, &case(event.header.as_ref())?.root)?.map(Id::new).map(Fact::CopyTaken)
        }
        ("inventory", "StockShort") => {
            let event = body::<inventory::StockShort>(message)?;
            own(CONTEXT, &case(event.header.as_ref())?.root)?.map(Id::new).map(Fact::NoCopyLeft)
        }
        _ => return Err(unknown(message)),
    })
}

/// What its list of books makes of what inventory tells.
pub fn see_book(message: &Message) -> Result<Option<BookFact>, Undecodable> {
    let stock = stock::read(message)?;
    let book = heard("sku", ProductId::parse(&stock.sku))?;
    Ok(Some(BookFact {
        shop: stock.shop,
        book,
        title: stock.product_name,
        available: stock.on_hand,
        revision: stock.revision,
    }))
}
