//! The rules of inventory.

#![allow(clippy::unwrap_used, reason = "every one of them is valid, or its test fails")]

mod samples;

use std::collections::BTreeMap;

use highstreet_domain::inventory::{
    Command, Event, Fact, Goods, Intake, Moved, Movement, Rejection, Stock, StockName, react,
};
use highstreet_domain::kernel::{Aggregate, Case, ProductId, ProductName, Quantity, ShopId};
use highstreet_testkit::given::Given;
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{case_of, cola, note, now, shop, won};

const LOW_AT: i64 = 2;

fn name() -> StockName {
    StockName { shop: shop(), sku: cola(1).product }
}

fn goods() -> Goods {
    Goods { name: cola(1).name, unit_price: Some(won(1200)) }
}

/// What the `number`-th purchase belongs to.
fn purchase(number: u128) -> Case {
    case_of("sales", number)
}

fn receive(quantity: u32, case: Case) -> Command {
    let intake = Intake::Sent;
    Command::Receive { name: name(), goods: goods(), quantity, case, intake, reorder_point: None, low_at: LOW_AT }
}

fn receive_by_hand(quantity: u32, case: Case) -> Command {
    let Command::Receive { name, goods, reorder_point, low_at, .. } = receive(quantity, case.clone()) else {
        unreachable!()
    };
    Command::Receive { name, goods, quantity, case, intake: Intake::ByHand, reorder_point, low_at }
}

fn withdraw(count: i64, case: Case) -> Command {
    Command::Withdraw { name: name(), quantity: Quantity::new(count).unwrap(), case }
}

fn give_back(case: Case) -> Command {
    Command::Return { name: name(), case }
}

fn adjust(delta: i64, case: Case) -> Command {
    Command::Adjust { delta, note: note("counted"), reorder_point: None, case }
}

fn received(quantity: u32) -> Event {
    let case = case_of("replenishment", 1);
    Event::Received { name: name(), goods: goods(), quantity, case, reorder_point: LOW_AT, time: now() }
}

fn withdrawn(quantity: u32, case: Case) -> Event {
    Event::Withdrawn { quantity, case, time: now() }
}

fn short(quantity: u32, case: Case) -> Event {
    Event::Short { name: name(), quantity, case, time: now() }
}

fn returned(quantity: u32, case: Case) -> Event {
    Event::Returned { name: name(), quantity, case, time: now() }
}

fn adjusted(delta: i64) -> Event {
    let (note, case) = (note("counted"), case_of("inventory", 1));
    Event::Adjusted { delta, note, reorder_point: LOW_AT, case, time: now() }
}

/// Stock that has seen `events`, asked about something that is not the last of them.
fn stock(events: impl IntoIterator<Item = Event>) -> Given<Stock> {
    given::<Stock>(events).at(now()).with_entry("", None)
}

/// The same, asked about a reference that moved it before.
fn moved(events: impl IntoIterator<Item = Event>, moved: Moved, case: &Case) -> Given<Stock> {
    let movement = Movement { reference: case.root.clone(), moved, created: now() };
    given::<Stock>(events).at(now()).with_entry("", Some(movement))
}

/// STORE-X2: what is shipped again comes to the stock there is, and is no second row.
#[test]
fn store_f3_store_x2_shipments_of_a_product_add_up() {
    let mut ids = Vec::new();
    let mut history = Vec::new();
    for number in 1..3 {
        let fact = Fact::Shipped { case: case_of("replenishment", number), items: vec![cola(10)] };
        let [(id, command)] = react(&fact, LOW_AT).try_into().unwrap();
        ids.push(id);
        // Told twice, as messages are.
        history.extend([command.clone(), command]);
    }
    assert_eq!(ids[0], ids[1]);
    let events = laws::aggregate::<Stock>(&[history]);
    assert_eq!(after(&events).on_hand, 20);
    let elsewhere = StockName { shop: ShopId::parse("gs25").unwrap(), ..name() };
    let other = StockName { sku: ProductId::parse("cider").unwrap(), ..name() };
    assert!(![elsewhere.id(), other.id()].contains(&name().id()));
}

#[test]
fn library_f1_library_f2_stock_grows_by_what_is_received_and_0_makes_it_known() {
    let known = stock([]).when(receive(0, case_of("replenishment", 1))).then([received(0)]);
    assert_eq!(known.state().index().unwrap().status, "LOW");
    let grown = stock([received(0), received(5)]).state();
    assert_eq!((grown.on_hand, grown.index().unwrap().status.as_str()), (5, "OK"));
    let full = stock([received(0), adjusted(1_000_000_000_000)]);
    full.when(receive(1, case_of("replenishment", 2))).then_refused(Rejection::TooMuch);
}

