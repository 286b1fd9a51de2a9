//! The rules of sales.

#![allow(clippy::unwrap_used, reason = "every one of them is valid, or its test fails")]

mod samples;

use highstreet_domain::kernel::{Aggregate, Id, ProductId, Quantity};
use highstreet_domain::sales::{CancelReason, Command, Details, Event, Fact, Purchase, Rejection, react};
use highstreet_testkit::{given, laws};
use proptest::prelude::*;
use samples::{MINA, note, shop, won};
use uuid::Uuid;

const REASONS: [CancelReason; 2] = [CancelReason::Customer, CancelReason::OutOfStock];

fn details() -> Details {
    let (sku, quantity) = (ProductId::parse("cola").unwrap(), Quantity::new(3).unwrap());
    Details { shop: shop(), sku, quantity, unit_price: won(1500), customer: MINA.into() }
}

fn recorded() -> Event {
    Event::Recorded(details())
}

fn cancel(reason: CancelReason) -> Command {
    Command::Cancel { reason, note: note("") }
}

fn cancelled(reason: CancelReason) -> Event {
    Event::Cancelled { reason, note: note("") }
}

/// STORE-N2: nothing about stock is asked before a purchase is recorded.
#[test]
fn store_f4_store_n2_a_purchase_stands_once_it_is_recorded() {
    let purchase = given::<Purchase>([]).when(Command::Record(details())).then([recorded()]);
    purchase.clone().waits_for_nothing();
    assert_eq!(details().total(), Some(won(4500)));
    purchase.when(Command::Record(details())).then_refused(Rejection::AlreadyRecorded);
    let priceless = Details { unit_price: won(i64::MAX), ..details() };
    given::<Purchase>([]).when(Command::Record(priceless)).then_refused(Rejection::InvalidTotal);
}

#[test]
fn store_f7_a_purchase_is_cancelled_once_and_the_first_reason_stays() {
    for first in REASONS {
        let purchase = given::<Purchase>([recorded()]).when(cancel(first)).then([cancelled(first)]);
        for second in REASONS {
            purchase.clone().when(cancel(second)).then_nothing();
        }
        assert!(matches!(purchase.state(), Purchase::Cancelled { reason, .. } if reason == first));
    }
    given::<Purchase>([]).when(cancel(CancelReason::Customer)).then_refused(Rejection::NotFound);
}

/// STORE-A4, STORE-X5: a purchase of what there is not enough of, or of what nobody ever received, does not stand.
#[test]
fn store_a4_store_x5_a_purchase_that_stock_cannot_serve_is_cancelled() {
    let id: Id<Purchase> = Id::new(Uuid::from_u128(1));
    let commands = react(&Fact::OutOfStock(id));
    assert_eq!(commands, [(id, cancel(CancelReason::OutOfStock))]);
    let ran_out = [cancelled(CancelReason::OutOfStock)];
    given::<Purchase>([recorded()]).when(commands[0].1.clone()).then(ran_out);
}

#[test]
fn a_customer_s_purchases_are_found_however_the_number_is_written() {
    let index = given::<Purchase>([recorded()]).state().index().unwrap();
    assert_eq!((index.owner.as_str(), index.status.as_str()), ("+821012345678", "PURCHASED"), "{MINA}");
    let by_name = Event::Recorded(Details { customer: "Mina".into(), ..details() });
    assert_eq!(given::<Purchase>([by_name]).state().index().unwrap().owner, "Mina");
}

// === Laws ===

proptest! {
    #[test]
    fn whatever_it_is_asked_the_laws_hold_and_it_is_cancelled_once(
        history in proptest::collection::vec(
            prop_oneof![
                Just(Command::Record(details())),
                proptest::sample::select(&REASONS).prop_map(cancel),
            ],
            0..10,
        ),
    ) {
        prop_assert!(laws::aggregate::<Purchase>(std::slice::from_ref(&history)).len() <= 2);
    }
}

#[test]
fn events_written_by_earlier_versions_are_read() {
    let samples = [recorded(), cancelled(CancelReason::Customer), cancelled(CancelReason::OutOfStock)];
    laws::golden::<Purchase>(&samples::golden("purchase"), &samples);
}
