//! What must hold once the world has settled.

use std::collections::BTreeMap;

use highstreet_domain::delivery::{Delivery, Recalled};
use highstreet_domain::kernel::{Aggregate, Id, Money, Phone};
use highstreet_domain::kitchen::Preparation;
use highstreet_domain::notification::Notification;
use highstreet_domain::ordering::Order;
use highstreet_domain::payment::{By, Closing, Payment, Refund};
use uuid::Uuid;

use super::Tally;
use super::shop::{Context, Shop, notifications};
use super::witness::Witness;

/// Looks at a settled world, and collects what does not hold.
struct Inspection<'a> {
    shop: &'a Shop,
    broken: Vec<String>,
}

/// Everything that does not hold.
pub(super) fn broken(shop: &Shop, witness: &Witness) -> Vec<String> {
    let mut inspection = Inspection { shop, broken: witness.testimony().wrong };
    let orders = shop.ordering.streams.all();
    for (id, standing) in &orders {
        inspection.order(*id, &standing.state);
    }
    inspection.every_payment_has_its_order();
    inspection.every_charge_is_once();
    inspection.stamps_are_drinks(&orders.iter().map(|(_, standing)| &standing.state).collect::<Vec<_>>());
    inspection.everybody_was_told();
    inspection.answers_were_true(witness);
    inspection.nothing_is_left_over();
    inspection.broken
}

/// What the world did.
pub(super) fn tally(shop: &Shop, deaths: usize) -> Tally {
    let orders = shop.ordering.streams.all();
    let count = |is: fn(&Order) -> bool| orders.iter().filter(|(_, standing)| is(&standing.state)).count();
    let charges = shop.provider.charges();
    Tally {
        orders: count(|order| order.placed().is_some()),
        completed: count(|order| matches!(order, Order::Completed(_))),
        cancelled: count(|order| matches!(order, Order::Cancelled { .. })),
        given_up: count(|order| matches!(order, Order::Rejected { .. })),
        charges: charges.len(),
        refunds: charges.iter().map(|charge| charge.refunds.len()).sum(),
        deaths,
        steps: shop.sim.polled(),
    }
}

/// The chronicle, and what became of everything.
pub(super) fn story(shop: &Shop, lines: &[String]) -> Vec<String> {
    let mut story = lines.to_vec();
    story.extend(histories(&shop.ordering));
    story.extend(histories(&shop.payment));
    story.extend(histories(&shop.kitchen));
    story.extend(histories(&shop.delivery));
    story.extend(histories(&shop.loyalty));
    story.extend(shop.provider.charges().iter().map(|charge| format!("{charge:?}")));
    story
}

fn histories<A: Aggregate>(context: &Context<A>) -> Vec<String> {
    let all = context.streams.all().into_iter();
    all.map(|(id, _)| format!("{} {id}: {:?}", A::NAME, context.streams.events(id))).collect()
}

// === impl Inspection ===