#[test]
fn store_f5_library_f7_whoever_wants_pieces_gets_them_once() {
    let wanted = Fact::Wanted { case: purchase(1), name: name(), quantity: Quantity::new(3).unwrap() };
    assert_eq!(react(&wanted, LOW_AT), [(name().id(), withdraw(3, purchase(1)))]);
    let taken = stock([received(10)]).when(withdraw(3, purchase(1))).then([withdrawn(3, purchase(1))]);
    assert_eq!(taken.state().on_hand, 7);
    for before in [Moved::Withdrawn(3), Moved::Short(3), Moved::Returned] {
        moved([received(10)], before, &purchase(1)).when(withdraw(3, purchase(1))).then_nothing();
    }
}

#[test]
fn store_f7_library_f9_a_return_gives_back_what_its_reference_took_once() {
    let not_wanted = Fact::NotWanted { case: purchase(1), name: name() };
    assert_eq!(react(&not_wanted, LOW_AT), [(name().id(), give_back(purchase(1)))]);
    let history = [received(10), withdrawn(3, purchase(1)), withdrawn(2, purchase(2))];
    let back = moved(history.clone(), Moved::Withdrawn(3), &purchase(1)).when(give_back(purchase(1)));
    assert_eq!(back.then([returned(3, purchase(1))]).state().on_hand, 8);
    moved(history, Moved::Returned, &purchase(1)).when(give_back(purchase(1))).then_nothing();
}

/// LIBRARY-A6: a cancellation that comes before what it cancels is recorded, and nothing is taken then.
#[test]
fn library_a6_a_return_that_comes_first_wins() {
    let early = stock([received(10)]).when(give_back(purchase(1))).then([returned(0, purchase(1))]);
    assert_eq!(early.when(withdraw(3, purchase(1))).then_nothing().state().on_hand, 10);
}

/// STORE-A4: nothing is taken; STORE-X3, LIBRARY-X3: so nothing comes back when whoever wanted it gives up.
#[test]
fn store_a4_store_x3_library_x3_what_was_not_taken_does_not_come_back() {
    let out = stock([received(2)]).when(withdraw(3, purchase(1))).then([short(3, purchase(1))]);
    let left = out.when(give_back(purchase(1))).then_nothing();
    assert_eq!(left.state().on_hand, 2);
}

/// STORE-X5, LIBRARY-X2: whoever wants what nobody ever received is answered, and hears that there is none.
#[test]
fn store_x5_library_x2_what_is_not_known_is_short() {
    let unheard_of = stock([]).when(withdraw(1, purchase(1))).then([short(1, purchase(1))]).state();
    assert_eq!((unheard_of.on_hand, unheard_of.index()), (0, None), "it is on no list");
    stock([returned(0, purchase(1))]).when(withdraw(1, purchase(2))).then([short(1, purchase(2))]);
}

#[test]
fn a_count_is_corrected_and_never_goes_below_0() {
    let by_hand = || case_of("inventory", 1);
    stock([received(10)]).when(adjust(-4, by_hand())).then([adjusted(-4)]);
    stock([received(10)]).when(adjust(-11, by_hand())).then_refused(Rejection::NotEnough(10));
    stock([received(10)]).when(adjust(1_000_000_000_000, by_hand())).then_refused(Rejection::TooMuch);
    stock([]).when(adjust(1, by_hand())).then_refused(Rejection::NotFound);
    stock([short(1, purchase(1))]).when(adjust(1, by_hand())).then_refused(Rejection::NotFound);
}

/// STORE-F9: the owner is told that little is left once, on the way down.
#[test]
fn store_f9_stock_that_runs_low_says_so_once() {
    let low = Event::RanLow { case: purchase(1) };
    let few = stock([received(5)]).when(withdraw(3, purchase(1))).then([withdrawn(3, purchase(1)), low]);
    few.with_entry("", None).at(now()).when(withdraw(1, purchase(2))).then([withdrawn(1, purchase(2))]);
    let raised = Command::Adjust { delta: 0, note: note("counted"), reorder_point: Some(9), case: purchase(1) };
    let events = given::<Stock>([received(5)]).at(now()).with_entry("", None).when(raised);
    let moved = Event::Adjusted { delta: 0, note: note("counted"), reorder_point: 9, case: purchase(1), time: now() };
    let raised = events.then([moved, Event::RanLow { case: purchase(1) }]);
    let more = raised.with_entry("", None).at(now()).when(receive(1, case_of("replenishment", 1)));
    let Event::Received { name, goods, quantity: _, case, time, .. } = received(1) else { unreachable!("received") };
    more.then([Event::Received { name, goods, quantity: 1, case, reorder_point: 9, time }]);
}

