//! What must hold of the coffee shop once the world has settled.

use std::collections::BTreeMap;

use highstreet_domain::delivery::{Delivery, Recalled};
use highstreet_domain::kernel::{Id, Money};
use highstreet_domain::kitchen::Preparation;
use highstreet_domain::loyalty::Program;
use highstreet_domain::ordering::{self, Order};
use highstreet_domain::payment::{By, Closing, Payment, Refund};
use uuid::Uuid;

use crate::world::invariants::Inspection;
use crate::world::witness::Testimony;

/// Collects what does not hold.
pub(in crate::world) fn inspect(inspection: &mut Inspection<'_>, testimony: &Testimony) {
    let orders = inspection.street.ordering.streams.all();
    for (id, standing) in &orders {
        inspection.order(*id, &standing.state);
    }
    inspection.every_payment_has_its_order();
    inspection.stamps_are_drinks(&orders.iter().map(|(_, standing)| &standing.state).collect::<Vec<_>>());
    inspection.orders_were_answered_truly(testimony);
}

impl Inspection<'_> {
    /// Payment, money, preparation, delivery and trace of one order agree with it.
    fn order(&mut self, id: Id<Order>, order: &Order) {
        let reference = Order::reference(id);
        let payment = self.street.payment.streams.standing(Id::made_for(&reference)).state;
        let preparation = self.street.kitchen.streams.standing(Id::made_for(&reference)).state;
        let delivery = self.street.delivery.streams.standing(Id::made_for(&reference)).state;
        let money = self.money_for(&reference.to_string(), Id::<Payment>::made_for(&reference));
        let trace = self.street.traces.all().into_iter().find(|row| row.key == reference.to_string());
        let trace = trace.map_or(String::new(), |row| row.view.status);
        self.must(payment_agrees(order, &payment), || format!("{id} is {order:?}, its payment {payment:?}"));
        self.must(money == owed(order, &payment), || format!("{money:?} is held for {id}, which is {order:?}"));
        self.must(kitchen_agrees(order, &preparation), || format!("{id} is {order:?}, made: {preparation:?}"));
        self.must(delivery_agrees(order, &preparation, &delivery), || {
            format!("{id} is {order:?}, delivered: {delivery:?}")
        });
        self.must(trace_agrees(order, &trace), || format!("{id} is {order:?}, its trace says {trace:?}"));
    }

    fn every_payment_has_its_order(&mut self) {
        for (id, standing) in self.street.payment.streams.all() {
            let Some(bill) = standing.state.bill() else { continue };
            let Ok(order) = Uuid::parse_str(&bill.order.id).map(Id::new) else { continue };
            if bill.order.context != ordering::CONTEXT {
                continue;
            }
            let exists = self.street.ordering.streams.standing(order).state.placed().is_some();
            let cancelled = matches!(standing.state, Payment::Cancelled { .. });
            self.must(exists || cancelled, || format!("payment {id} lives without an order: {:?}", standing.state));
        }
    }

    fn stamps_are_drinks(&mut self, orders: &[&Order]) {
        let mut drinks: BTreeMap<String, i64> = BTreeMap::new();
        for order in orders {
            if let Order::Paid(placed) | Order::Completed(placed) = order {
                let drunk = i64::try_from(placed.details.drinks()).unwrap_or(i64::MAX);
                *drinks.entry(placed.details.customer.key()).or_default() += drunk;
            }
        }
        let stamps = self.balances(Program::Stamps);
        self.must(stamps == drinks, || format!("stamps are {stamps:?}, drinks {drinks:?}"));
    }

    fn orders_were_answered_truly(&mut self, testimony: &Testimony) {
        let order = |id: &Id<Order>| self.street.ordering.streams.standing(*id).state;
        let mut broken = Vec::new();
        for id in testimony.placed.iter().filter(|id| order(id).placed().is_none()) {
            broken.push(format!("{id} was answered as placed, and is not there"));
        }
        for id in testimony.cancelled.iter().filter(|id| !matches!(order(id), Order::Cancelled { .. })) {
            broken.push(format!("{id} was answered as cancelled, and is not"));
        }
        for id in &testimony.paid {
            let payment = Id::<Payment>::made_for(&Order::reference(*id)).to_string();
            if !self.street.provider.charges().iter().any(|charge| charge.payment == payment) {
                broken.push(format!("{id} was answered as paid, and is not"));
            }
        }
        for id in &testimony.payment_cancelled {
            let payment = self.street.payment.streams.standing(Id::made_for(&Order::reference(*id))).state;
            if !matches!(payment, Payment::Cancelled { .. }) {
                broken.push(format!("the payment of {id} was answered as cancelled, and is not"));
            }
        }
        for (request_id, ids) in &testimony.tried {
            if ids.iter().filter(|id| order(id).placed().is_some()).count() > 1 {
                broken.push(format!("{request_id} placed more than one of {ids:?}"));
            }
        }
        self.broken.extend(broken);
    }
}

