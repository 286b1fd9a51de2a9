//! What the coffee shop does when everything works.

use std::time::Duration;

use highstreet::config::ShopArgs;
use highstreet_wire::proto::delivery::DeliveryStatus;
use highstreet_wire::proto::kitchen::PreparationStatus;
use highstreet_wire::proto::ordering::{CancelReason, OrderStatus};
use highstreet_wire::proto::payment::{CancelPaymentRequest, PaymentStatus, cancel_payment_request};
use tonic::Code;

use crate::common::stories;
use crate::shop::{Cafe, eventually, reason, reference};

stories![
    cafe_a1_from_order_to_completion,
    cafe_a2_paid_and_cancelled,
    cafe_a6_completed_orders_stay,
    cafe_a7_unpaid_orders_expire,
    cafe_x1_a_cancellation_starts_nothing,
    a_payment_cancelled_by_staff_takes_its_order_along,
    the_customer_is_told_of_every_change_once
];

/// CAFE-A1, and on the way CAFE-F1 (ordering), CAFE-F2 (paying), CAFE-F3 (the payment is carried out), CAFE-F4 (the
/// kitchen starts once it is approved), CAFE-F5 (the trace), CAFE-F6 (ready drinks are delivered), CAFE-F8 (stamps)
/// and CAFE-N4 (the trace is a read model).
#[tokio::test]
async fn cafe_a1_from_order_to_completion() {
    let cafe = Cafe::open().await;
    let order = cafe.order(2).await;
    assert_eq!(order.status(), OrderStatus::Ordered);
    let payment = cafe.payment(&order).await.unwrap();
    assert_eq!(payment.payment_id, order.payment_id);
    assert_eq!(payment.status(), PaymentStatus::Requested);
    assert_eq!(payment.amount.unwrap().units, 9000);
    cafe.traced(&order, "ORDERED").await;
    assert!(cafe.preparation(&order).await.is_none(), "nothing is made before it is paid");

    assert_eq!(cafe.pay(&order).await.unwrap().status(), PaymentStatus::Approved);
    cafe.traced(&order, "PAID").await;
    let preparation = eventually("the preparation", || cafe.preparation(&order)).await;
    assert_eq!(preparation.status(), PreparationStatus::Preparing);
    cafe.stamped(2).await;
    eventually("the order is paid", || async {
        cafe.get_order(&order).await.ok().filter(|order| order.status() == OrderStatus::Paid)
    })
    .await;

    let preparation = cafe.complete_preparation(&preparation).await.unwrap();
    assert_eq!(preparation.status(), PreparationStatus::Ready);
    let delivery = eventually("the delivery", || cafe.delivery(&order)).await;
    assert_eq!(delivery.status(), DeliveryStatus::Preparing);
    assert_eq!(delivery.items[0].quantity, 2);
    assert_eq!(cafe.ship(&delivery).await.unwrap().status(), DeliveryStatus::Shipped);
    assert_eq!(cafe.arrive(&delivery).await.unwrap().status(), DeliveryStatus::Delivered);

    cafe.traced(&order, "COMPLETED").await;
    // Told by delivery, and may be heard after ordering has said that the order is completed.
    eventually("the trace says that it was delivered", || async {
        let trace = cafe.traced(&order, "COMPLETED").await;
        trace.steps.iter().any(|step| step.status == "DELIVERED").then_some(())
    })
    .await;
    assert_eq!(cafe.get_order(&order).await.unwrap().status(), OrderStatus::Completed);
    assert_eq!(cafe.money_moved(), (1, 0));
}

/// CAFE-A2, CAFE-F7 (a cancellation reaches payment, kitchen and delivery), CAFE-F8 (stamps are taken back).
#[tokio::test]
async fn cafe_a2_paid_and_cancelled() {
    let cafe = Cafe::open().await;
    let before = cafe.stamps().await.unwrap();
    let order = cafe.order(3).await;
    cafe.pay(&order).await.unwrap();
    cafe.stamped(before + 3).await;
    eventually("the preparation", || cafe.preparation(&order)).await;

    let cancelled = cafe.cancel(&order).await.unwrap();
    assert_eq!((cancelled.status(), cancelled.cancel_reason()), (OrderStatus::Cancelled, CancelReason::Customer));
    let refunded = eventually("the refund", || async { cafe.payment(&order).await.filter(|it| it.refunded) }).await;
    assert_eq!(refunded.status(), PaymentStatus::Cancelled);
    eventually("the kitchen stops", || async {
        cafe.preparation(&order).await.filter(|it| it.status() == PreparationStatus::Cancelled)
    })
    .await;
    eventually("no delivery", || async {
        cafe.delivery(&order).await.filter(|it| it.status() == DeliveryStatus::Cancelled)
    })
    .await;
    cafe.stamped(before).await;
    cafe.traced(&order, "CANCELLED").await;
    assert_eq!(cafe.money_moved(), (1, 1));
}