#[test]
fn a_price_that_is_not_told_stays_as_it_was() {
    let unpriced = Goods { name: ProductName::parse("코카콜라").unwrap(), unit_price: None };
    let Event::Received { name, quantity, case, reorder_point, time, .. } = received(1) else { unreachable!() };
    let again = Event::Received { name, goods: unpriced.clone(), quantity, case, reorder_point, time };
    let known = stock([received(1), again]).state().goods.unwrap();
    assert_eq!((known.name, known.unit_price), (unpriced.name, Some(won(1200))));
}

// === Laws ===

fn after(events: &[Event]) -> Stock {
    events.iter().fold(Stock::default(), Stock::evolve)
}

/// Anything, about any of a few references; what is done by hand has one of its own.
fn commands() -> impl Strategy<Value = Command> {
    (0..6u128, 1..9u32, 0..8u8, any::<u128>()).prop_map(|(number, pieces, what, own)| match what {
        0 => receive(pieces, case_of("replenishment", number)),
        7 => receive_by_hand(pieces, case_of("inventory", own)),
        1..=3 => withdraw(i64::from(pieces), purchase(number)),
        4 | 5 => give_back(purchase(number)),
        _ => adjust(i64::from(pieces) - 4, case_of("inventory", own)),
    })
}

proptest! {
    #[test]
    fn in_is_out_and_on_hand_and_nothing_is_ever_oversold(
        history in proptest::collection::vec(commands(), 0..60),
    ) {
        let events = laws::aggregate::<Stock>(std::slice::from_ref(&history));
        let (mut stock, mut came) = (Stock::default(), 0);
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        let mut back: BTreeMap<String, u32> = BTreeMap::new();
        for event in &events {
            stock = stock.evolve(event);
            let reference = event.reference().to_string();
            match event {
                Event::Received { quantity, .. } => came += i64::from(*quantity),
                Event::Adjusted { delta, .. } => came += delta,
                Event::Withdrawn { quantity, .. } => {
                    prop_assert!(!back.contains_key(&reference), "taken after it was given back: {event:?}");
                    prop_assert_eq!(taken.insert(reference, *quantity), None, "taken twice: {:?}", event);
                }
                Event::Returned { quantity, .. } => {
                    let took = taken.get(&reference).copied().unwrap_or(0);
                    prop_assert_eq!(*quantity, took, "not what it took: {:?}", event);
                    prop_assert_eq!(back.insert(reference, *quantity), None, "back twice: {:?}", event);
                }
                Event::Short { quantity, .. } => prop_assert!(i64::from(*quantity) > stock.on_hand || stock.goods.is_none()),
                Event::RanLow { .. } => prop_assert!(stock.is_low()),
            }
            let out = i64::from(taken.values().sum::<u32>()) - i64::from(back.values().sum::<u32>());
            prop_assert!(stock.on_hand >= 0, "oversold after {event:?}");
            prop_assert_eq!(came, out + stock.on_hand, "after {:?}", event);
        }
    }

    /// STORE-A6, LIBRARY-A5, LIBRARY-A6: while there is enough, what is left does not depend on the order of arrival.
    #[test]
    fn whatever_the_order_and_repetition_the_same_is_left(
        wanted in proptest::collection::vec((1..9u32, any::<bool>()), 0..10),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let mut facts = Vec::new();
        for ((pieces, cancelled), number) in wanted.iter().zip(0..) {
            let quantity = Quantity::new(i64::from(*pieces)).unwrap();
            facts.push(Fact::Wanted { case: purchase(number), name: name(), quantity });
            facts.extend(cancelled.then(|| Fact::NotWanted { case: purchase(number), name: name() }));
        }
        // Some come early and twice; then all come, the last one first.
        let early = order.iter().filter(|_| !facts.is_empty()).map(|index| index.get(&facts));
        let arrivals = early.chain(facts.iter().rev());
        let first = receive(100, case_of("replenishment", 1));
        let moves = arrivals.flat_map(|fact| react(fact, LOW_AT)).map(|(_, command)| command);
        let events = laws::aggregate::<Stock>(&[std::iter::once(first).chain(moves).collect()]);
        let kept: u32 = wanted.iter().filter(|(_, cancelled)| !cancelled).map(|(pieces, _)| pieces).sum();
        prop_assert_eq!(after(&events).on_hand, 100 - i64::from(kept));
    }
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [
        received(10),
        withdrawn(3, purchase(1)),
        short(30, purchase(2)),
        returned(3, purchase(1)),
        adjusted(-1),
        Event::RanLow { case: purchase(3) },
    ];
    laws::golden::<Stock>(&samples::golden("stock"), &samples);
}
