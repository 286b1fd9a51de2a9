//! What ordering tells, and what it hears.

use highstreet_domain::kernel::{Happened, Id, Message, Published, Undecodable};
use highstreet_domain::ordering::{CONTEXT, CancelReason, Event, Fact, Line, Order};

use crate::Hears;
use crate::convert::{body, header, heard_reference, method, money, own, published, quantity, timestamp, unknown};
use crate::proto::{common, delivery, ordering, payment};

/// What ordering listens to.
pub const HEARS: Hears = &[("payment", &["PaymentApproved", "PaymentCancelled"]), ("delivery", &["Delivered"])];

/// How ordering's events are told. Until payment has registered an order, nobody else hears of it.
pub fn publish(happened: &Happened<'_, Order>) -> Option<Published> {
    let placed = happened.state.placed()?;
    let case = happened.state.case(happened.id)?;
    let header = header(&case, happened.revision, happened.origin);
    let order_id = happened.id.to_string();
    let customer_phone = placed.details.customer.to_string();
    match happened.event {
        Event::Submitted(_) | Event::GivenUp | Event::Rejected { .. } => None,
        Event::Placed { payment } => {
            let event = ordering::OrderPlaced {
                header,
                order_id,
                customer_phone,
                lines: lines(&placed.details.lines),
                total: Some(money(&placed.details.total)),
                payment_id: payment.clone(),
                payment_method: method(placed.details.method).into(),
                pay_by: Some(timestamp(placed.details.pay_by)),
            };
            published("OrderPlaced", &event)
        }
        Event::Paid => {
            let payment_id = placed.payment.clone();
            let lines = lines(&placed.details.lines);
            published("OrderPaid", &ordering::OrderPaid { header, order_id, customer_phone, payment_id, lines })
        }
        Event::Completed => published("OrderCompleted", &ordering::OrderCompleted { header, order_id }),
        Event::Cancelled { reason, .. } => {
            let paid = matches!(happened.state, Order::Cancelled { paid: highstreet_domain::ordering::Paid::Yes, .. });
            let reason = cancel_reason(*reason).into();
            published("OrderCancelled", &ordering::OrderCancelled { header, order_id, reason, paid, customer_phone })
        }
    }
}

/// What ordering makes of what others tell.
pub fn hear(message: &Message) -> Result<Option<Fact>, Undecodable> {
    Ok(match (&*message.source, message.name.as_str()) {
        ("payment", "PaymentApproved") => {
            let approved = body::<payment::PaymentApproved>(message)?;
            own_order(approved.order.as_ref())?
                .map(|order| Fact::PaymentApproved { order, payment: approved.payment_id })
        }
        ("payment", "PaymentCancelled") => {
            let cancelled = body::<payment::PaymentCancelled>(message)?;
            own_order(cancelled.order.as_ref())?.filter(|_| cancelled.by_staff).map(Fact::PaymentCancelledByStaff)
        }
        ("delivery", "Delivered") => {
            own_order(body::<delivery::Delivered>(message)?.order.as_ref())?.map(Fact::Delivered)
        }
        _ => return Err(unknown(message)),
    })
}

/// The order referred to; `None` if it is another context's.
fn own_order(order: Option<&common::Reference>) -> Result<Option<Id<Order>>, Undecodable> {
    Ok(own(CONTEXT, &heard_reference(order)?)?.map(Id::new))
}

/// The lines of an order on the wire.
pub fn lines(lines: &[Line]) -> Vec<ordering::OrderLine> {
    lines
        .iter()
        .map(|line| ordering::OrderLine {
            product_id: line.item.product.to_string(),
            product_name: line.item.name.to_string(),
            quantity: quantity(line.item.quantity),
            unit_price: Some(money(&line.unit_price)),
        })
        .collect()
}

/// A reason on the wire.
pub fn cancel_reason(reason: CancelReason) -> ordering::CancelReason {
    match reason {
        CancelReason::Customer => ordering::CancelReason::Customer,
        CancelReason::Expired => ordering::CancelReason::Expired,
        CancelReason::PaymentCancelled => ordering::CancelReason::PaymentCancelled,
    }
}