/// CAFE-A6: what was delivered cannot be cancelled.
#[tokio::test]
async fn cafe_a6_completed_orders_stay() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.pay(&order).await.unwrap();
    cafe.carry_out(&order).await;
    cafe.traced(&order, "COMPLETED").await;

    let refused = cafe.cancel(&order).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ORDER_ALREADY_COMPLETED"));
    let refused = eventually("payment knows that the order is completed", || async {
        let target = Some(cancel_payment_request::Target::Order(reference(&order)));
        let request = CancelPaymentRequest { target, ..Default::default() };
        cafe.payments().cancel_payment(request).await.err()
    })
    .await;
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "CANCEL_THE_ORDER"));
    assert_eq!(cafe.money_moved(), (1, 0));
}

/// CAFE-A7: what is not paid in time expires, and so does its payment.
#[tokio::test]
async fn cafe_a7_unpaid_orders_expire() {
    let cafe = Cafe::with(ShopArgs { pay_within: Duration::from_millis(300), ..ShopArgs::standard() }).await;
    let order = cafe.order(1).await;
    let expired = eventually("the order expires", || async {
        cafe.get_order(&order).await.ok().filter(|order| order.status() == OrderStatus::Cancelled)
    })
    .await;
    assert_eq!(expired.cancel_reason(), CancelReason::Expired);
    let payment = eventually("its payment is cancelled", || async {
        cafe.payment(&order).await.filter(|payment| payment.status() == PaymentStatus::Cancelled)
    })
    .await;
    assert_eq!(payment.cancel_reason, "EXPIRED");
    assert!(!payment.refunded);
    let refused = cafe.pay(&order).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ALREADY_CANCELLED"));
    assert_eq!(cafe.money_moved(), (0, 0));
}

/// CAFE-X1: a cancellation does not look like a payment; there is one preparation, and no second round of stamps.
#[tokio::test]
async fn cafe_x1_a_cancellation_starts_nothing() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.pay(&order).await.unwrap();
    cafe.stamped(1).await;
    eventually("the preparation", || cafe.preparation(&order)).await;
    cafe.cancel(&order).await.unwrap();
    cafe.stamped(0).await;
    let trace = cafe.traced(&order, "CANCELLED").await;
    let count = |event: &str| trace.steps.iter().filter(|step| step.event == event).count();
    assert_eq!((count("PaymentApproved"), count("PreparationStarted"), count("DeliveryScheduled")), (1, 1, 0));
}

/// Staff cancel a payment: its order goes with it.
#[tokio::test]
async fn a_payment_cancelled_by_staff_takes_its_order_along() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.pay(&order).await.unwrap();
    let target = Some(cancel_payment_request::Target::PaymentId(order.payment_id.clone()));
    let request = CancelPaymentRequest { target, reason: "wrong price".into(), ..Default::default() };
    let cancelled = cafe.payments().cancel_payment(request).await.unwrap().into_inner().payment.unwrap();
    assert!(cancelled.refunded);
    let order = eventually("the order is cancelled", || async {
        cafe.get_order(&order).await.ok().filter(|order| order.status() == OrderStatus::Cancelled)
    })
    .await;
    assert_eq!(order.cancel_reason(), CancelReason::PaymentCancelled);
}

/// Each change of an order reaches the customer once.
#[tokio::test]
async fn the_customer_is_told_of_every_change_once() {
    let cafe = Cafe::open().await;
    let order = cafe.order(1).await;
    cafe.pay(&order).await.unwrap();
    cafe.carry_out(&order).await;
    let told = eventually("four messages", || async {
        let told = cafe.notifications().await;
        let sent = told.iter().all(|it| it.status().as_str_name() == "NOTIFICATION_STATUS_SENT");
        (told.len() == 4 && sent).then_some(told)
    })
    .await;
    let mut events: Vec<_> = told.iter().map(|it| it.event.as_str()).collect();
    events.sort_unstable();
    assert_eq!(events, ["OrderCompleted", "OrderPaid", "OrderPlaced", "PreparationReady"]);
    assert!(told.iter().all(|it| it.text.contains("주문")));
}