impl Inspection<'_> {
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }

    /// Payment, money, preparation, delivery and trace of one order agree with it.
    fn order(&mut self, id: Id<Order>, order: &Order) {
        let reference = Order::reference(id);
        let payment = self.shop.payment.streams.standing(Id::made_for(&reference)).state;
        let preparation = self.shop.kitchen.streams.standing(Id::made_for(&reference)).state;
        let delivery = self.shop.delivery.streams.standing(Id::made_for(&reference)).state;
        let money = self.money_for(&reference.to_string(), Id::<Payment>::made_for(&reference));
        let trace = self.shop.traces.all().into_iter().find(|row| row.key == reference.to_string());
        let trace = trace.map_or(String::new(), |row| row.view.status);
        self.must(payment_agrees(order, &payment), || format!("{id} is {order:?}, its payment {payment:?}"));
        self.must(money == owed(order, &payment), || format!("{money:?} is held for {id}, which is {order:?}"));
        self.must(kitchen_agrees(order, &preparation), || format!("{id} is {order:?}, made: {preparation:?}"));
        self.must(delivery_agrees(order, &preparation, &delivery), || {
            format!("{id} is {order:?}, delivered: {delivery:?}")
        });
        self.must(trace_agrees(order, &trace), || format!("{id} is {order:?}, its trace says {trace:?}"));
    }

    /// What the provider holds for a payment: taken, and not given back.
    fn money_for(&mut self, order: &str, payment: Id<Payment>) -> Option<Money> {
        let mut held = None;
        for charge in self.shop.provider.charges() {
            if charge.payment == payment.to_string() && charge.refunds.is_empty() {
                self.must(held.is_none(), || format!("money for {order} is held twice"));
                held = Some(charge.amount);
            }
        }
        held
    }

    fn every_payment_has_its_order(&mut self) {
        for (id, standing) in self.shop.payment.streams.all() {
            let Some(bill) = standing.state.bill() else { continue };
            let Ok(order) = Uuid::parse_str(&bill.order.id).map(Id::new) else { continue };
            let exists = self.shop.ordering.streams.standing(order).state.placed().is_some();
            let cancelled = matches!(standing.state, Payment::Cancelled { .. });
            self.must(exists || cancelled, || format!("payment {id} lives without an order: {:?}", standing.state));
        }
    }

    fn every_charge_is_once(&mut self) {
        let mut charges: BTreeMap<String, usize> = BTreeMap::new();
        for charge in self.shop.provider.charges() {
            *charges.entry(charge.payment.clone()).or_default() += 1;
            self.must(charge.refunds.len() <= 1, || format!("{} was refunded twice", charge.payment));
        }
        for (payment, times) in charges {
            self.must(times == 1, || format!("{payment} was charged {times} times"));
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
        let mut stamps: BTreeMap<String, i64> = BTreeMap::new();
        for (_, standing) in self.shop.loyalty.streams.all() {
            let member = standing.state.name.map_or(String::new(), |name| name.member);
            let member = Phone::parse(&member).map_or(member, |phone| phone.key());
            stamps.insert(member, standing.state.balance);
        }
        stamps.retain(|_, balance| *balance != 0);
        self.must(stamps == drinks, || format!("stamps are {stamps:?}, drinks {drinks:?}"));
    }

    /// One notification per event and recipient, each sent.
    fn everybody_was_told(&mut self) {
        let mut expected = 0;
        for message in self.shop.bus.log() {
            // What notification does not listen to, nobody has to be told of.
            for (id, _) in notifications(&message).unwrap_or_default() {
                expected += 1;
                let state = self.shop.notification.streams.standing(id).state;
                let sent = matches!(state, Notification::Sent(_)) && self.shop.carrier.sent(&id.to_string()) > 0;
                self.must(sent, || format!("nobody was told of {}: {state:?}", message.name));
            }
        }
        let written = self.shop.notification.streams.all().len();
        self.must(written == expected, || format!("{written} notifications of {expected} events"));
    }

    fn answers_were_true(&mut self, witness: &Witness) {
        let testimony = witness.testimony();
        let order = |id: &Id<Order>| self.shop.ordering.streams.standing(*id).state;
        let mut broken = Vec::new();
        for id in testimony.placed.iter().filter(|id| order(id).placed().is_none()) {
            broken.push(format!("{id} was answered as placed, and is not there"));
        }
        for id in testimony.cancelled.iter().filter(|id| !matches!(order(id), Order::Cancelled { .. })) {
            broken.push(format!("{id} was answered as cancelled, and is not"));
        }
        for id in &testimony.paid {
            let payment = Id::<Payment>::made_for(&Order::reference(*id)).to_string();
            if !self.shop.provider.charges().iter().any(|charge| charge.payment == payment) {
                broken.push(format!("{id} was answered as paid, and is not"));
            }
        }
        for id in &testimony.payment_cancelled {
            let payment = self.shop.payment.streams.standing(Id::made_for(&Order::reference(*id))).state;
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

    fn nothing_is_left_over(&mut self) {
        for dead in self.shop.bus.dead_letters() {
            self.broken.push(format!("a dead letter: {dead:?}"));
        }
        for host in self.shop.hosts() {
            self.must(host.store.unpublished() == 0, || format!("{} has not published everything", host.name));
        }
        let mut waiting = Vec::new();
        waiting.extend(self.shop.ordering.streams.waiting().into_iter().map(|it| format!("order {it:?}")));
        waiting.extend(self.shop.payment.streams.waiting().into_iter().map(|it| format!("payment {it:?}")));
        waiting.extend(self.shop.notification.streams.waiting().into_iter().map(|it| format!("notification {it:?}")));
        self.broken.extend(waiting.into_iter().map(|what| format!("still waiting: {what}")));
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
