//! A busy shop: customers who order, pay and change their minds, and staff who carry orders out.

use std::time::Duration;

use highstreet_testkit::Dice;
use highstreet_testkit::servers::eventually;
use highstreet_wire::proto::delivery::{
    CompleteDeliveryRequest, Delivery, DeliveryStatus, ListDeliveriesRequest, ShipDeliveryRequest,
};
use highstreet_wire::proto::kitchen::{CompletePreparationRequest, ListPreparationsRequest, PreparationStatus};
use highstreet_wire::proto::ordering::Order;
use highstreet_wire::proto::payment::PaymentStatus;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;

use super::calls::{Calls, is_open, lattes, timed};
use super::notes::Notes;
use super::{RECOVERY, SHOP};

/// Between two things that one person does.
const PACE: Duration = Duration::from_millis(15);

/// People at work, until they are told to stop.
pub(crate) struct Load {
    pub(crate) notes: Notes,
    pub(crate) calls: Calls,
    closing: CancellationToken,
    people: JoinSet<()>,
}

#[derive(Clone)]
struct Person {
    notes: Notes,
    calls: Calls,
    dice: Dice,
    closing: CancellationToken,
}

// === impl Load ===

impl Load {
    /// So many customers, and two of the staff.
    pub(crate) fn start(calls: &Calls, customers: usize) -> Self {
        let seed = Uuid::now_v7().as_u64_pair().1;
        let (notes, closing) = (Notes::default(), CancellationToken::new());
        let mut people = JoinSet::new();
        let person = |number: usize| Person {
            notes: notes.clone(),
            calls: calls.clone(),
            dice: Dice::new(seed.wrapping_add(u64::try_from(number).unwrap())),
            closing: closing.clone(),
        };
        for number in 0..customers {
            people.spawn(person(number).order_and_pay(format!("010-{:04}-{number:04}", seed % 10_000)));
        }
        people.spawn(person(customers).prepare());
        people.spawn(person(customers + 1).deliver());
        Self { notes, calls: calls.clone(), closing, people }
    }

    /// Waits until so many orders more were answered.
    pub(crate) async fn busy(&self, orders: usize) {
        let wanted = self.notes.orders() + orders;
        let enough = || async { (self.notes.orders() >= wanted).then_some(()) };
        eventually("more orders", enough).await;
    }

    /// Waits until so many calls more were made, whatever came of them.
    pub(crate) async fn called(&self, calls: usize) {
        let wanted = self.calls.counted().made + calls;
        eventually("more calls", || async { (self.calls.counted().made >= wanted).then_some(()) }).await;
    }

    /// Waits until so many calls more failed.
    pub(crate) async fn failed(&self, calls: usize) {
        let wanted = self.calls.counted().failed.len() + calls;
        eventually("calls fail", || async { (self.calls.counted().failed.len() >= wanted).then_some(()) }).await;
    }

    /// And so many who only look how their orders are, as often as they can.
    pub(crate) fn with_onlookers(mut self, count: usize) -> Self {
        for _ in 0..count {
            self.people.spawn(look(self.notes.clone(), self.calls.clone(), self.closing.clone()));
        }
        self
    }

    /// Lets everybody finish what they are at: within ten seconds.
    pub(crate) async fn stop(mut self) -> Notes {
        self.closing.cancel();
        let all = async {
            while let Some(done) = self.people.join_next().await {
                done.unwrap();
            }
        };
        timeout(RECOVERY, all)
            .await
            .unwrap_or_else(|_| panic!("somebody still waits for an answer after {RECOVERY:?}"));
        self.notes
    }
}

async fn look(notes: Notes, calls: Calls, closing: CancellationToken) {
    while !closing.is_cancelled() {
        let latest = notes.said().requests.values().rev().find_map(|requested| requested.order.clone());
        match latest {
            // What fails is counted.
            Some(order) => drop((calls.order(&order.order_id).await, calls.trace(&order).await)),
            None => sleep(PACE).await,
        }
    }
}

// === impl Person ===

impl Person {
    async fn order_and_pay(self, phone: String) {
        while !self.closing.is_cancelled() {
            if let Some((request_id, order)) = self.order(&phone).await {
                if self.dice.chance(80) {
                    self.pay(&request_id, &order).await;
                }
                if self.dice.chance(25) {
                    self.cancel(&request_id, &order).await;
                }
            }
            sleep(PACE).await;
        }
    }

