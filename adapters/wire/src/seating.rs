//! What seating tells, and what it hears.

use highstreet_domain::kernel::{Case, Happened, Message, Published, Reference, ScreeningId, Undecodable};
use highstreet_domain::seating::{Event, Fact, Guest, Screening, ScreeningName};

use crate::Hears;
use crate::convert::{body, case, header, heard, published, timestamp, unknown};
use crate::proto::{booking, common, payment, seating};

/// What seating listens to.
pub const HEARS: Hears = &[("booking", &["BookingFailed", "BookingCancelled"]), ("payment", &["PaymentCancelled"])];

/// How seating's events are told. A release that let go of nothing concerns nobody else.
pub fn publish(happened: &Happened<'_, Screening>) -> Option<Published> {
    let name = &happened.state.opened.as_ref()?.name;
    let screening_id = name.screening.to_string();
    let of = |root, customer: &str| {
        let case = Case { root, shop: name.shop.clone(), customer: customer.into() };
        header(&case, happened.revision, happened.origin)
    };
    let of_guest = |guest: &Guest| of(Reference::new("booking", &guest.booking), &guest.customer);
    match happened.event {
        Event::Opened { details, .. } => {
            let event = seating::ScreeningOpened {
                header: of(Reference::new("seating", happened.id.to_string()), ""),
                screening_id,
                movie_name: details.movie.to_string(),
                hall: details.hall.name.clone(),
                starts_at: details.starts_at.map(timestamp),
                rows: details.hall.rows.into(),
                seats_per_row: details.hall.seats_per_row.into(),
            };
            published("ScreeningOpened", &event)
        }
        Event::Held { guest, seats, until, .. } => {
            let (booking_id, seats, until) = (guest.booking.clone(), seats.names(), Some(timestamp(*until)));
            let event = seating::SeatsHeld { header: of_guest(guest), screening_id, booking_id, seats, until };
            published("SeatsHeld", &event)
        }
        Event::Assigned { guest, seats, .. } => {
            let (booking_id, seats) = (guest.booking.clone(), seats.names());
            let event = seating::SeatsAssigned { header: of_guest(guest), screening_id, booking_id, seats };
            published("SeatsAssigned", &event)
        }
        Event::Released { guest, seats, .. } => {
            let (booking_id, seats) = (guest.booking.clone(), seats.as_ref()?.names());
            let event =
                seating::SeatsReleased { header: of_guest(guest), screening_id, booking_id, seats, expired: false };
            published("SeatsReleased", &event)
        }
        Event::HoldExpired { guest, seats } => {
            let (booking_id, seats) = (guest.booking.clone(), seats.names());
            let event =
                seating::SeatsReleased { header: of_guest(guest), screening_id, booking_id, seats, expired: true };
            published("SeatsReleased", &event)
        }
    }
}

/// What seating makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("booking", "BookingFailed") => {
            let event = body::<booking::BookingFailed>(message)?;
            let (name, guest) = party(event.header.as_ref(), &event.screening_id)?;
            Some(Fact::BookingFailed { name, guest, revision: revision(event.header.as_ref()) })
        }
        ("booking", "BookingCancelled") => {
            let event = body::<booking::BookingCancelled>(message)?;
            let (name, guest) = party(event.header.as_ref(), &event.screening_id)?;
            let revision = revision(event.header.as_ref());
            // Where there is a payment its cancellation follows, and releases the seats.
            event.payment_id.is_empty().then_some(Fact::UnbilledBookingCancelled { name, guest, revision })
        }
        ("payment", "PaymentCancelled") => {
            let event = body::<payment::PaymentCancelled>(message)?;
            // Of anything but a booking it is of no concern.
            let booked = !event.screening_id.is_empty();
            let party = booked.then(|| party(event.header.as_ref(), &event.screening_id)).transpose()?;
            party.map(|(name, guest)| Fact::PaymentCancelled { name, guest })
        }
        _ => return Err(unknown(message)),
    })
}

fn party(header: Option<&common::EventHeader>, screening_id: &str) -> Result<(ScreeningName, Guest), Undecodable> {
    let case = case(header)?;
    let screening = heard("screening_id", ScreeningId::parse(screening_id))?;
    Ok((ScreeningName { shop: case.shop, screening }, Guest { booking: case.root.id, customer: case.customer }))
}

fn revision(header: Option<&common::EventHeader>) -> u64 {
    header.map_or(0, |header| header.revision.cast_unsigned())
}
