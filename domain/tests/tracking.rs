//! The rules of tracking.

#![allow(clippy::unwrap_used, reason = "every one of them is valid, or its test fails")]

mod samples;

use highstreet_domain::kernel::{Case, Index, Item, ProductId, ProductName, Quantity, Reference, Timestamp, View};
use highstreet_domain::tracking::{
    Fact, Goods, GoodsFact, Kind, Sale, SaleKind, Step, StoreDeliveryStatus, StoreOrder, StoreOrderFact,
    StoreOrderNews, StoreOrderStatus, Takings, Trace,
};
use highstreet_testkit::laws;
use samples::{MINA, case, shop, won};
use uuid::Uuid;

/// The `revision`-th event of the aggregate called `number` in `context`.
fn fact(context: &str, number: u128, revision: u64, event: &str, second: i64) -> Fact {
    let step = Step {
        time: Timestamp::from_micros(second * 1_000_000),
        context: context.into(),
        id: Uuid::from_u128(number),
        revision,
        event: event.into(),
        status: String::new(),
    };
    Fact { case: case(), step }
}

/// The facts of an order that was paid, made and delivered.
fn completed() -> Vec<Fact> {
    vec![
        fact("payment", 2, 1, "PaymentRequested", 1),
        fact("ordering", 1, 2, "OrderPlaced", 1),
        fact("payment", 2, 3, "PaymentApproved", 2),
        fact("ordering", 1, 3, "OrderPaid", 3),
        fact("kitchen", 3, 1, "PreparationStarted", 4),
        fact("loyalty", 5, 7, "Earned", 4),
        fact("kitchen", 3, 2, "PreparationReady", 5),
        fact("delivery", 4, 1, "DeliveryScheduled", 6),
        fact("delivery", 4, 2, "Shipped", 7),
        fact("delivery", 4, 3, "Delivered", 8),
        fact("ordering", 1, 4, "OrderCompleted", 9),
    ]
}

/// The same facts, about another kind of case.
fn of(kind: Kind, facts: &[(&str, u128, u64, &str)]) -> Vec<Fact> {
    let root = Reference::new(kind.context(), Uuid::from_u128(1).to_string());
    let fact = |(second, (context, number, revision, event)): (i64, &(&str, u128, u64, &str))| {
        let fact = fact(context, *number, *revision, event, second);
        Fact { case: Case { root: root.clone(), ..fact.case }, ..fact }
    };
    (0..).zip(facts).map(fact).collect()
}

/// The statuses that a trace passes.
fn passes(facts: &[Fact]) -> Vec<String> {
    let mut passed: Vec<_> = (1..=facts.len()).map(|seen| fold(&facts[..seen]).status).collect();
    passed.dedup();
    passed
}

fn fold(facts: &[Fact]) -> Trace {
    facts.iter().fold(Trace::default(), Trace::apply)
}

#[test]
fn cafe_f5_cafe_n4_a_trace_follows_the_order_to_its_end() {
    let facts = completed();
    let expected =
        ["", "ORDERED", "PAID", "PAID", "PAID", "PAID", "READY", "READY", "SHIPPED", "DELIVERED", "COMPLETED"];
    for (seen, status) in (1..).zip(expected) {
        assert_eq!(fold(&facts[..seen]).status, status, "after {seen} facts");
    }
    let trace = fold(&facts);
    assert_eq!(trace.steps.len(), facts.len(), "the whole timeline");
    assert!(trace.steps.is_sorted(), "oldest first");
    assert_eq!(Trace::key(&facts[0]), case().root.to_string());
}

#[test]
fn a_late_message_never_takes_a_trace_back() {
    let mut facts = completed();
    facts.reverse();
    assert_eq!(fold(&facts[..1]).status, "COMPLETED");
    assert_eq!(fold(&facts).status, "COMPLETED");
}

#[test]
fn cafe_a2_a_cancelled_order_is_cancelled_whatever_comes_late() {
    let mut facts = vec![fact("ordering", 1, 4, "OrderCancelled", 4)];
    facts.extend(completed());
    assert_eq!(fold(&facts).status, "CANCELLED");
}

#[test]
fn cafe_n1_an_order_that_never_came_about_is_not_listed() {
    let trace = fold(&[fact("payment", 2, 1, "PaymentRequested", 1), fact("payment", 2, 3, "PaymentApproved", 2)]);
    assert_eq!((trace.status.as_str(), trace.index()), ("", Index::default()));
    assert_eq!(fold(&completed()[..2]).index().owner, "+821012345678", "{MINA} in E.164 form");
}

