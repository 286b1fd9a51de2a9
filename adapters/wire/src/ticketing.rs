//! What ticketing tells, and what it hears.

use highstreet_domain::kernel::{Happened, Message, ProductName, Published, ScreeningId, Seats, Undecodable};
use highstreet_domain::ticketing::{Admission, Event, Fact, Ticket};

use crate::Hears;
use crate::convert::{body, case, header, heard, heard_money, missing, money, published, reference, unknown};
use crate::proto::{booking, ticketing};

/// What ticketing listens to.
pub const HEARS: Hears = &[("booking", &["BookingConfirmed"])];

/// How ticketing's events are told. A ticket that was cancelled before it was issued is told of once it is known what it
/// would have been.
pub fn publish(happened: &Happened<'_, Ticket>) -> Option<Published> {
    let admission = happened.state.admission()?;
    let header = header(&admission.case, happened.revision, happened.origin);
    let ticket_id = happened.id.to_string();
    let booking = Some(reference(&admission.case.root));
    let screening_id = admission.screening.to_string();
    let movie_name = admission.movie.to_string();
    let seats = admission.seats.names();
    let granted = |attempt| Some(reference(&Ticket::granted_for(happened.id, attempt)));
    match happened.event {
        Event::Issued(_) => {
            let total_price = Some(money(&admission.price));
            let event =
                ticketing::TicketIssued { header, ticket_id, booking, screening_id, movie_name, seats, total_price };
            published("TicketIssued", &event)
        }
        Event::Collected { attempt } => {
            let reference = granted(*attempt);
            let event =
                ticketing::TicketCollected { header, ticket_id, booking, screening_id, movie_name, seats, reference };
            published("TicketCollected", &event)
        }
        Event::CollectionGivenUp { attempt } => {
            let reference = granted(*attempt);
            let event = ticketing::TicketCollectionGivenUp { header, ticket_id, booking, reference };
            published("TicketCollectionGivenUp", &event)
        }
        Event::Cancelled { .. } | Event::Voided(_) => {
            let attempt = match happened.event {
                Event::Cancelled { attempt } => *attempt,
                _ => None,
            };
            let reference = attempt.and_then(granted);
            let event =
                ticketing::TicketCancelled { header, ticket_id, booking, screening_id, movie_name, seats, reference };
            published("TicketCancelled", &event)
        }
        Event::CollectionStarted { .. } | Event::CollectionNotBegun | Event::CollectionRefused { .. } => None,
    }
}

/// What ticketing makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("booking", "BookingConfirmed") => {
            let event = body::<booking::BookingConfirmed>(message)?;
            Some(Fact::BookingConfirmed(Admission {
                case: case(event.header.as_ref())?,
                screening: heard("screening_id", ScreeningId::parse(&event.screening_id))?,
                movie: heard("movie_name", ProductName::parse(&event.movie_name))?,
                seats: heard("seats", Seats::parse(&event.seats))?,
                price: heard_money(event.total_price.as_ref().ok_or_else(|| missing("total_price"))?)?,
            }))
        }
        _ => return Err(unknown(message)),
    })
}
