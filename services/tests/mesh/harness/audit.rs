//! What must hold once nothing changes any more.

use std::collections::BTreeMap;
use std::time::Duration;

use highstreet_testkit::servers::within;
use highstreet_wire::proto::Money;
use highstreet_wire::proto::booking::{Booking, BookingStatus};
use highstreet_wire::proto::delivery::DeliveryStatus;
use highstreet_wire::proto::kitchen::PreparationStatus;
use highstreet_wire::proto::ordering::{Order, OrderStatus};
use highstreet_wire::proto::payment::{Payment, PaymentStatus};
use tokio::time::{Instant, sleep};

use super::books::Books;
use super::calls::lattes;
use super::notes::{Notes, Said};
use super::{Mesh, RECOVERY, shops_audit};

/// Of what does not hold, so much is shown.
const SHOWN: usize = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(200);

// === impl Mesh ===

impl Mesh {
    /// Waits until everything holds, for ten seconds, and then until nothing changes any more; panics otherwise.
    pub(crate) async fn settle(&self, notes: &Notes) -> Books {
        let calls = self.calls();
        let phones = phones(&notes.said());
        let until = Instant::now() + RECOVERY;
        let mut before = None;
        loop {
            let broken = match Books::read(self, &calls, &phones).await {
                Ok(books) => {
                    let broken = broken(&books, &notes.said());
                    if broken.is_empty() && before.as_ref() == Some(&books) {
                        return books;
                    }
                    before = Some(books);
                    broken
                }
                Err(status) => vec![format!("the books cannot be read: {status:?}")],
            };
            let shown = broken.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
            // Who has looked once in time has to look again.
            let late = Instant::now() > if broken.is_empty() { until + RECOVERY } else { until };
            assert!(!late, "{} do not hold after {RECOVERY:?}:\n{shown}", broken.len());
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until an order comes through from beginning to end: within ten seconds.
    pub(crate) async fn recovers(&self) {
        let calls = self.calls();
        let order =
            within(RECOVERY, "orders are taken again", || async { calls.place(lattes(1, "010-0000-9999")).await.ok() });
        let order = order.await;
        calls.pay(&order).await.unwrap();
        within(RECOVERY, "payments have consequences again", || async {
            calls.trace(&order).await.ok().filter(|trace| trace.status != "ORDERED")
        })
        .await;
    }
}

fn phones(said: &Said) -> Vec<String> {
    let mut phones: Vec<_> = said.requests.values().map(|requested| requested.phone.clone()).collect();
    phones.sort_unstable();
    phones.dedup();
    phones
}

/// Everything that does not hold.
pub(crate) fn broken(books: &Books, said: &Said) -> Vec<String> {
    let mut broken = said.wrong.clone();
    broken.extend(books.dead_letters.iter().map(|letter| format!("a dead letter: {letter}")));
    if books.unpublished > 0 {
        broken.push(format!("{} events are not published", books.unpublished));
    }
    broken.extend(books.orders.iter().filter_map(|(id, order)| disagreement(books, id, order)));
    broken.extend(payments_without_an_order(books));
    broken.extend(answers_that_are_not_kept(books, said));
    broken.extend(stamps_that_are_no_drinks(books, said));
    broken.extend(money_that_moved_twice(books));
    broken.extend(shops_audit::broken(&books.shops, said));
    broken
}

/// What of one order does not agree with it.
fn disagreement(books: &Books, id: &str, order: &Order) -> Option<String> {
    let payment = books.payments.get(id).filter(|payments| payments.len() == 1).map(|payments| &payments[0]);
    let preparation = books.preparations.get(id).map(|all| (all.len(), all[0].status()));
    let delivery = books.deliveries.get(id).map(|all| (all.len(), all[0].status()));
    let trace = books.traces.get(id).map_or("", |trace| trace.status.as_str());
    let paid = payment.is_some_and(|payment| pays(order, payment));
    let made = matches!(
        (order.status(), preparation),
        (OrderStatus::Ordered, None)
            | (OrderStatus::Paid, Some((1, PreparationStatus::Preparing | PreparationStatus::Ready)))
            | (OrderStatus::Completed, Some((1, PreparationStatus::Ready)))
            | (OrderStatus::Cancelled, None | Some((1, PreparationStatus::Cancelled)))
    );
    let brought = match (order.status(), delivery) {
        (OrderStatus::Ordered, None) => true,
        (OrderStatus::Paid, None) => preparation == Some((1, PreparationStatus::Preparing)),
        (OrderStatus::Paid, Some((1, DeliveryStatus::Preparing | DeliveryStatus::Shipped))) => true,
        (OrderStatus::Completed, Some((1, DeliveryStatus::Delivered))) => true,
        // What was brought before its order was cancelled stays where it is.
        (OrderStatus::Cancelled, None | Some((1, DeliveryStatus::Cancelled | DeliveryStatus::Delivered))) => true,
        _ => false,
    };
    let traced = match order.status() {
        OrderStatus::Ordered => trace == "ORDERED",
        OrderStatus::Paid => ["PAID", "READY", "SHIPPED"].contains(&trace),
        OrderStatus::Completed => trace == "COMPLETED",
        OrderStatus::Cancelled => trace == "CANCELLED",
        OrderStatus::Unspecified => false,
    };
    if paid && made && brought && traced {
        return None;
    }
    let status = order.status();
    let payments: Vec<_> = books.payments.get(id).into_iter().flatten().map(|it| (it.status(), it.refunded)).collect();
    Some(format!("{id} is {status:?}, payments {payments:?}, {preparation:?}, {delivery:?}, trace {trace:?}"))
}

/// Whether the payment is as its order says. Whether money was given back depends on whether it was taken.
fn pays(order: &Order, payment: &Payment) -> bool {
    let stands = match order.status() {
        OrderStatus::Ordered => payment.status() == PaymentStatus::Requested,
        OrderStatus::Paid | OrderStatus::Completed => payment.status() == PaymentStatus::Approved && !payment.refunded,
        OrderStatus::Cancelled => payment.status() == PaymentStatus::Cancelled,
        OrderStatus::Unspecified => false,
    };
    stands && payment.amount == order.total && payment.payment_id == order.payment_id
}

fn payments_without_an_order(books: &Books) -> Vec<String> {
    let lost = books.payments.iter().filter(|(order, _)| !books.orders.contains_key(*order));
    let living = lost.flat_map(|(_, payments)| payments).filter(|it| it.status() != PaymentStatus::Cancelled);
    living.map(|it| format!("payment {} is {:?} and has no order", it.payment_id, it.status())).collect()
}

/// Everything that was answered is there, and no request led to two orders.
fn answers_that_are_not_kept(books: &Books, said: &Said) -> Vec<String> {
    let mut broken = Vec::new();
    let mut times = BTreeMap::<&str, usize>::new();
    for order in books.orders.values() {
        *times.entry(&order.lines[0].product_id).or_default() += 1;
    }
    broken
        .extend(times.iter().filter(|(_, times)| **times > 1).map(|(it, times)| format!("{it} led to {times} orders")));
    for (request_id, requested) in &said.requests {
        let Some(answered) = &requested.order else { continue };
        let Some(order) = books.orders.get(&answered.order_id) else {
            broken.push(format!("{} was answered and is not there", answered.order_id));
            continue;
        };
        if order.lines[0].product_id != *request_id {
            broken.push(format!("{} was answered for {request_id}, and is for another", order.order_id));
        }
        let payment = books.payments.get(&order.order_id).and_then(|payments| payments.first());
        let charged = payment.is_some_and(|it| it.status() == PaymentStatus::Approved || it.refunded);
        if requested.paid && !charged {
            broken.push(format!("{} was answered as paid: {payment:?}", order.order_id));
        }
        if requested.cancelled && order.status() != OrderStatus::Cancelled {
            broken.push(format!("{} was answered as cancelled, and is {:?}", order.order_id, order.status()));
        }
    }
    for order in &said.delivered {
        let delivery = books.deliveries.get(order).map(|deliveries| deliveries[0].status());
        if delivery != Some(DeliveryStatus::Delivered) {
            broken.push(format!("{order} was answered as delivered, and is {delivery:?}"));
        }
    }
    broken
}

fn stamps_that_are_no_drinks(books: &Books, said: &Said) -> Vec<String> {
    let mut drinks: BTreeMap<String, i64> = phones(said).into_iter().map(|phone| (phone, 0)).collect();
    for order in books.orders.values() {
        if let (OrderStatus::Paid | OrderStatus::Completed, Some(drunk)) =
            (order.status(), drinks.get_mut(&order.customer_phone))
        {
            *drunk += order.lines.iter().map(|line| i64::from(line.quantity)).sum::<i64>();
        }
    }
    let differ = drinks.iter().filter(|(phone, drunk)| books.stamps.get(*phone) != Some(*drunk));
    differ.map(|(phone, drunk)| format!("{phone} drank {drunk}, stamps {:?}", books.stamps.get(phone))).collect()
}

/// Money is taken once and given back once, and what is held is for what was sold.
fn money_that_moved_twice(books: &Books) -> Vec<String> {
    let Some(money) = &books.money else { return Vec::new() };
    let payments = books.payments.values().chain(books.shops.payments.values()).flatten();
    let wrong = payments.filter_map(|payment| {
        let moved = money.get(&payment.payment_id).copied().unwrap_or_default();
        let right = match (payment.status(), payment.refunded) {
            (PaymentStatus::Approved, false) => moved == (1, 0),
            (PaymentStatus::Cancelled, true) => moved == (1, 1),
            _ => moved == (0, 0),
        };
        (!right).then(|| format!("{payment:?} was approved and refunded {moved:?} times"))
    });
    let stands = |it: &&Booking| {
        matches!(it.status(), BookingStatus::Paid | BookingStatus::Confirmed | BookingStatus::Completed)
    };
    let sold = books.orders.values().filter(|it| matches!(it.status(), OrderStatus::Paid | OrderStatus::Completed));
    let booked = books.shops.bookings.values().filter(stands);
    let sold = sold.map(|it| &it.total).chain(booked.map(|it| &it.total_price));
    let payments = books.payments.values().chain(books.shops.payments.values()).flatten();
    let held = payments.filter(|it| it.status() == PaymentStatus::Approved);
    let sum = |all: &mut dyn Iterator<Item = &Option<Money>>| all.flatten().map(|money| money.units).sum::<i64>();
    let (sold, held) = (sum(&mut { sold }), sum(&mut held.map(|it| &it.amount)));
    let differ = (sold != held).then(|| format!("{held} is held for orders and bookings of {sold}"));
    wrong.chain(differ).collect()
}
