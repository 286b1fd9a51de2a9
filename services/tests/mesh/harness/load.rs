//! Busy shops.

use std::future::Future;
use std::time::Duration;

use highstreet_grpc::Channel;
use highstreet_testkit::Dice;
use highstreet_testkit::servers::eventually;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use super::RECOVERY;
use super::calls::{Calls, is_open, timed};
use super::notes::Notes;

/// Between two things that one person does, at least.
const PACE: Duration = Duration::from_millis(15);
/// And as many times as long as the last of them took, until this: on a machine that has more to do than it can, what
/// follows from an order is to keep up with orders. How long a mesh that has nothing to recover from is behind would be
/// measured otherwise.
const RESTS: u32 = 4;
const LONGEST_REST: Duration = Duration::from_secs(1);

/// People at work, until they are told to stop.
pub(crate) struct Load {
    pub(crate) notes: Notes,
    pub(crate) calls: Calls,
    closing: CancellationToken,
    people: JoinSet<()>,
    /// Everybody's dice fall differently.
    seed: u64,
}

/// Somebody who does something in a shop, again and again.
pub(super) struct Person {
    pub(super) notes: Notes,
    pub(super) calls: Calls,
    pub(super) dice: Dice,
    closing: CancellationToken,
}

// === impl Load ===

impl Load {
    /// The coffee shop, with so many customers, and two of the staff.
    pub(crate) fn start(calls: &Calls, customers: usize) -> Self {
        let seed = Uuid::now_v7().as_u64_pair().1;
        let mut load = Self {
            notes: Notes::default(),
            calls: calls.clone(),
            closing: CancellationToken::new(),
            people: JoinSet::new(),
            seed,
        };
        for number in 0..customers {
            let phone = format!("010-{:04}-{number:04}", seed % 10_000);
            let customer = load.person();
            load.people.spawn(customer.order_and_pay(phone));
        }
        let (barista, courier) = (load.person(), load.person());
        load.people.spawn(barista.prepare());
        load.people.spawn(courier.deliver());
        load
    }

    /// The whole street: the coffee shop with so many customers, and the people of the store, the library and the
    /// cinema.
    pub(crate) fn everywhere(calls: &Calls, customers: usize) -> Self {
        let mut load = Self::start(calls, customers);
        let [owner, head_office, shopper] = [(); 3].map(|()| load.person());
        load.people.spawn(owner.order_goods());
        load.people.spawn(head_office.ship_goods());
        load.people.spawn(shopper.shop());
        let [librarian, reader] = [(); 2].map(|()| load.person());
        load.people.spawn(librarian.receive_books());
        load.people.spawn(reader.reserve_books());
        let [early, late, usher] = [(); 3].map(|()| load.person());
        load.people.spawn(early.book_seats("010-7777-0001"));
        load.people.spawn(late.book_and_choose_later("010-7777-0002"));
        load.people.spawn(usher.collect_tickets());
        load
    }

    fn person(&mut self) -> Person {
        self.seed = self.seed.wrapping_add(1);
        let (notes, calls, closing) = (self.notes.clone(), self.calls.clone(), self.closing.clone());
        Person { notes, calls, dice: Dice::new(self.seed), closing }
    }

    /// Waits until so many orders more were answered, and as much else as the other shops got to meanwhile.
    pub(crate) async fn busy(&self, orders: usize) {
        let wanted = self.notes.orders() + orders;
        let enough = || async { (self.notes.orders() >= wanted).then_some(()) };
        eventually("more orders", enough).await;
    }

    /// Waits until in each of the other shops so much more was answered.
    pub(crate) async fn busy_everywhere(&self, cases: usize) {
        let contexts = ["replenishment", "sales", "lending", "booking"];
        let answered = || contexts.map(|context| self.notes.cases(context));
        let wanted = answered().map(|before| before + cases);
        let enough = || async { answered().iter().zip(wanted).all(|(now, wanted)| *now >= wanted).then_some(()) };
        eventually("more to do in every shop", enough).await;
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
        let done = timeout(RECOVERY, all).await;
        let open = self.calls.counted().open;
        assert!(done.is_ok(), "after {RECOVERY:?} somebody is still at it; not answered are {open:?}");
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
    /// Does this again and again, without haste, until the shops close; it is told how often it was done before.
    pub(super) async fn keeps<F: Future<Output = ()>>(&self, doing: impl Fn(usize) -> F) {
        for number in 0.. {
            if self.is_closing() {
                return;
            }
            let began = Instant::now();
            doing(number).await;
            self.rests(began).await;
        }
    }

    /// Before the next thing, after one that began then.
    pub(super) async fn rests(&self, began: Instant) {
        sleep((began.elapsed() * RESTS).clamp(PACE, LONGEST_REST)).await;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Asks until there is an answer.
    pub(super) async fn asks<M: Clone, T, F>(
        &self,
        what: &str,
        message: &M,
        call: impl Fn(Channel, Request<M>) -> F,
        refusals: &[Code],
    ) -> Option<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let ask = || call(self.calls.channel.clone(), timed(message.clone()));
        self.heard(what, self.calls.insist(what, ask).await, refusals)
    }

    /// What was answered; an answer that nobody should get is noted.
    pub(super) fn heard<T>(&self, what: &str, answer: Result<T, Status>, refusals: &[Code]) -> Option<T> {
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
}
