//! What keeps the last copies from being sold twice, and that it is that which does.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use highstreet_domain::inventory::{Command, Event, Goods, Intake, Stock, StockName};
use highstreet_domain::kernel::ports::{Perform, Run};
use highstreet_domain::kernel::{
    Aggregate, Case, Cause, Handler, HandlerPorts, HandlerSettings, Id, Never, Origin, ProductId, ProductName,
    Quantity, Reference, Request, ShopId, Unanswered,
};
use highstreet_testkit::memory::{Flaws, Store, Streams};
use highstreet_testkit::sim::{Ended, Node, Sim};
use uuid::Uuid;

const COPIES: u32 = 10;

/// Stock calls nobody.
struct Nobody;

#[async_trait]
impl Perform<Stock> for Nobody {
    async fn perform(&self, _id: Id<Stock>, step: &Never, _run: &Run) -> Result<Command, Unanswered> {
        match *step {}
    }
}

fn book() -> StockName {
    let shop = ShopId::parse("mapo-library").expect("a shop's name");
    StockName { shop, sku: ProductId::parse("9788936434120").expect("a book's number") }
}

fn reservation(number: u128) -> Case {
    let root = Reference::new("lending", Uuid::from_u128(number).to_string());
    Case { root, shop: book().shop, customer: format!("user-{number}") }
}

fn receive() -> Command {
    let name = ProductName::parse("소년이 온다").expect("a title");
    let goods = Goods { name, unit_price: None };
    let (case, intake) = (reservation(0), Intake::ByHand);
    Command::Receive { name: book(), goods, quantity: COPIES, case, intake, reorder_point: None, low_at: 0 }
}

fn withdraw(number: u128) -> Command {
    Command::Withdraw { name: book(), quantity: Quantity::ONE, case: reservation(number) }
}

fn request(number: u128, command: Command) -> Request<Stock> {
    Request::new(command, Cause::unique(Uuid::from_u128(number)), Arc::new(Origin::default()))
}

/// A replica of inventory on these streams.
fn replica(sim: &Sim, streams: &Streams<Stock>) -> (Node, Handler<Stock>) {
    let (node, journal) = (sim.node(), Arc::new(streams.clone()));
    let (agenda, perform) = (journal.clone(), Arc::new(Nobody));
    let ports = HandlerPorts { journal, agenda, perform, clock: sim.clock(), tasks: node.tasks() };
    (node, Handler::new(ports, HandlerSettings::default()))
}

/// So many customers want the last copies at once, of two replicas on one journal. How many copies were given away,
/// how many customers went without, and what the events say is left.
fn rush(seed: u64, customers: u128, flaws: Flaws) -> (usize, usize, i64) {
    let sim = Sim::new(seed);
    let streams: Streams<Stock> = Streams::flawed(&Store::new("inventory", sim.clock()), |_| None, flaws);
    let replicas = [replica(&sim, &streams), replica(&sim, &streams)];
    let (id, refused) = (book().id(), Arc::new(Mutex::new(0)));
    let first = replicas[0].1.clone();
    sim.block_on(async move { first.handle(id, request(0, receive())).await }).expect("the copies are received");
    for number in 1..=customers {
        let (node, handler) = &replicas[usize::from(number % 2 == 0)];
        let (handler, refused) = (handler.clone(), refused.clone());
        node.tasks().spawn(Box::pin(async move {
            if handler.handle(id, request(number, withdraw(number))).await.is_err() {
                *refused.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            }
        }));
    }
    assert_eq!(sim.run(1_000_000), Ended::Quiet, "seed {seed}: it goes on for ever");
    assert_eq!(*refused.lock().unwrap_or_else(PoisonError::into_inner), 0, "seed {seed}: everybody is answered");
    let events = streams.events(id);
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    let taken = count(|event| matches!(event, Event::Withdrawn { .. }));
    let short = count(|event| matches!(event, Event::Short { .. }));
    (taken, short, events.iter().fold(Stock::default(), Stock::evolve).on_hand)
}

/// LIBRARY-A7: a thousand customers, ten copies, two replicas: nothing is ever oversold.
#[test]
fn library_a7_ten_copies_are_given_away_ten_times() {
    assert_eq!(rush(1, 1000, Flaws::None), (10, 990, 0));
    for seed in 0..50 {
        assert_eq!(rush(seed, 60, Flaws::None), (10, 50, 0), "seed {seed}");
    }
}

/// The negative control of LIBRARY-A7: where an append does not look whether the stream has moved on, copies are given
/// away twice. So it is that guard which keeps them, and the test above would notice if it were gone.
#[test]
fn without_looking_at_revisions_copies_are_given_away_twice() {
    let oversold = (0..50).filter(|seed| {
        let (taken, _, left) = rush(*seed, 60, Flaws::ConflictsIgnored);
        taken > 10 && left < 0
    });
    assert!(oversold.count() > 25, "most stories show it");
}
