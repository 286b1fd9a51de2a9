//! What payment tells, and what it hears.

use highstreet_domain::kernel::{Happened, Message, Note, Published, Undecodable};
use highstreet_domain::payment::{By, Event, Fact, Payment, Refund};

use crate::Hears;
use crate::convert::{body, case, header, method, money, published, reference, unknown};
use crate::proto::{booking, ordering, payment};

/// What payment listens to.
pub const HEARS: Hears = &[
    ("ordering", &["OrderCancelled", "OrderCompleted"]),
    ("booking", &["BookingCancelled", "BookingCompleted", "BookingFailed"]),
];

/// How payment's events are told. A cancellation that came before its request concerns nobody else.
pub fn publish(happened: &Happened<'_, Payment>) -> Option<Published> {
    let bill = happened.state.bill()?;
    let header = header(&bill.case, happened.revision, happened.origin);
    let payment_id = happened.id.to_string();
    let order = Some(reference(&bill.order));
    let amount = Some(money(&bill.amount));
    match happened.event {
        Event::Requested(_) => {
            let method = method(bill.method).into();
            published("PaymentRequested", &payment::PaymentRequested { header, payment_id, order, amount, method })
        }
        Event::Approved { .. } => {
            published("PaymentApproved", &payment::PaymentApproved { header, payment_id, order, amount })
        }
        Event::Declined { reason } => {
            let reason = reason.clone();
            published("PaymentDeclined", &payment::PaymentDeclined { header, payment_id, order, reason })
        }
        Event::Cancelled(cancellation) => {
            let event = payment::PaymentCancelled {
                header,
                payment_id,
                order,
                reason: cancellation.reason.to_string(),
                by_staff: cancellation.by == By::Staff,
                screening_id: bill.screening.as_ref().map(ToString::to_string).unwrap_or_default(),
                refund_due: matches!(happened.state, Payment::Cancelled { refund: Refund::Due { .. }, .. }),
            };
            published("PaymentCancelled", &event)
        }
        Event::Refunded => {
            published("PaymentRefunded", &payment::PaymentRefunded { header, payment_id, order, amount })
        }
        Event::Started { .. } | Event::NotCharged | Event::CancellationRequested(_) | Event::Closed => None,
    }
}

/// What payment makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("ordering", "OrderCancelled") => {
            let event = body::<ordering::OrderCancelled>(message)?;
            let reason = Note::parse(event.reason().as_str_name().trim_start_matches("CANCEL_REASON_"));
            let order = case(event.header.as_ref())?.root;
            Some(Fact::OrderCancelled { order, reason: reason.unwrap_or_default() })
        }
        ("ordering", "OrderCompleted") => {
            let event = body::<ordering::OrderCompleted>(message)?;
            Some(Fact::OrderCompleted { order: case(event.header.as_ref())?.root })
        }
        ("booking", "BookingCancelled") => {
            let event = body::<booking::BookingCancelled>(message)?;
            let reason = Note::parse(event.reason().as_str_name().trim_start_matches("CANCEL_REASON_"));
            let order = case(event.header.as_ref())?.root;
            Some(Fact::OrderCancelled { order, reason: reason.unwrap_or_default() })
        }
        ("booking", "BookingFailed") => {
            let event = body::<booking::BookingFailed>(message)?;
            let reason = Note::parse(event.reason().as_str_name().trim_start_matches("FAIL_REASON_"));
            let order = case(event.header.as_ref())?.root;
            // Who lost a race for a seat never came as far as payment, and leaves no trace here.
            event.payment_requested.then(|| Fact::OrderCancelled { order, reason: reason.unwrap_or_default() })
        }
        ("booking", "BookingCompleted") => {
            let event = body::<booking::BookingCompleted>(message)?;
            Some(Fact::OrderCompleted { order: case(event.header.as_ref())?.root })
        }
        _ => return Err(unknown(message)),
    })
}
