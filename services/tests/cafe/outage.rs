//! What the coffee shop does when something is away.

use highstreet::ContextName;
use highstreet_provider::SimulatedOutage;
use highstreet_wire::proto::ordering::OrderStatus;
use highstreet_wire::proto::payment::PaymentStatus;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::common::stories;
use crate::shop::{Cafe, eventually, lattes, reason};

stories![
    cafe_a3_no_order_without_its_payment,
    cafe_a4_cancelling_does_not_need_payment,
    cafe_a5_stamps_come_when_loyalty_is_back
];

/// CAFE-A3, CAFE-N1: an order whose payment cannot be registered is not registered either.
#[tokio::test]
async fn cafe_a3_no_order_without_its_payment() {
    let mut cafe = Cafe::open().await;
    cafe.stop(ContextName::Payment).await;
    let request =
        highstreet_wire::proto::ordering::PlaceOrderRequest { request_id: Uuid::now_v7().to_string(), ..lattes(1) };
    let refused = cafe.place(request.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "PAYMENT_UNAVAILABLE"));
    // Whether it was sent or not: who is away was perhaps not known to be.
    assert!(refused.message().starts_with("payment ") && refused.message().ends_with("; try again"), "{refused:?}");
    assert!(refused.get_details_retry_info().is_some());
    assert!(cafe.all_orders().await.is_empty());

    cafe.start(ContextName::Payment).await;
    assert!(cafe.all_orders().await.is_empty(), "a refused order does not come back");
    let order = cafe.place(request).await.unwrap();
    assert_eq!(order.status(), OrderStatus::Ordered);
    assert_eq!(cafe.all_orders().await.len(), 1);
}

/// CAFE-A4, CAFE-N2: orders can be cancelled while payment is away; it refunds once when it is back.
#[tokio::test]
async fn cafe_a4_cancelling_does_not_need_payment() {
    let mut cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.pay(&order).await.unwrap();
    cafe.stop(ContextName::Payment).await;

    assert_eq!(cafe.cancel(&order).await.unwrap().status(), OrderStatus::Cancelled);
    assert_eq!(cafe.money_moved(), (1, 0));
    cafe.start(ContextName::Payment).await;
    let payment = eventually("the refund", || async { cafe.payment(&order).await.filter(|it| it.refunded) }).await;
    assert_eq!(payment.status(), PaymentStatus::Cancelled);
    assert_eq!(cafe.money_moved(), (1, 1));
}

/// CAFE-A5: payments go on while loyalty is away; the stamps come later, once.
#[tokio::test]
async fn cafe_a5_stamps_come_when_loyalty_is_back() {
    let mut cafe = Cafe::open().await;
    cafe.stop(ContextName::Loyalty).await;
    let order = cafe.order(2).await;
    assert_eq!(cafe.pay(&order).await.unwrap().status(), PaymentStatus::Approved);
    cafe.traced(&order, "PAID").await;
    assert_eq!(cafe.stamps().await, None);

    cafe.start(ContextName::Loyalty).await;
    cafe.stamped(2).await;
    // A second order's stamps come after the first one's: had those come twice, there would be more than three.
    let second = cafe.order(1).await;
    cafe.pay(&second).await.unwrap();
    cafe.stamped(3).await;
}

/// CAFE-N2: a refund that the provider does not take goes on being tried.
#[tokio::test]
async fn cafe_n2_a_refund_outlives_an_outage_of_the_provider() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.pay(&order).await.unwrap();
    let provider = cafe.platform().provider();
    provider.set_outage(SimulatedOutage::Refuses);
    cafe.cancel(&order).await.unwrap();
    let payment = eventually("the cancellation", || async {
        cafe.payment(&order).await.filter(|it| it.status() == PaymentStatus::Cancelled)
    })
    .await;
    assert!(!payment.refunded);
    provider.set_outage(SimulatedOutage::None);
    eventually("the refund", || async { cafe.payment(&order).await.filter(|it| it.refunded) }).await;
    assert_eq!(cafe.money_moved(), (1, 1));
}

/// A provider that is not reached takes nothing: the customer is told, and can pay later, under the same request id.
#[tokio::test]
async fn a_provider_that_is_away_takes_nothing() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    let provider = cafe.platform().provider();
    provider.set_outage(SimulatedOutage::Refuses);
    let request = highstreet_wire::proto::payment::PayRequest {
        payment_id: order.payment_id.clone(),
        method: 1,
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let refused = cafe.payments().pay(request.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "PROVIDER_UNAVAILABLE"));
    assert_eq!(refused.message(), "the payment provider is not available; try again");
    assert_eq!(cafe.payment(&order).await.unwrap().status(), PaymentStatus::Requested);
    provider.set_outage(SimulatedOutage::None);
    let paid = cafe.payments().pay(request).await.unwrap().into_inner().payment.unwrap();
    assert_eq!(paid.status(), PaymentStatus::Approved);
    assert_eq!(cafe.money_moved(), (1, 0));
}
