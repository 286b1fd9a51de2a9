//! What must hold once the world has settled.

use std::collections::BTreeMap;

use highstreet_domain::kernel::{Aggregate, Id, Money, Phone};
use highstreet_domain::loyalty::Program;
use highstreet_domain::notification::Notification;
use highstreet_domain::ordering::Order;
use highstreet_domain::payment::Payment;

use super::host::Context;
use super::street::{Street, notifications};
use super::witness::Witness;
use super::{Tally, cafe, cinema, library, store};

/// Looks at a settled world, and collects what does not hold.
pub(super) struct Inspection<'a> {
    pub(super) street: &'a Street,
    pub(super) broken: Vec<String>,
}

/// Everything that does not hold.
pub(super) fn broken(street: &Street, witness: &Witness) -> Vec<String> {
    let mut inspection = Inspection { street, broken: witness.testimony().wrong };
    let testimony = witness.testimony();
    store::inspect(&mut inspection, &testimony);
    cafe::inspect(&mut inspection, &testimony);
    library::inspect(&mut inspection, &testimony);
    cinema::inspect(&mut inspection, &testimony);
    inspection.every_charge_is_once();
    inspection.everybody_was_told();
    inspection.nothing_is_left_over();
    inspection.broken
}

/// What the world did.
pub(super) fn tally(street: &Street, deaths: usize) -> Tally {
    let orders = street.ordering.streams.all();
    let count = |is: fn(&Order) -> bool| orders.iter().filter(|(_, standing)| is(&standing.state)).count();
    let charges = street.provider.charges();
    Tally {
        orders: count(|order| order.placed().is_some()),
        completed: count(|order| matches!(order, Order::Completed(_))),
        cancelled: count(|order| matches!(order, Order::Cancelled { .. })),
        purchases: street.sales.streams.all().len(),
        reservations: street.lending.streams.all().len(),
        seated: street.booking.streams.all().iter().filter(|(_, it)| it.state.chosen().is_some()).count(),
        tickets_collected: street
            .loyalty
            .streams
            .all()
            .iter()
            .filter(|(_, it)| {
                it.state.name.as_ref().is_some_and(|name| name.program == Program::Points) && it.state.balance > 0
            })
            .count(),
        given_up: count(|order| matches!(order, Order::Rejected { .. })),
        charges: charges.len(),
        refunds: charges.iter().map(|charge| charge.refunds.len()).sum(),
        deaths,
        steps: street.sim.polled(),
    }
}

/// The chronicle, and what became of everything.
pub(super) fn story(street: &Street, lines: &[String]) -> Vec<String> {
    let mut story = lines.to_vec();
    story.extend(histories(&street.ordering));
    story.extend(histories(&street.payment));
    story.extend(histories(&street.kitchen));
    story.extend(histories(&street.delivery));
    story.extend(histories(&street.loyalty));
    story.extend(histories(&street.replenishment));
    story.extend(histories(&street.inventory));
    story.extend(histories(&street.sales));
    story.extend(histories(&street.lending));
    story.extend(histories(&street.booking));
    story.extend(histories(&street.seating));
    story.extend(histories(&street.ticketing));
    story.extend(street.provider.charges().iter().map(|charge| format!("{charge:?}")));
    story
}

fn histories<A: Aggregate>(context: &Context<A>) -> Vec<String> {
    let all = context.streams.all().into_iter();
    all.map(|(id, _)| format!("{} {id}: {:?}", A::NAME, context.streams.events(id))).collect()
}

// === impl Inspection ===

impl Inspection<'_> {
    pub(super) fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }

    /// What the provider holds for a payment: taken, and not given back.
    pub(super) fn money_for(&mut self, order: &str, payment: Id<Payment>) -> Option<Money> {
        let mut held = None;
        for charge in self.street.provider.charges() {
            if charge.payment == payment.to_string() && charge.refunds.is_empty() {
                self.must(held.is_none(), || format!("money for {order} is held twice"));
                held = Some(charge.amount);
            }
        }
        held
    }

    /// The trace of a case has come to `status`.
    pub(super) fn traced_as(&mut self, key: &str, status: &str) {
        let trace = self.street.traces.all().into_iter().find(|row| row.key == key);
        let shown = trace.map_or_else(String::new, |row| row.view.status);
        self.must(shown == status, || format!("{key} is {status}, its trace says {shown:?}"));
    }

    /// What members have in a program, by E.164 number or name; without those who have nothing.
    pub(super) fn balances(&self, program: Program) -> BTreeMap<String, i64> {
        let accounts = self.street.loyalty.streams.all().into_iter().filter_map(|(_, standing)| {
            let name = standing.state.name.filter(|name| name.program == program)?;
            (standing.state.balance != 0).then(|| (Phone::key_of(&name.member), standing.state.balance))
        });
        accounts.collect()
    }

    fn every_charge_is_once(&mut self) {
        let mut charges: BTreeMap<String, usize> = BTreeMap::new();
        for charge in self.street.provider.charges() {
            *charges.entry(charge.payment.clone()).or_default() += 1;
            self.must(charge.refunds.len() <= 1, || format!("{} was refunded twice", charge.payment));
        }
        for (payment, times) in charges {
            self.must(times == 1, || format!("{payment} was charged {times} times"));
        }
    }

    /// One notification per event and recipient, each sent.
    fn everybody_was_told(&mut self) {
        let mut expected = 0;
        for message in self.street.bus.log() {
            // What notification does not listen to, nobody has to be told of.
            for (id, _) in notifications(&message).unwrap_or_default() {
                expected += 1;
                let state = self.street.notification.streams.standing(id).state;
                let sent = matches!(state, Notification::Sent(_)) && self.street.carrier.sent(&id.to_string()) > 0;
                self.must(sent, || format!("nobody was told of {}: {state:?}", message.name));
            }
        }
        let written = self.street.notification.streams.all().len();
        self.must(written == expected, || format!("{written} notifications of {expected} events"));
    }

    fn nothing_is_left_over(&mut self) {
        for dead in self.street.bus.dead_letters() {
            self.broken.push(format!("a dead letter: {dead:?}"));
        }
        for host in self.street.hosts() {
            self.must(host.store.unpublished() == 0, || format!("{} has not published everything", host.name));
        }
        let mut waiting = Vec::new();
        waiting.extend(self.street.ordering.streams.waiting().into_iter().map(|it| format!("order {it:?}")));
        waiting.extend(self.street.payment.streams.waiting().into_iter().map(|it| format!("payment {it:?}")));
        waiting.extend(self.street.replenishment.streams.waiting().into_iter().map(|it| format!("store order {it:?}")));
        waiting.extend(self.street.booking.streams.waiting().into_iter().map(|it| format!("booking {it:?}")));
        waiting.extend(self.street.seating.streams.waiting().into_iter().map(|it| format!("screening {it:?}")));
        waiting.extend(self.street.ticketing.streams.waiting().into_iter().map(|it| format!("ticket {it:?}")));
        waiting.extend(self.street.notification.streams.waiting().into_iter().map(|it| format!("notification {it:?}")));
        self.broken.extend(waiting.into_iter().map(|what| format!("still waiting: {what}")));
    }
}