// === What agrees with an order ===

fn payment_agrees(order: &Order, payment: &Payment) -> bool {
    match (order, payment) {
        (Order::Paid(_), Payment::Approved { closing: Closing::Open, .. })
        | (Order::Completed(_), Payment::Approved { closing: Closing::Closed, .. })
        | (Order::Cancelled { .. }, Payment::Cancelled { bill: Some(_), refund: Refund::NotDue | Refund::Done, .. })
        | (
            Order::Rejected { .. },
            Payment::Unborn | Payment::Cancelled { refund: Refund::NotDue | Refund::Done, .. },
        ) => true,
        _ => given_back_by_staff(order, payment),
    }
}

/// Staff gave the money back after the drinks had arrived, before payment heard that they had.
fn given_back_by_staff(order: &Order, payment: &Payment) -> bool {
    matches!(order, Order::Completed(_))
        && matches!(payment, Payment::Cancelled { cancellation, refund: Refund::Done, .. } if cancellation.by == By::Staff)
}

/// What the provider is to hold for an order.
fn owed(order: &Order, payment: &Payment) -> Option<Money> {
    match order {
        Order::Paid(placed) | Order::Completed(placed) if !given_back_by_staff(order, payment) => {
            Some(placed.details.total)
        }
        _ => None,
    }
}

fn kitchen_agrees(order: &Order, preparation: &Preparation) -> bool {
    matches!(
        (order, preparation),
        (Order::Paid(_), Preparation::Preparing(_) | Preparation::Ready(_))
            | (Order::Completed(_), Preparation::Ready(_))
            | (Order::Cancelled { .. }, Preparation::Cancelled(_))
            | (Order::Rejected { .. }, Preparation::Unborn)
    )
}

fn delivery_agrees(order: &Order, preparation: &Preparation, delivery: &Delivery) -> bool {
    match (order, delivery) {
        (Order::Paid(_), Delivery::Unborn) => matches!(preparation, Preparation::Preparing(_)),
        (Order::Paid(_), Delivery::Preparing(_) | Delivery::Shipped(_)) => matches!(preparation, Preparation::Ready(_)),
        (Order::Completed(_), Delivery::Delivered { recalled: Recalled::No, .. })
        // What was delivered before its order was cancelled stays delivered, and staff are told.
        | (Order::Cancelled { .. }, Delivery::Cancelled(_) | Delivery::Delivered { recalled: Recalled::InVain, .. })
        | (Order::Rejected { .. }, Delivery::Unborn) => true,
        _ => false,
    }
}

fn trace_agrees(order: &Order, trace: &str) -> bool {
    match order {
        Order::Paid(_) => ["PAID", "READY", "SHIPPED"].contains(&trace),
        Order::Completed(_) | Order::Cancelled { .. } | Order::Rejected { .. } => trace == order.status(),
        _ => false,
    }
}
