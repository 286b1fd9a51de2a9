//! What loyalty tells, and what it hears.

use highstreet_domain::kernel::{Case, Happened, Message, Published, Undecodable};
use highstreet_domain::loyalty::{Account, Event, Fact, Program};

use crate::Hears;
use crate::convert::{body, case, header, heard_reference, missing, published, reference, unknown};
use crate::proto::{common, loyalty, ordering, ticketing};

/// What loyalty listens to.
pub const HEARS: Hears =
    &[("ordering", &["OrderPaid", "OrderCancelled"]), ("ticketing", &["TicketCancelled", "TicketCollectionGivenUp"])];

/// How loyalty's events are told.
pub fn publish(happened: &Happened<'_, Account>) -> Option<Published> {
    let (Event::Earned { name, reference: of, amount, root, .. }
    | Event::Reversed { name, reference: of, amount, root, .. }) = happened.event;
    let case =
        Case { root: root.as_ref().unwrap_or(of).clone(), shop: name.shop.clone(), customer: name.member.clone() };
    let header = header(&case, happened.revision, happened.origin);
    let account_id = happened.id.to_string();
    let (member, program) = (name.member.clone(), program(name.program).into());
    let (reference, amount, balance) = (Some(reference(of)), *amount, happened.state.balance);
    match happened.event {
        Event::Earned { .. } => {
            published("Earned", &loyalty::Earned { header, account_id, program, member, reference, amount, balance })
        }
        Event::Reversed { .. } => published(
            "Reversed",
            &loyalty::Reversed { header, account_id, program, member, reference, amount, balance },
        ),
    }
}

/// What loyalty makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("ordering", "OrderPaid") => {
            let event = body::<ordering::OrderPaid>(message)?;
            let drinks = event.lines.iter().map(|line| u64::try_from(line.quantity).unwrap_or(0)).sum();
            Some(Fact::OrderPaid { case: case(event.header.as_ref())?, drinks })
        }
        ("ordering", "OrderCancelled") => {
            let event = body::<ordering::OrderCancelled>(message)?;
            event.paid.then(|| case(event.header.as_ref()).map(Fact::PaidOrderCancelled)).transpose()?
        }
        ("ticketing", "TicketCancelled") => {
            let event = body::<ticketing::TicketCancelled>(message)?;
            // As a rule nothing was granted for it.
            event.reference.map(|granted| revoked(event.header.as_ref(), &granted)).transpose()?
        }
        ("ticketing", "TicketCollectionGivenUp") => {
            let event = body::<ticketing::TicketCollectionGivenUp>(message)?;
            Some(revoked(event.header.as_ref(), &event.reference.ok_or_else(|| missing("reference"))?)?)
        }
        _ => return Err(unknown(message)),
    })
}

fn revoked(header: Option<&common::EventHeader>, granted: &common::Reference) -> Result<Fact, Undecodable> {
    Ok(Fact::PointsRevoked { case: case(header)?, reference: heard_reference(Some(granted))? })
}

/// A program on the wire.
pub fn program(program: Program) -> loyalty::Program {
    match program {
        Program::Stamps => loyalty::Program::Stamps,
        Program::Points => loyalty::Program::Points,
    }
}