#[test]
fn every_kind_of_case_has_a_trace_of_its_own() {
    let replenishment = of(
        Kind::Replenishment,
        &[
            ("replenishment", 1, 1, "OrderPlaced"),
            ("delivery", 2, 1, "DeliveryScheduled"),
            ("delivery", 2, 2, "Shipped"),
            ("replenishment", 1, 2, "OrderShipped"),
            ("inventory", 3, 7, "StockReceived"),
            ("replenishment", 1, 3, "OrderReceived"),
        ],
    );
    assert_eq!(passes(&replenishment), ["PLACED", "SHIPPED", "RECEIVED"]);
    let purchase = of(Kind::Purchase, &[("sales", 1, 1, "Purchased"), ("sales", 1, 2, "PurchaseCancelled")]);
    assert_eq!(passes(&purchase), ["PURCHASED", "CANCELLED"]);
    let reservation = of(
        Kind::Reservation,
        &[
            ("lending", 1, 1, "ReservationRequested"),
            ("inventory", 3, 9, "StockWithdrawn"),
            ("lending", 1, 2, "ReservationConfirmed"),
            ("lending", 1, 3, "ReservationCancelled"),
        ],
    );
    assert_eq!(passes(&reservation), ["REQUESTED", "CONFIRMED", "CANCELLED"]);
    let booking = of(
        Kind::Booking,
        &[
            ("payment", 2, 1, "PaymentRequested"),
            ("booking", 1, 2, "BookingReserved"),
            ("payment", 2, 3, "PaymentApproved"),
            ("booking", 1, 3, "BookingPaid"),
            ("booking", 1, 5, "BookingConfirmed"),
            ("ticketing", 3, 1, "TicketIssued"),
            ("booking", 1, 6, "BookingCancellationRequested"),
            ("ticketing", 3, 2, "TicketCancelled"),
            ("booking", 1, 7, "BookingCancelled"),
        ],
    );
    assert_eq!(passes(&booking), ["", "RESERVED", "PAID", "CONFIRMED", "CANCELLATION_PENDING", "CANCELLED"]);
    for kind in Kind::ALL {
        let case = Case { root: Reference::new(kind.context(), "x"), ..case() };
        assert_eq!(Kind::of(&case.root), Some(kind));
    }
    assert_eq!(Kind::of(&Reference::new("inventory", "x")), None);
}

// === The board ===

fn store_order_facts() -> Vec<StoreOrderFact> {
    let item = Item {
        product: ProductId::parse("cola").unwrap(),
        name: ProductName::parse("콜라").unwrap(),
        quantity: Quantity::new(10).unwrap(),
        unit_price: None,
    };
    [
        StoreOrderNews::Placed(item, Timestamp::from_micros(1)),
        StoreOrderNews::Delivery(StoreDeliveryStatus::Preparing),
        StoreOrderNews::Order(StoreOrderStatus::CancellationPending),
        StoreOrderNews::Delivery(StoreDeliveryStatus::Shipped),
        StoreOrderNews::Order(StoreOrderStatus::Shipped),
        StoreOrderNews::Order(StoreOrderStatus::Received),
    ]
    .map(|news| StoreOrderFact { case: case(), news })
    .to_vec()
}

#[test]
fn store_n4_the_board_shows_an_order_and_its_delivery_in_any_order_of_arrival() {
    let facts = store_order_facts();
    let order = facts.iter().fold(StoreOrder::default(), StoreOrder::apply);
    assert_eq!((order.status, order.delivery), (StoreOrderStatus::Received, Some(StoreDeliveryStatus::Shipped)));
    laws::view::<StoreOrder>(&facts);
    let unheard_of = facts[1..].iter().fold(StoreOrder::default(), StoreOrder::apply);
    assert_eq!(unheard_of.index(), Index::default(), "not listed before the order itself was heard of");
}

fn goods(revision: u64, on_hand: i64, name: &str) -> GoodsFact {
    GoodsFact {
        shop: shop(),
        sku: ProductId::parse("cola").unwrap(),
        name: name.into(),
        on_hand,
        reorder_point: 5,
        unit_price: Some(won(1200)),
        revision,
        time: Timestamp::from_micros(1),
    }
}

#[test]
fn store_f8_the_board_shows_the_stock_as_inventory_told_last() {
    let facts = [goods(1, 10, "콜라"), goods(2, 7, "콜라"), goods(3, 4, "콜라")];
    let shown = facts.iter().rev().fold(Goods::default(), Goods::apply);
    assert!(shown.latest.as_ref().is_some_and(GoodsFact::is_low));
    assert_eq!(shown.index().shop, shop().to_string());
    laws::view::<Goods>(&facts);
    assert_eq!(Goods::default().apply(&goods(1, 0, "")).index(), Index::default(), "never received");
}

fn sale(message: u128, kind: SaleKind, pieces: u32) -> Sale {
    let time = Timestamp::from_micros(1_767_225_600_000_000);
    Sale { message: Uuid::from_u128(message), shop: shop(), time, kind, pieces, total: won(1200 * i64::from(pieces)) }
}

#[test]
fn what_was_sold_is_counted_once_however_often_it_is_told() {
    let facts = [sale(1, SaleKind::Purchased, 3), sale(2, SaleKind::Purchased, 1), sale(3, SaleKind::Cancelled, 3)];
    let takings = facts.iter().chain(&facts).fold(Takings::default(), Takings::apply);
    assert_eq!((takings.purchases, takings.cancellations, takings.pieces), (2, 1, 1));
    assert_eq!(takings.amounts["KRW"], won(1200));
    laws::view::<Takings>(&facts);
}

// === Laws ===

#[test]
fn any_order_and_repetition_of_facts_gives_the_same_trace() {
    laws::view::<Trace>(&completed());
    let mut cancelled = completed();
    cancelled.truncate(8);
    cancelled.push(fact("ordering", 1, 4, "OrderCancelled", 7));
    cancelled.push(fact("payment", 2, 4, "PaymentCancelled", 8));
    laws::view::<Trace>(&cancelled);
}