    async fn order(&self, phone: &str) -> Option<(String, Order)> {
        let request = lattes(1 + i32::try_from(self.dice.below(3)).unwrap(), phone);
        let request_id = request.request_id.clone();
        self.notes.note(&request_id, |requested| phone.clone_into(&mut requested.phone));
        let place = || {
            let (mut ordering, request) = (self.calls.ordering(), timed(request.clone()));
            async move { ordering.place_order(request).await }
        };
        let placed = self.heard("PlaceOrder", self.calls.insist("PlaceOrder", place).await, &[])?.order?;
        self.notes.note(&request_id, |requested| requested.order = Some(placed.clone()));
        Some((request_id, placed))
    }

    async fn pay(&self, request_id: &str, order: &Order) {
        let paid = self.calls.pay(order).await;
        if let Some(payment) = self.heard("Pay", paid, &[])
            && payment.status() == PaymentStatus::Approved
        {
            self.notes.note(request_id, |requested| requested.paid = true);
        }
    }

    async fn cancel(&self, request_id: &str, order: &Order) {
        let cancelled = self.calls.cancel(order).await;
        // It was brought to them first.
        if self.heard("CancelOrder", cancelled, &[Code::FailedPrecondition]).is_some() {
            self.notes.note(request_id, |requested| requested.cancelled = true);
        }
    }

    /// What was answered; an answer that nobody should get is noted.
    fn heard<T>(&self, what: &str, answer: Result<T, Status>, refusals: &[Code]) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(status) => {
                if !is_open(&status) && !refusals.contains(&status.code()) {
                    self.notes.wrong(format!("{what}: {status:?}"));
                }
                None
            }
        }
    }

    // === Staff: what they do not finish now they find again ===

    async fn prepare(self) {
        while !self.closing.is_cancelled() {
            let request = ListPreparationsRequest {
                shop_id: SHOP.into(),
                status: PreparationStatus::Preparing.into(),
                ..Default::default()
            };
            let mut kitchen = self.calls.kitchen();
            let listed = self.calls.once("ListPreparations", kitchen.list_preparations(timed(request))).await;
            for preparation in self.heard("ListPreparations", listed, &[]).into_iter().flat_map(|it| it.preparations) {
                let preparation_id = preparation.preparation_id;
                let request = CompletePreparationRequest { preparation_id, ..Default::default() };
                let done = self.calls.once("CompletePreparation", kitchen.complete_preparation(timed(request))).await;
                self.heard("CompletePreparation", done, &[Code::FailedPrecondition]);
                if self.closing.is_cancelled() {
                    return;
                }
            }
            sleep(PACE).await;
        }
    }

    async fn deliver(self) {
        while !self.closing.is_cancelled() {
            for delivery in self.deliveries(DeliveryStatus::Preparing).await {
                let (mut couriers, delivery_id) = (self.calls.couriers(), delivery.delivery_id);
                let request = ShipDeliveryRequest { delivery_id, ..Default::default() };
                let done = self.calls.once("ShipDelivery", couriers.ship_delivery(timed(request))).await;
                self.heard("ShipDelivery", done, &[Code::FailedPrecondition]);
            }
            for delivery in self.deliveries(DeliveryStatus::Shipped).await {
                let (mut couriers, delivery_id) = (self.calls.couriers(), delivery.delivery_id);
                let request = CompleteDeliveryRequest { delivery_id, ..Default::default() };
                let done = self.calls.once("CompleteDelivery", couriers.complete_delivery(timed(request))).await;
                if self.heard("CompleteDelivery", done, &[Code::FailedPrecondition]).is_some() {
                    self.notes.said().delivered.insert(delivery.order.unwrap().id);
                }
            }
            sleep(PACE).await;
        }
    }

    async fn deliveries(&self, status: DeliveryStatus) -> Vec<Delivery> {
        let request = ListDeliveriesRequest { shop_id: SHOP.into(), status: status.into(), ..Default::default() };
        let mut couriers = self.calls.couriers();
        let listed = self.calls.once("ListDeliveries", couriers.list_deliveries(timed(request))).await;
        self.heard("ListDeliveries", listed, &[]).map(|listed| listed.deliveries).unwrap_or_default()
    }
}
